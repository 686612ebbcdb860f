//! What a thousand people in one room cost each of them.

use relay_core::Dialect;
use relay_core::policy::RoomPolicy;
use videocall_types::Track;

use crate::support::{TestRoom, sound};

const PEOPLE: u64 = 1_000;

/// How many of these messages the first member gets.
fn to_the_first(lines: &[String]) -> usize {
    lines
        .iter()
        .filter(|line| line.starts_with("[1,") || line.starts_with("[1]"))
        .count()
}

#[test]
fn joins_and_leaves_are_told_together() {
    let mut room = TestRoom::default();
    room.join(1, Dialect::Native);
    let interval = RoomPolicy::default().presence_interval.as_millis() as u64;
    let mut told = 0;
    for id in 2..=PEOPLE {
        told += to_the_first(&room.join(id, Dialect::Native));
        told += to_the_first(&room.pass(5));
    }
    let joining = 5 * (PEOPLE - 1);
    assert!(told as u64 <= joining / interval + 1, "{told}");

    // All at once: one message now, one for the rest.
    let mut told = to_the_first(&room.pass(interval));
    for id in 2..=PEOPLE {
        told += to_the_first(&room.leave(id));
    }
    told += to_the_first(&room.pass(interval));
    assert!(told <= 3, "{told}");
}

#[test]
fn each_gets_three_voices_however_many_speak() {
    let mut room = TestRoom::default();
    for id in 1..=PEOPLE {
        room.join(id, Dialect::Native);
    }
    let mut received = vec![0; PEOPLE as usize + 1];
    // Everybody's microphone is open for a second, and every tenth speaks.
    for _ in 0..50 {
        for id in 1..=PEOPLE {
            let level = if id % 10 == 0 { 30 } else { 80 };
            if let Ok((to, _)) = room.route(&sound(id, Track::Microphone, level)) {
                for receiver in to {
                    received[receiver as usize] += 1;
                }
            }
        }
        room.pass(20);
    }
    // Nobody hears themselves. A place changes hands once within the second.
    let most = 3 * 50 + 3;
    assert!(
        received.iter().all(|packets| *packets <= most),
        "{received:?}"
    );
    assert!(received.iter().skip(1).all(|packets| *packets >= 2 * 50));
}
