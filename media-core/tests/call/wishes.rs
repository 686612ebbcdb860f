//! What the page shows: what the relay is told, and what happens to tracks that are not shown.

use media_core::Input;
use media_core::command::Command;
use media_core::event::Event;
use videocall_types::Track::{Camera, Microphone, Screen};
use videocall_types::limits::MAX_WISHES;
use videocall_types::wishes::FULL_HEIGHT;
use videocall_types::{SessionId, Track, Wishes};

use crate::receiving::{REQUEST, decoded};
use crate::relay::{frame, participant, presence};
use crate::rig::{Rig, config};

const ADA: u64 = 2;

fn shows(shown: &[(u64, Track, u32)], others: bool) -> Input {
    let shown = shown
        .iter()
        .map(|(session, track, height)| ((SessionId::new(*session).unwrap(), *track), *height))
        .collect();
    Input::Wishes(Wishes { shown, others })
}

fn nothing() -> Input {
    Input::Wishes(Wishes::nothing())
}

#[test]
fn the_relay_is_told_in_steps_and_only_what_changes() {
    let mut rig = Rig::connected();
    let heights = [(2, Camera, 1), (3, Camera, 181), (4, Camera, 721)];
    assert_eq!(
        rig.input(shows(&heights, false)),
        ["send 0 wishes 2 Camera 180 3 Camera 360 4 Camera 1080 on control"]
    );
    let resized = [(2, Camera, 180), (3, Camera, 360), (4, Camera, 1080)];
    assert!(rig.input(shows(&resized, false)).is_empty());
    assert_eq!(
        rig.input(shows(&[(2, Screen, FULL_HEIGHT)], true)),
        ["send 0 wishes 2 Screen full others on control"]
    );
    assert_eq!(rig.input(nothing()), ["send 0 wishes on control"]);
    assert!(rig.input(nothing()).is_empty());
}

#[test]
fn every_connection_is_told_again() {
    let mut rig = Rig::new(config());
    assert!(rig.input(shows(&[(2, Camera, 300)], true)).is_empty());
    rig.input(Input::Join);
    let expected = [
        "connected WebTransport as 4",
        "send 0 wishes 2 Camera 360 others on control",
        "send 0 probe on control",
        "send 0 heartbeat on control",
    ];
    assert_eq!(rig.connect(0, 4), expected);
    rig.close(0, None);
    assert!(
        rig.input(nothing()).is_empty(),
        "nobody is there to be told"
    );
    rig.pass(250);
    assert_eq!(rig.connect(1, 5)[1], "send 1 wishes on control");
}

#[test]
fn a_page_that_has_said_nothing_gets_everything() {
    let mut rig = Rig::with_ada();
    assert_eq!(rig.camera(&[(0, true)]), decoded(Camera, &[(0, true)]));
    rig.close(0, None);
    rig.pass(250);
    let told = rig.connect(1, 5);
    assert!(
        !told.iter().any(|command| command.contains("wishes")),
        "{told:?}"
    );
}

#[test]
fn the_largest_are_told_when_there_are_too_many() {
    let mut rig = Rig::connected();
    let many: Vec<_> = (2..100)
        .map(|n| (n, Camera, if n < 50 { 100 } else { 700 }))
        .collect();
    let told = rig.input(shows(&many, false)).remove(0);
    assert_eq!(told.matches("Camera").count(), MAX_WISHES);
    assert_eq!(told.matches("Camera 720").count(), 50);
}

#[test]
fn sound_is_no_matter_of_wishes() {
    let mut rig = Rig::with_ada();
    assert_eq!(
        rig.input(shows(&[(ADA, Microphone, 9)], false)),
        ["send 0 wishes on control"]
    );
    assert_eq!(
        rig.receive(frame(ADA, Microphone, 0, true)),
        decoded(Microphone, &[(0, true)])
    );
}

#[test]
fn a_track_that_is_not_shown_rests_until_it_is_shown_again() {
    let mut rig = Rig::with_ada();
    rig.camera(&[(0, true), (1, false)]);
    rig.shown(Camera);
    let expected = [
        "send 0 wishes on control",
        "close decoder 2 Camera",
        "picture 2 Camera gone",
    ];
    assert_eq!(rig.input(nothing()), expected);
    assert!(
        rig.camera(&[(2, false), (3, true)]).is_empty(),
        "they were under way"
    );
    assert!(rig.shown(Camera).is_empty(), "so was a picture");
    assert!(rig.pass(4000).is_empty(), "nobody is asked for anything");

    assert_eq!(
        rig.input(shows(&[(ADA, Camera, 180)], false)),
        ["send 0 wishes 2 Camera 180 on control"]
    );
    assert_eq!(
        rig.camera(&[(90, true), (91, false)]),
        decoded(Camera, &[(90, true), (91, false)])
    );
    assert_eq!(rig.shown(Camera), ["picture 2 Camera shown"]);
}

#[test]
fn a_track_that_is_shown_again_and_does_not_come_is_asked_for() {
    let mut rig = Rig::with_ada();
    rig.input(nothing());
    rig.pass(3000);
    rig.input(shows(&[], true));
    let asked = rig
        .pass_verbatim(1000)
        .into_iter()
        .filter(|(_, command)| command == REQUEST);
    assert_eq!(asked.map(|(at, _)| at).collect::<Vec<_>>(), [1000]);
}

#[test]
fn who_is_not_shown_is_not_asked_for_whatever_becomes_of_them() {
    let mut rig = Rig::connected();
    rig.input(nothing());
    rig.receive(frame(ADA, Camera, 0, true));
    let ada = participant(ADA, "ada", &[Camera]);
    assert_eq!(
        rig.receive(presence(true, vec![ada.clone()], &[])),
        ["participant 2 ada camera"]
    );
    assert!(rig.pass(3000).is_empty());
    rig.close(0, None);
    rig.pass(250);
    rig.connect(1, 5);
    rig.receive_on(1, presence(true, vec![ada], &[]));
    assert!(rig.pass(3000).is_empty());
}

#[test]
fn another_size_of_a_picture_is_no_interruption() {
    let mut rig = Rig::with_ada();
    rig.input(shows(&[(ADA, Camera, 180)], true));
    rig.camera(&[(0, true)]);
    assert_eq!(
        rig.input(shows(&[(ADA, Camera, 700)], true)),
        ["send 0 wishes 2 Camera 720 others on control"]
    );
    assert_eq!(rig.camera(&[(1, false)]), decoded(Camera, &[(1, false)]));
}

#[test]
fn frames_that_nobody_wanted_are_not_lost() {
    let mut rig = Rig::with_ada();
    rig.camera(&[(0, true), (1, false)]);
    rig.input(nothing());
    rig.camera(&[(2, false)]);
    rig.input(shows(&[], true));
    rig.camera(&[(70, true)]);
    rig.now = rig.now + std::time::Duration::from_secs(1);
    rig.call.handle_timeout(rig.now);
    let mut tracks = Vec::new();
    while let Some(command) = rig.call.poll_command() {
        if let Command::Emit(Event::Stats(stats)) = command {
            tracks.extend(
                stats
                    .tracks
                    .iter()
                    .map(|t| (t.track, t.frames, t.drops.lost)),
            );
        }
    }
    assert_eq!(tracks, [(Camera, 3, 0)]);
}
