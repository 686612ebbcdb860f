//! Two relays of one room on a bus that may fail, under random input.

use proptest::prelude::*;
use proptest::sample::select;

use crate::world::World;
use crate::world::operation::{Forgery, Operation, Shown};

fn operation() -> impl Strategy<Value = Operation> {
    let member = || 0..16u8;
    let shown = (member(), prop::bool::weighted(0.2), heights())
        .prop_map(|(of, screen, height)| Shown { of, screen, height });
    let largest = select(vec![0u8, 2, 3]);
    let yes = || prop::bool::weighted(0.85);
    let join = (
        prop::bool::weighted(0.3),
        any::<bool>(),
        yes(),
        yes(),
        largest,
    );
    prop_oneof![
        6 => join.prop_map(|(relay, stock, receives, publishes, largest)| Operation::Join {
            relay: relay.into(), stock, receives, publishes, largest,
        }),
        1 => member().prop_map(|member| Operation::Leave { member }),
        1 => (member(), select(vec![0u16, 5_000, 10_000]))
            .prop_map(|(member, heard_ms)| Operation::Lose { member, heard_ms }),
        2 => member().prop_map(|member| Operation::Resume { member }),
        1 => (member(), select(vec![Forgery::Secret, Forgery::User, Forgery::Session]))
            .prop_map(|(member, forgery)| Operation::Forge { member, forgery }),
        10 => video(),
        4 => (member(), prop::bool::weighted(0.2), 0..128u8)
            .prop_map(|(member, of_screen, level)| Operation::Sound { member, of_screen, level }),
        1 => (0..2u8, 0..128u8).prop_map(|(relay, level)| Operation::Chorus { relay, level }),
        3 => (member(), any::<bool>(), prop::bool::weighted(0.3))
            .prop_map(|(member, camera, screen)| Operation::Heartbeat { member, camera, screen }),
        2 => (member(), member(), prop::bool::weighted(0.2))
            .prop_map(|(member, of, screen)| Operation::AskKeyframe { member, of, screen }),
        3 => (member(), any::<bool>(), prop::collection::vec(shown, 0..4))
            .prop_map(|(member, others, shown)| Operation::Wish { member, others, shown }),
        2 => (member(), member(), any::<bool>(), 0..3u8)
            .prop_map(|(member, of, of_screen, frames)| Operation::Lack { member, of, of_screen, frames }),
        3 => (member(), limits()).prop_map(|(member, bps)| Operation::Limit { member, bps }),
        1 => member().prop_map(|member| Operation::Stray { member }),
        1 => (0..2u8, 0..5u8).prop_map(|(relay, level)| Operation::Load { relay, level }),
        4 => prop_oneof![4 => 0..3_000u16, 1 => 3_000..12_000u16].prop_map(|millis| Operation::Wait { millis }),
        1 => Just(Operation::Cut),
        1 => Just(Operation::Mend),
    ]
}

fn video() -> impl Strategy<Value = Operation> {
    let bits = || select(vec![0u8, 0b1, 0b10, 0b101, 0b111, 0b1111]);
    let screen = prop::bool::weighted(0.2);
    let bytes = select(vec![10u16, 1_000, 30_000]);
    (0..16u8, screen, bits(), bits(), bits(), 0..4u8, bytes).prop_map(
        |(member, screen, sent, frames, keyframes, temporal, bytes)| Operation::Video {
            member,
            screen,
            sent,
            frames,
            keyframes,
            temporal,
            bytes,
        },
    )
}

fn heights() -> impl Strategy<Value = u16> {
    select(vec![90, 180, 360, 720, u16::MAX])
}

fn limits() -> impl Strategy<Value = Option<u32>> {
    select(vec![
        None,
        Some(1),
        Some(300_000),
        Some(700_000),
        Some(3_000_000),
        Some(u32::MAX),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn rooms_keep_their_promises(operations in prop::collection::vec(operation(), 1..120)) {
        let mut world = World::new();
        for operation in &operations {
            world.apply(operation);
        }
        world.check_convergence();
    }
}
