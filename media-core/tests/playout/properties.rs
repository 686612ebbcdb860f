//! Whatever is pushed, whenever it is pulled.

use media_core::playout::{CAPACITY, MAX_CHUNK, Playout};
use proptest::prelude::*;

use crate::support::decoded;

#[derive(Clone, Debug)]
enum Step {
    Push {
        sequence: u64,
        len: usize,
        value: f32,
    },
    Pull {
        len: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let sequence = prop_oneof![8 => 0..60_u64, 1 => 0..1_000_u64, 1 => any::<u64>()];
    let len = prop_oneof![6 => Just(960_usize), 1 => 0..MAX_CHUNK + 100];
    let value = prop_oneof![4 => -1.0..1.0_f32, 1 => any::<f32>()];
    let push = (sequence, len, value).prop_map(|(sequence, len, value)| Step::Push {
        sequence,
        len,
        value,
    });
    let pull =
        prop_oneof![4 => Just(128_usize), 1 => 0..3_000_usize].prop_map(|len| Step::Pull { len });
    prop::collection::vec(prop_oneof![push, pull], 0..200)
}

proptest! {
    #[test]
    fn sound_is_always_finite_and_within_the_range(steps in steps()) {
        let mut playout = Playout::default();
        for step in steps {
            match step {
                Step::Push { sequence, len, value } => {
                    let samples: Vec<f32> = (0..len).map(|i| value * (i as f32 * 0.06).sin()).collect();
                    playout.push(decoded(sequence, &samples));
                }
                Step::Pull { len } => {
                    let mut out = vec![f32::NAN; len];
                    playout.pull(&mut out);
                    prop_assert!(out.iter().all(|sample| (-1.0..=1.0).contains(sample)));
                }
            }
            let stats = playout.stats();
            prop_assert!((0.0..=1.0).contains(&stats.level));
            prop_assert!((20.0..=500.0).contains(&stats.target_ms));
        }
    }

    /// With every packet in time, however the pulls are cut, all samples are played in their order.
    #[test]
    fn a_steady_stream_is_played_completely(cuts in prop::collection::vec(1..500_usize, 50..200)) {
        let mut playout = Playout::default();
        let mut heard = Vec::new();
        let mut sequence = 0_u64;
        for cut in cuts {
            while heard.len() + cut > sequence as usize * 960 {
                let samples: Vec<f32> = (0..960).map(|i| (sequence * 960 + i) as f32 / 1e6).collect();
                playout.push(decoded(sequence, &samples));
                sequence += 1;
            }
            let mut out = vec![0.0; cut];
            playout.pull(&mut out);
            heard.extend(out);
        }
        let first = heard.iter().position(|sample| *sample > 0.0).unwrap_or(heard.len());
        prop_assert!(first <= CAPACITY);
        let steady = heard.get(first + 240..).unwrap_or_default();
        let steps = steady.windows(2).all(|pair| (pair[1] - pair[0] - 1e-6).abs() < 1e-7);
        prop_assert!(steps);
    }
}
