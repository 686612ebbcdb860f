//! What we send.

use std::time::Duration;

use media_core::Input;
use videocall_types::Track::{Camera, Microphone, Screen, ScreenAudio};
use videocall_types::limits::MAX_PACKET_BYTES;
use videocall_types::{CloseCode, Track};

use crate::relay::{keyframe_wanted, local};
use crate::rig::{Rig, config};

impl Rig {
    pub(crate) fn publish(&mut self, track: Track, on: bool) -> Vec<String> {
        self.input(Input::Publishing { track, on })
    }

    pub(crate) fn encoded(&mut self, track: Track, keyframe: bool) -> Vec<String> {
        self.input(Input::FrameEncoded(local(track, keyframe, 0)))
    }
}

#[test]
fn others_are_told_at_once_and_every_second() {
    let mut rig = Rig::connected();
    rig.pass_verbatim(300);
    let expected = [
        "encode Camera 2:720p30 1500000",
        "send 0 heartbeat camera on control",
    ];
    assert_eq!(rig.publish(Camera, true), expected);
    assert!(rig.publish(Camera, true).is_empty());
    assert_eq!(
        rig.publish(Microphone, true),
        ["send 0 heartbeat camera microphone on control"]
    );
    assert_eq!(
        rig.input(Input::Speaking(true)),
        ["send 0 heartbeat camera microphone speaking on control"]
    );
    assert!(rig.input(Input::Speaking(true)).is_empty());
    let beats = rig
        .pass_verbatim(3000)
        .into_iter()
        .filter(|(_, command)| command.contains("heartbeat"));
    assert_eq!(
        beats.map(|(at, _)| at).collect::<Vec<_>>(),
        [1000, 2000, 3000]
    );
    assert_eq!(
        rig.publish(Microphone, false),
        ["send 0 heartbeat camera on control"],
        "silent people do not speak"
    );
    let expected = [
        "encode Screen 1:1080p30 3000000",
        "send 0 heartbeat camera screen on control",
    ];
    assert_eq!(rig.publish(Screen, true), expected);
    assert!(rig.publish(ScreenAudio, true).is_empty());
    assert_eq!(
        rig.publish(Camera, false),
        ["send 0 heartbeat screen on control"]
    );
}

#[test]
fn what_was_switched_on_before_joining_is_told_on_joining() {
    let mut rig = Rig::new(config());
    assert_eq!(
        rig.publish(Camera, true),
        ["encode Camera 2:720p30 1500000"]
    );
    assert!(rig.encoded(Camera, true).is_empty());
    rig.input(Input::Join);
    let expected = [
        "connected WebTransport as 4",
        "send 0 probe on control",
        "send 0 heartbeat camera on control",
        "force Camera 2",
    ];
    assert_eq!(rig.connect(0, 4), expected);
    assert!(
        rig.encoded(Camera, false).is_empty(),
        "of no use to anybody"
    );
    assert_eq!(
        rig.encoded(Camera, true),
        ["send 0 key Camera 0 on stream of Camera"]
    );
    assert_eq!(
        rig.encoded(Camera, false),
        ["send 0 delta Camera 1 on stream of Camera"]
    );
}

#[test]
fn numbers_go_on_when_a_track_is_switched_off_and_on() {
    let mut rig = Rig::connected();
    rig.publish(Camera, true);
    rig.encoded(Camera, true);
    rig.publish(Camera, false);
    assert!(
        rig.encoded(Camera, false).is_empty(),
        "came out of the encoder too late"
    );
    rig.publish(Camera, true);
    assert!(rig.encoded(Camera, false).is_empty());
    assert_eq!(
        rig.encoded(Camera, true),
        ["send 0 key Camera 1 on stream of Camera"]
    );
}

#[test]
fn every_connection_starts_with_a_keyframe_and_number_zero() {
    let mut rig = Rig::connected();
    rig.publish(Camera, true);
    rig.publish(Microphone, true);
    rig.encoded(Camera, true);
    rig.close(0, Some(CloseCode::Draining.code()));
    assert!(rig.encoded(Camera, false).is_empty());
    assert_eq!(rig.pass(250), ["attempt 1", "open 1 WebSocket"]);
    assert_eq!(rig.connect(1, 6).last().unwrap(), "force Camera 2");
    assert!(rig.encoded(Camera, false).is_empty());
    assert_eq!(
        rig.encoded(Camera, true),
        ["send 1 key Camera 0 on stream of Camera"]
    );
    assert_eq!(
        rig.encoded(Microphone, true),
        ["send 1 key Microphone 0 on datagram of Microphone"]
    );
}

#[test]
fn sound_of_a_screen_is_a_track_of_its_own() {
    let mut rig = Rig::connected();
    rig.publish(ScreenAudio, true);
    assert_eq!(
        rig.encoded(ScreenAudio, true),
        ["send 0 key ScreenAudio 0 on datagram of ScreenAudio"]
    );
}

#[test]
fn keyframes_are_made_on_request_but_not_more_often_than_five_times_a_second() {
    let mut rig = Rig::connected();
    rig.publish(Camera, true);
    rig.encoded(Camera, true);
    let wanted = || keyframe_wanted(Camera, 2);
    assert_eq!(rig.receive(wanted()), ["force Camera 2"]);
    assert!(rig.receive(wanted()).is_empty());
    assert_eq!(
        rig.pass_verbatim(200),
        [(200, "force Camera 2".to_owned())],
        "a wish is not lost"
    );
    assert!(rig.receive(wanted()).is_empty());
    rig.encoded(Camera, true);
    assert!(rig.pass(400).is_empty(), "it was fulfilled meanwhile");
    assert_eq!(rig.receive(wanted()), ["force Camera 2"]);
    assert!(
        rig.receive(keyframe_wanted(Screen, 1)).is_empty(),
        "not published"
    );
    assert!(rig.receive(keyframe_wanted(Microphone, 0)).is_empty());
}

#[test]
fn a_frame_that_no_relay_takes_is_not_sent() {
    let mut rig = Rig::connected();
    rig.publish(Camera, true);
    rig.encoded(Camera, true);
    rig.now = rig.now + Duration::from_secs(1);
    let mut huge = local(Camera, false, 0);
    huge.data = vec![0; MAX_PACKET_BYTES].into();
    assert_eq!(rig.input(Input::FrameEncoded(huge)), ["force Camera 2"]);
    assert!(rig.encoded(Camera, false).is_empty());
    assert_eq!(
        rig.encoded(Camera, true),
        ["send 0 key Camera 1 on stream of Camera"]
    );
}
