//! Whose voice a large room passes on.

use relay_core::policy::RoomPolicy;
use relay_core::{Dialect, DropReason};
use videocall_types::Track;

use crate::support::{TestRoom, media, sound};

/// Native members 1 to `count`.
fn room(count: u64) -> TestRoom {
    let mut room = TestRoom::default();
    for id in 1..=count {
        room.join(id, Dialect::Native);
    }
    room
}

/// Whose frames go on when 1 to `count` speak alike.
fn heard(room: &mut TestRoom, count: u64) -> Vec<u64> {
    (1..=count)
        .filter(|id| match room.route(&sound(*id, Track::Microphone, 30)) {
            Ok((to, _)) => {
                assert_eq!(to.len() as u64, count - 1);
                true
            }
            Err(reason) => {
                assert_eq!(reason, DropReason::Quieter);
                false
            }
        })
        .collect()
}

fn largest_small_room() -> u64 {
    RoomPolicy::default().large_above as u64
}

#[test]
fn everybody_is_heard_until_the_room_is_large() {
    let count = largest_small_room();
    let mut room = room(count);
    assert_eq!(heard(&mut room, count), Vec::from_iter(1..=count));
    room.join(count + 1, Dialect::Native);
    assert_eq!(heard(&mut room, count + 1), [1, 2, 3]);
    room.leave(count + 1);
    assert_eq!(heard(&mut room, count), Vec::from_iter(1..=count));
}

#[test]
fn a_speaker_who_leaves_makes_place() {
    let count = largest_small_room() + 3;
    let mut room = room(count);
    assert_eq!(heard(&mut room, count), [1, 2, 3]);
    room.leave(2);
    assert!(room.route(&sound(9, Track::Microphone, 30)).is_ok());
    assert_eq!(
        room.route(&sound(10, Track::Microphone, 30)),
        Err(DropReason::Quieter)
    );
}

#[test]
fn what_was_not_measured_and_what_is_no_voice_goes_on() {
    let count = largest_small_room() + 1;
    let mut room = room(count);
    assert_eq!(heard(&mut room, count), [1, 2, 3]);
    assert!(room.route(&sound(7, Track::Microphone, 0)).is_ok());
    assert!(room.route(&sound(7, Track::ScreenAudio, 30)).is_ok());
    assert!(room.route(&media(7, Track::Camera, 0, true)).is_ok());
}
