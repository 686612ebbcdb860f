//! Whose video a room passes on while the relay is overloaded.

use proptest::prelude::*;
use relay_core::ingress::from_relay;
use relay_core::policy::RoomPolicy;
use relay_core::{Dialect, DropReason, Forward, Level, messages};
use videocall_types::{Timestamp, Track};

use crate::support::{OTHER, TestRoom, heartbeat, layer, media, remote_members, sound};
use Level::{AudioOnly, NoNewRooms, Normal};

const NOTHING: [&str; 0] = [];

const fn fewer(last_n: usize) -> Level {
    Level::FewerVideos { last_n }
}

/// Somebody speaks, or is silent at level 127.
fn audio(from: u64, level: u8) -> Forward {
    sound(from, Track::Microphone, level)
}

/// A room of native members 1 to `count`, whose cameras have all sent.
fn room(count: u64) -> TestRoom {
    let mut room = TestRoom::default();
    for id in 1..=count {
        room.join(id, Dialect::Native);
        room.pass(100);
    }
    for id in 1..=count {
        room.route(&media(id, Track::Camera, 0, true)).unwrap();
    }
    room.pass(1000);
    room
}

/// Every camera sends a frame; those whose frame goes on.
fn film(room: &mut TestRoom, count: u64) -> Vec<u64> {
    let mut seen = Vec::new();
    for id in 1..=count {
        match room.route(&media(id, Track::Camera, 0, false)) {
            Ok((to, _)) => {
                let others: Vec<u64> = (1..=count).filter(|other| *other != id).collect();
                assert_eq!(to, others);
                seen.push(id);
            }
            Err(reason) => assert_eq!(reason, DropReason::Overload),
        }
    }
    seen
}

fn speak(room: &mut TestRoom, id: u64) {
    assert!(room.route(&audio(id, 20)).is_ok());
}

#[test]
fn at_normal_levels_everything_passes() {
    let mut room = room(20);
    assert_eq!(room.level(NoNewRooms), NOTHING);
    assert_eq!(film(&mut room, 20).len(), 20);
    assert_eq!(room.level(Normal), NOTHING);
    assert_eq!(film(&mut room, 20).len(), 20);
}

#[test]
fn those_who_spoke_last_stay_and_without_speech_the_choice_is_the_same_everywhere() {
    let mut room = room(6);
    speak(&mut room, 5);
    room.pass(1000);
    speak(&mut room, 6);
    assert_eq!(room.level(fewer(3)), NOTHING);
    assert_eq!(film(&mut room, 6), [1, 5, 6]);
    assert_eq!(room.level(fewer(2)), NOTHING);
    assert_eq!(film(&mut room, 6), [5, 6]);
}

#[test]
fn a_room_with_no_more_cameras_than_allowed_loses_none() {
    let mut room = room(4);
    room.level(fewer(4));
    assert_eq!(film(&mut room, 4), [1, 2, 3, 4]);
}

#[test]
fn whoever_comes_back_is_asked_for_a_keyframe_and_nobody_else() {
    let mut room = room(6);
    room.level(fewer(2));
    assert_eq!(film(&mut room, 6), [1, 2]);
    room.pass(1000);
    film(&mut room, 6);
    assert_eq!(
        room.level(fewer(4)),
        ["[3] keyframe of 3 CAMERA 0", "[4] keyframe of 4 CAMERA 0"]
    );
    assert_eq!(film(&mut room, 6), [1, 2, 3, 4]);
    assert_eq!(
        room.level(NoNewRooms),
        ["[5] keyframe of 5 CAMERA 0", "[6] keyframe of 6 CAMERA 0"]
    );
    assert_eq!(film(&mut room, 6), [1, 2, 3, 4, 5, 6]);
    assert_eq!(room.level(Normal), NOTHING);
}

#[test]
fn who_speaks_takes_the_place_of_who_was_silent_for_longest() {
    let mut room = room(5);
    speak(&mut room, 1);
    room.pass(4000);
    speak(&mut room, 2);
    film(&mut room, 5);
    room.level(fewer(3));
    assert_eq!(film(&mut room, 5), [1, 2, 3]);
    // 3 has never spoken.
    speak(&mut room, 5);
    assert_eq!(room.commands(), ["[5] keyframe of 5 CAMERA 0"]);
    assert_eq!(film(&mut room, 5), [1, 2, 5]);
    // Too soon for the next one.
    speak(&mut room, 4);
    assert_eq!(film(&mut room, 5), [1, 2, 5]);
    room.pass(3000);
    film(&mut room, 5);
    speak(&mut room, 4);
    assert_eq!(room.commands(), ["[4] keyframe of 4 CAMERA 0"]);
    assert_eq!(film(&mut room, 5), [2, 4, 5]);
}

#[test]
fn nobody_who_has_just_spoken_loses_the_place() {
    let mut room = room(3);
    room.level(fewer(2));
    for _ in 0..20 {
        room.pass(1000);
        film(&mut room, 3);
        for id in 1..=3 {
            speak(&mut room, id);
        }
        assert_eq!(film(&mut room, 3), [1, 2]);
    }
}

#[test]
fn silence_and_unmeasured_audio_are_no_speech_and_a_heartbeat_may_be() {
    let mut room = room(3);
    room.level(fewer(1));
    for level in [0, 41, 127] {
        assert!(room.route(&audio(3, level)).is_ok());
        assert_eq!(film(&mut room, 3), [1]);
    }
    room.route(&heartbeat(3, true, false)).unwrap();
    assert_eq!(film(&mut room, 3), [1]);
    room.route(&heartbeat(3, true, true)).unwrap();
    assert_eq!(film(&mut room, 3), [3]);
}

#[test]
fn a_speaker_without_a_camera_takes_no_place() {
    let mut room = room(2);
    room.join(3, Dialect::Native);
    room.level(fewer(1));
    speak(&mut room, 3);
    room.commands();
    assert_eq!(
        room.route(&media(1, Track::Camera, 1, true)).unwrap().0,
        [2, 3]
    );
}

#[test]
fn a_place_that_is_given_up_goes_to_another() {
    let mut room = room(4);
    room.level(fewer(2));
    assert_eq!(film(&mut room, 4), [1, 2]);
    room.leave(1);
    let first = room.route(&media(4, Track::Camera, 1, false));
    // 3 comes before 4.
    assert_eq!(first, Err(DropReason::Overload));
    assert_eq!(room.commands(), ["[3] keyframe of 3 CAMERA 0"]);
    assert_eq!(
        room.route(&media(3, Track::Camera, 1, true)).unwrap().0,
        [2, 4]
    );
    // The camera of 2 is off for longer than `track_timeout`.
    let mut lines = Vec::new();
    for sequence in 2..10 {
        for id in [3, 4] {
            let _ = room.route(&media(id, Track::Camera, sequence, false));
        }
        lines.extend(room.pass(1000));
    }
    lines.retain(|line| line.contains("keyframe"));
    assert_eq!(lines, ["[4] keyframe of 4 CAMERA 0"]);
    assert_eq!(
        room.route(&media(4, Track::Camera, 10, false)).unwrap().0,
        [2, 3]
    );
}

#[test]
fn screens_go_last_and_audio_never() {
    let mut room = room(3);
    let tracks = |room: &mut TestRoom| {
        let passes = |track: &Track| room.route(&media(3, *track, 0, false)).is_ok();
        Track::ALL.into_iter().filter(passes).collect::<Vec<_>>()
    };
    assert_eq!(tracks(&mut room), Track::ALL);
    let sound_and_screen = [Track::Microphone, Track::Screen, Track::ScreenAudio];
    room.level(fewer(2));
    assert_eq!(tracks(&mut room), sound_and_screen);
    room.level(AudioOnly);
    assert_eq!(tracks(&mut room), [Track::Microphone, Track::ScreenAudio]);
    assert_eq!(film(&mut room, 3), NOTHING_SEEN);
    assert!(room.route(&heartbeat(1, true, true)).is_ok());
    assert_eq!(film(&mut room, 3), NOTHING_SEEN);
    room.commands();
    room.pass(1000);
    let back = room.level(fewer(2));
    assert_eq!(
        back,
        [
            "[1] keyframe of 1 CAMERA 0",
            "[2] keyframe of 2 CAMERA 0",
            "[3] keyframe of 3 SCREEN 0"
        ]
    );
}

const NOTHING_SEEN: [u64; 0] = [];

#[test]
fn a_call_of_two_keeps_its_video_until_a_third_one_comes() {
    let mut room = room(2);
    room.level(AudioOnly);
    assert_eq!(film(&mut room, 2), [1, 2]);
    let told = room.join(3, Dialect::Native);
    // What nobody would get needs no keyframe.
    assert!(
        !told.iter().any(|line| line.contains("keyframe")),
        "{told:?}"
    );
    assert_eq!(film(&mut room, 3), NOTHING_SEEN);
    room.pass(1000);
    assert_eq!(
        room.leave(3)[..2],
        [
            "forget 3".to_owned(),
            "[1] keyframe of 1 CAMERA 0".to_owned()
        ]
    );
    assert_eq!(film(&mut room, 2), [1, 2]);
}

#[test]
fn what_is_withheld_needs_no_keyframe() {
    let mut room = room(3);
    room.level(fewer(1));
    assert_eq!(room.ask(1, 3, Track::Camera), Ok(vec![]));
    assert_eq!(
        room.ask(2, 1, Track::Camera),
        Ok(vec!["[1] keyframe of 1 CAMERA 0".to_owned()])
    );
}

fn remote_frame(id: u64) -> Forward {
    from_relay(media(id, Track::Camera, 0, true).packet.to_bytes()).unwrap()
}

#[test]
fn members_of_other_relays_count_and_get_what_ours_do_not() {
    let mut room = room(2);
    remote_members(&mut room, &[8, 9]);
    room.pass(1000);
    for id in [8, 9] {
        assert_eq!(
            room.route_from_relay(&remote_frame(id)),
            Ok((vec![1, 2], false))
        );
    }
    for id in [1, 2] {
        room.route(&media(id, Track::Camera, 0, false)).unwrap();
    }
    room.level(fewer(3));
    assert_eq!(
        room.route_from_relay(&remote_frame(8)),
        Ok((vec![1, 2], false))
    );
    assert_eq!(
        room.route_from_relay(&remote_frame(9)),
        Err(DropReason::Overload)
    );
    let speech = from_relay(audio(9, 20).packet.to_bytes()).unwrap();
    assert_eq!(room.route_from_relay(&speech), Ok((vec![1, 2], false)));
    assert_eq!(room.commands(), ["bus keyframe of 9 CAMERA 0"]);
    assert_eq!(
        room.route_from_relay(&remote_frame(9)),
        Ok((vec![1, 2], false))
    );
    // The other relay has its own capacity: it gets what is withheld here, and may ask for keyframes of it.
    assert_eq!(
        room.route_from_relay(&remote_frame(8)),
        Err(DropReason::Overload)
    );
    room.level(AudioOnly);
    assert_eq!(
        room.route(&media(1, Track::Camera, 1, false)),
        Ok((vec![], true))
    );
    let wanted = layer(1, Track::Camera);
    assert_eq!(
        room.bus(messages::remote_keyframe_request(OTHER, wanted)),
        ["[1] keyframe of 1 CAMERA 0"]
    );
}

#[derive(Clone, Debug)]
enum Step {
    Level(usize),
    Frame(u64),
    Audio(u64, u8),
    Leave(u64),
    Join(u64),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let id = 1..12u64;
    prop_oneof![
        2 => (0..12usize).prop_map(Step::Level),
        12 => id.clone().prop_map(Step::Frame),
        6 => (id.clone(), 0..=127u8).prop_map(|(id, level)| Step::Audio(id, level)),
        1 => id.clone().prop_map(Step::Leave),
        2 => id.prop_map(Step::Join),
        4 => (0..4000u64).prop_map(Step::Wait),
    ]
}

proptest! {
    /// Audio always passes; nobody takes a place more often than speakers are judged; no more cameras than allowed pass.
    #[test]
    fn audio_is_never_dropped_and_cameras_are_never_too_many(steps in prop::collection::vec(step(), 1..150)) {
        let mut room = TestRoom::new(RoomPolicy::default());
        let mut present = std::collections::BTreeSet::new();
        let mut level = Normal;
        // Those whose frames pass at one moment.
        let mut passing = (Timestamp::ZERO, std::collections::BTreeSet::new());
        for step in steps {
            match step {
                Step::Level(number) => {
                    level = match number {
                        0 => Normal,
                        1 => NoNewRooms,
                        2 => AudioOnly,
                        last_n => fewer(last_n - 1),
                    };
                    room.level(level);
                    passing.1.clear();
                }
                Step::Frame(id) if present.contains(&id) => {
                    let passes = room.route(&media(id, Track::Camera, 0, false));
                    room.commands();
                    prop_assert!(matches!(passes, Ok(_) | Err(DropReason::Overload)));
                    if passing.0 != room.now() {
                        passing = (room.now(), std::collections::BTreeSet::new());
                    }
                    if passes.is_ok() {
                        passing.1.insert(id);
                    }
                    match level {
                        Normal | NoNewRooms => prop_assert!(passes.is_ok()),
                        Level::FewerVideos { last_n } => prop_assert!(passing.1.len() <= last_n),
                        AudioOnly => prop_assert_eq!(passes.is_ok(), present.len() <= 2),
                    }
                }
                Step::Audio(id, loudness) if present.contains(&id) => {
                    let (to, _) = room.route(&audio(id, loudness)).unwrap();
                    room.commands();
                    prop_assert_eq!(to.len(), present.len() - 1);
                    passing.1.clear();
                }
                Step::Leave(id) if present.remove(&id) => {
                    room.leave(id);
                    passing.1.clear();
                }
                Step::Join(id) if present.insert(id) => {
                    room.join(id, Dialect::Native);
                    passing.1.clear();
                }
                Step::Wait(millis) => {
                    room.pass(millis);
                }
                Step::Frame(_) | Step::Audio(..) | Step::Leave(_) | Step::Join(_) => {}
            }
        }
    }
}
