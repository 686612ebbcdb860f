//! What others show of our tracks: what our encoders do, and when nothing is sent.

use media_core::Input;
use videocall_types::Track::{Camera, Microphone, Screen};
use videocall_types::wishes::FULL_HEIGHT;

use crate::relay::{demand, keyframe_wanted};
use crate::rig::Rig;

const FULL: &str = "encode Camera 720p30 1500000";

/// With a camera that sends.
fn publishing() -> Rig {
    let mut rig = Rig::connected();
    assert_eq!(rig.publish(Camera, true)[0], FULL);
    rig.encoded(Camera, true);
    rig
}

#[test]
fn a_camera_is_encoded_as_large_as_it_is_shown() {
    let mut rig = publishing();
    let mut shown = |height| rig.receive(demand(&[(Camera, Some(height))]));
    assert_eq!(shown(180), ["encode Camera 180p15 150000"]);
    assert!(shown(90).is_empty(), "there is nothing smaller");
    assert_eq!(shown(360), ["encode Camera 360p30 500000"]);
    assert_eq!(shown(720), [FULL]);
    assert!(shown(FULL_HEIGHT).is_empty(), "there is nothing larger");
    assert_eq!(
        rig.encoded(Camera, false),
        ["send 0 delta Camera 1 on stream of Camera"],
        "whether a new size needs a keyframe is the encoder's business"
    );
}

#[test]
fn a_camera_that_nobody_shows_rests_and_starts_again_with_a_keyframe() {
    let mut rig = publishing();
    assert_eq!(rig.receive(demand(&[(Camera, None)])), ["pause Camera"]);
    assert!(rig.receive(demand(&[(Camera, None)])).is_empty());
    assert!(rig.encoded(Camera, false).is_empty());
    assert!(rig.encoded(Camera, true).is_empty());
    assert!(rig.receive(keyframe_wanted("me", "VIDEO")).is_empty());
    assert!(rig.pass(4000).is_empty());

    let expected = ["encode Camera 360p30 500000", "force Camera"];
    assert_eq!(rig.receive(demand(&[(Camera, Some(300))])), expected);
    assert!(
        rig.encoded(Camera, false).is_empty(),
        "refers to what was not sent"
    );
    assert_eq!(
        rig.encoded(Camera, true),
        ["send 0 key Camera 1 on stream of Camera"]
    );
}

#[test]
fn a_keyframe_that_was_wanted_before_a_pause_is_not_made_in_it() {
    let mut rig = publishing();
    let wanted = || keyframe_wanted("me", "VIDEO");
    assert_eq!(rig.receive(wanted()), ["force Camera"]);
    assert!(rig.receive(wanted()).is_empty(), "too soon");
    rig.receive(demand(&[(Camera, None)]));
    assert!(rig.pass(1000).is_empty());
}

#[test]
fn a_screen_is_paused_but_never_scaled() {
    let mut rig = publishing();
    rig.publish(Screen, true);
    assert!(rig.receive(demand(&[(Screen, Some(180))])).is_empty());
    assert_eq!(
        rig.receive(demand(&[(Camera, None), (Screen, None)])),
        ["pause Camera", "pause Screen"]
    );
    assert_eq!(
        rig.receive(demand(&[(Screen, Some(180))])),
        ["encode Screen 1080p15 2000000", "force Screen"]
    );
}

#[test]
fn what_is_demanded_while_a_track_is_off_counts_when_it_is_on() {
    let mut rig = publishing();
    rig.publish(Camera, false);
    assert!(rig.receive(demand(&[(Camera, Some(180))])).is_empty());
    assert_eq!(rig.publish(Camera, true)[0], "encode Camera 180p15 150000");
    rig.publish(Camera, false);
    assert!(rig.receive(demand(&[(Camera, None)])).is_empty());
    assert_eq!(rig.publish(Camera, true)[0], "pause Camera");
    assert!(rig.encoded(Camera, true).is_empty());
    rig.publish(Camera, false);
    let told = rig.publish(Camera, true);
    assert!(told[0].contains("heartbeat"), "it still rests: {told:?}");

    assert!(rig.receive(demand(&[(Screen, None)])).is_empty());
    let told = rig.publish(Screen, true);
    assert!(told[0].contains("heartbeat"), "it never began: {told:?}");
}

#[test]
fn sound_is_always_sent() {
    let mut rig = publishing();
    rig.publish(Microphone, true);
    assert!(rig.receive(demand(&[(Microphone, None)])).is_empty());
    assert_eq!(
        rig.encoded(Microphone, true),
        ["send 0 key Microphone 0 on datagram of Microphone"]
    );
}

#[test]
fn others_still_hear_that_the_camera_is_on() {
    let mut rig = publishing();
    rig.receive(demand(&[(Camera, None)]));
    let beats = rig.input(Input::Speaking(false));
    assert!(beats.is_empty(), "nothing has changed for them");
    let beats = rig.pass_verbatim(2000);
    assert!(
        beats
            .iter()
            .any(|(_, command)| command.contains("heartbeat camera"))
    );
}

#[test]
fn a_new_connection_begins_with_everything() {
    let mut rig = publishing();
    rig.publish(Screen, true);
    rig.receive(demand(&[(Camera, Some(180)), (Screen, None)]));
    rig.close(0, None);
    rig.pass(250);
    let told = rig.connect(1, 6);
    let start = told.iter().position(|command| command == FULL).unwrap();
    let expected = [
        FULL,
        "force Camera",
        "encode Screen 1080p15 2000000",
        "force Screen",
    ];
    assert_eq!(told[start..], expected);
    assert_eq!(
        rig.encoded(Screen, true),
        ["send 1 key Screen 0 on stream of Screen"]
    );
}
