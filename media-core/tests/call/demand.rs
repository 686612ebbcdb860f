//! What others get of our tracks: what our encoders do, and when nothing is sent.

use media_core::Input;
use videocall_types::Track::{Camera, Microphone, Screen};

use crate::relay::{demand, keyframe_wanted, local};
use crate::rig::Rig;

const FULL: &str = "encode Camera 2:720p30 1500000";
const NOTHING: u32 = 0;

/// With a camera that sends.
fn publishing() -> Rig {
    let mut rig = Rig::connected();
    assert_eq!(rig.publish(Camera, true)[0], FULL);
    rig.encoded(Camera, true);
    rig
}

impl Rig {
    /// The camera's encoder of a layer made a frame.
    fn layer(&mut self, spatial_layer: u8, temporal_layer: u8, keyframe: bool) -> Vec<String> {
        let mut frame = local(Camera, keyframe, 0);
        (frame.spatial_layer, frame.temporal_layer) = (spatial_layer, temporal_layer);
        self.input(Input::FrameEncoded(frame))
    }
}

#[test]
fn the_layers_are_encoded_that_anybody_gets() {
    let mut rig = publishing();
    let mut shown = |layers| rig.receive(demand(&[(Camera, layers)]));
    assert_eq!(shown(0b001), ["encode Camera 0:180p15 150000"]);
    assert!(shown(0b001).is_empty());
    assert_eq!(
        shown(0b111),
        [
            "encode Camera 0:180p15 150000 1:360p30 500000 2:720p30 1500000",
            "force Camera 2"
        ],
        "an encoder that was in use before shall begin anew; a new one does by itself"
    );
    assert_eq!(shown(0b1000), [FULL], "the camera gives no more");
    rig.input(Input::PictureSize {
        track: Camera,
        height: 1080,
    });
    let mut shown = |layers| rig.receive(demand(&[(Camera, layers)]));
    assert_eq!(shown(0b1), ["encode Camera 0:180p15 150000"]);
    assert_eq!(shown(0b1000), ["encode Camera 3:1080p30 3000000"]);
}

#[test]
fn each_layer_begins_with_a_keyframe_and_counts_for_itself() {
    let mut rig = publishing();
    rig.receive(demand(&[(Camera, 0b101)]));
    assert!(rig.layer(0, 0, false).is_empty());
    assert!(rig.layer(1, 0, true).is_empty(), "nobody gets it");
    assert_eq!(
        rig.layer(0, 0, true),
        ["send 0 key Camera 0 of layer 0 on stream of Camera"]
    );
    assert_eq!(
        rig.layer(2, 0, false),
        ["send 0 delta Camera 1 of layer 2 on stream of Camera"]
    );
    assert_eq!(
        rig.layer(0, 0, false),
        ["send 0 delta Camera 1 of layer 0 on stream of Camera"]
    );
    assert_eq!(rig.receive(keyframe_wanted(Camera, 0)), ["force Camera 0"]);
    assert_eq!(
        rig.receive(keyframe_wanted(Camera, 3)),
        ["force Camera 2"],
        "what is sent in its place"
    );
}

#[test]
fn frames_say_what_they_refer_to() {
    let mut rig = publishing();
    let mut references = Vec::new();
    for temporal in [0, 2, 1, 2, 0, 2, 1, 2, 0] {
        let told = rig.layer(2, temporal, references.is_empty());
        references.push(told[0].clone());
    }
    let expected = [
        "key Camera 1",
        "delta Camera 2",
        "delta Camera 3 refers back 2",
        "delta Camera 4",
        "delta Camera 5 refers back 4",
        "delta Camera 6",
        "delta Camera 7 refers back 2",
        "delta Camera 8",
        "delta Camera 9 refers back 4",
    ];
    let expected = expected.map(|frame| format!("send 0 {frame} on stream of Camera"));
    assert_eq!(references, expected);
}

#[test]
fn a_camera_that_nobody_shows_rests_and_starts_again_with_a_keyframe() {
    let mut rig = publishing();
    assert_eq!(rig.receive(demand(&[(Camera, NOTHING)])), ["encode Camera"]);
    assert!(rig.receive(demand(&[(Camera, NOTHING)])).is_empty());
    assert!(rig.encoded(Camera, false).is_empty());
    assert!(rig.encoded(Camera, true).is_empty());
    assert!(rig.receive(keyframe_wanted(Camera, 2)).is_empty());
    assert!(rig.pass(4000).is_empty());

    let expected = [FULL, "force Camera 2"];
    assert_eq!(rig.receive(demand(&[(Camera, 0b100)])), expected);
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
    let wanted = || keyframe_wanted(Camera, 2);
    assert_eq!(rig.receive(wanted()), ["force Camera 2"]);
    assert!(rig.receive(wanted()).is_empty(), "too soon");
    rig.receive(demand(&[(Camera, NOTHING)]));
    assert!(rig.pass(1000).is_empty());
}

#[test]
fn a_screen_is_paused_or_small_for_thumbnails() {
    let mut rig = publishing();
    rig.publish(Screen, true);
    assert_eq!(
        rig.receive(demand(&[(Screen, 0b1)])),
        ["encode Screen 0:540p5 250000"]
    );
    assert_eq!(
        rig.receive(demand(&[(Camera, NOTHING), (Screen, NOTHING)])),
        ["encode Camera", "encode Screen"]
    );
    assert_eq!(
        rig.receive(demand(&[(Screen, 0b10)])),
        ["encode Screen 1:1080p30 3000000"]
    );
}

#[test]
fn what_is_demanded_while_a_track_is_off_counts_when_it_is_on() {
    let mut rig = publishing();
    rig.publish(Camera, false);
    assert!(rig.receive(demand(&[(Camera, 0b1)])).is_empty());
    assert_eq!(
        rig.publish(Camera, true)[0],
        "encode Camera 0:180p15 150000"
    );
    rig.publish(Camera, false);
    assert!(rig.receive(demand(&[(Camera, NOTHING)])).is_empty());
    assert_eq!(rig.publish(Camera, true)[0], "encode Camera");
    assert!(rig.encoded(Camera, true).is_empty());
    rig.publish(Camera, false);
    let told = rig.publish(Camera, true);
    assert!(told[0].contains("heartbeat"), "it still rests: {told:?}");

    assert!(rig.receive(demand(&[(Screen, NOTHING)])).is_empty());
    let told = rig.publish(Screen, true);
    assert!(told[0].contains("heartbeat"), "it never began: {told:?}");
}

#[test]
fn a_machine_that_is_too_slow_makes_smaller_pictures() {
    let mut rig = publishing();
    assert_eq!(
        rig.input(Input::EncodersTooSlow(Camera)),
        ["encode Camera 1:360p30 500000"]
    );
    assert_eq!(
        rig.input(Input::EncodersTooSlow(Camera)),
        ["encode Camera 0:180p15 150000"]
    );
    assert!(rig.input(Input::EncodersTooSlow(Camera)).is_empty());
    assert!(rig.receive(demand(&[(Camera, 0b1000)])).is_empty());
}

#[test]
fn sound_is_always_sent() {
    let mut rig = publishing();
    rig.publish(Microphone, true);
    assert!(rig.receive(demand(&[(Microphone, NOTHING)])).is_empty());
    assert_eq!(
        rig.encoded(Microphone, true),
        ["send 0 key Microphone 0 on datagram of Microphone"]
    );
}

#[test]
fn others_still_hear_that_the_camera_is_on() {
    let mut rig = publishing();
    rig.receive(demand(&[(Camera, NOTHING)]));
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
    rig.receive(demand(&[(Camera, 0b1), (Screen, NOTHING)]));
    rig.close(0, None);
    rig.pass(250);
    let told = rig.connect(1, 6);
    let expected = [
        "encode Screen 1:1080p30 3000000",
        FULL,
        "force Camera 2",
        "force Screen 1",
    ];
    let start = told
        .iter()
        .position(|command| command == expected[0])
        .unwrap();
    assert_eq!(told[start..], expected);
    assert_eq!(
        rig.encoded(Screen, true),
        ["send 1 key Screen 0 on stream of Screen"]
    );
}
