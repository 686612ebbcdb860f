//! What others send: who is there, which frames are decoded, whose keyframe is asked for.

use media_core::Input;
use videocall_types::Track::{Camera, Microphone, Screen};
use videocall_types::{Codec, SessionId, Track};

use crate::relay::{self, encoded, frame, frame_at, participant, presence};
use crate::rig::Rig;

const ADA: u64 = 2;

fn ada() -> SessionId {
    SessionId::new(ADA).unwrap()
}

impl Rig {
    /// Frames of Ada's camera arrive, all at once; `(sequence, keyframe)`.
    pub(crate) fn camera(&mut self, frames: &[(u64, bool)]) -> Vec<String> {
        frames
            .iter()
            .flat_map(|(sequence, key)| self.receive(frame_at(ADA, Camera, *sequence, *key, 0)))
            .collect()
    }

    pub(crate) fn shown(&mut self, track: Track) -> Vec<String> {
        self.input(Input::FrameShown {
            session: ada(),
            track,
        })
    }

    pub(crate) fn ada_publishes(&mut self, tracks: &[Track]) -> Vec<String> {
        self.receive(presence(false, vec![participant(ADA, "ada", tracks)], &[]))
    }
}

pub(crate) fn decoded(track: Track, frames: &[(u64, bool)]) -> Vec<String> {
    let kind = |key: bool| if key { "key" } else { "delta" };
    frames
        .iter()
        .map(|(sequence, key)| format!("decode 2 {track:?} {} {sequence}", kind(*key)))
        .collect()
}

pub(crate) const REQUEST: &str = "send 0 keyframe request 2 Camera on control";

#[test]
fn who_speaks_is_told_on() {
    let mut rig = Rig::connected();
    assert_eq!(
        rig.receive(relay::speakers(&[3, 0, 1])),
        ["speakers [3, 1]"],
        "0 is nobody"
    );
    assert_eq!(rig.receive(relay::speakers(&[])), ["speakers []"]);
    let many: Vec<u64> = (1..1000).collect();
    let told = rig.receive(relay::speakers(&many));
    assert_eq!(told, [format!("speakers {:?}", &many[..16])]);
}

#[test]
fn people_come_change_and_go() {
    let mut rig = Rig::connected();
    let both = vec![participant(2, "ada", &[Camera]), participant(3, "bob", &[])];
    assert_eq!(
        rig.receive(presence(true, both.clone(), &[])),
        ["participant 2 ada camera", "participant 3 bob"]
    );
    assert!(rig.receive(presence(true, both, &[])).is_empty());
    let muted = vec![participant(3, "bob", &[Microphone])];
    assert_eq!(
        rig.receive(presence(false, muted, &[2])),
        ["left 2", "participant 3 bob microphone"]
    );
    assert_eq!(rig.receive(presence(true, vec![], &[])), ["left 3"]);
}

#[test]
fn frames_in_order_are_decoded_on_arrival() {
    let mut rig = Rig::with_ada();
    assert_eq!(
        rig.camera(&[(0, true), (1, false), (2, false)]),
        decoded(Camera, &[(0, true), (1, false), (2, false)])
    );
}

#[test]
fn even_arrival_adds_no_delay() {
    let mut rig = Rig::with_ada();
    for sequence in 0..100 {
        let packet = frame_at(ADA, Camera, sequence, sequence == 0, sequence * 33_000);
        assert_eq!(
            rig.receive(packet),
            decoded(Camera, &[(sequence, sequence == 0)])
        );
        rig.shown(Camera);
        assert!(rig.pass(33).is_empty());
    }
}

#[test]
fn frames_that_overtook_others_wait_for_them() {
    let mut rig = Rig::with_ada();
    assert!(rig.camera(&[(2, false), (1, false)]).is_empty());
    assert_eq!(
        rig.camera(&[(0, true)]),
        decoded(Camera, &[(0, true), (1, false), (2, false)])
    );
    assert!(
        rig.camera(&[(1, false), (0, true)]).is_empty(),
        "duplicates"
    );
}

#[test]
fn a_keyframe_leaves_what_is_missing_behind() {
    let mut rig = Rig::with_ada();
    rig.camera(&[(0, true)]);
    assert!(rig.camera(&[(2, false)]).is_empty());
    assert_eq!(rig.camera(&[(5, true)]), decoded(Camera, &[(5, true)]));
    assert!(rig.camera(&[(1, false), (3, false)]).is_empty());
    assert_eq!(rig.camera(&[(6, false)]), decoded(Camera, &[(6, false)]));
}

#[test]
fn a_missing_frame_is_waited_for_and_then_a_keyframe_is_asked_for_again_and_again() {
    let mut rig = Rig::with_ada();
    rig.camera(&[(0, true), (2, false)]);
    assert_eq!(
        rig.camera(&[(1, false)]),
        decoded(Camera, &[(1, false), (2, false)])
    );
    rig.camera(&[(4, false)]);
    let asked = rig
        .pass_verbatim(1200)
        .into_iter()
        .filter(|(_, command)| command == REQUEST);
    assert_eq!(
        asked.map(|(at, _)| at).collect::<Vec<_>>(),
        [100, 600, 1100]
    );
    assert_eq!(rig.camera(&[(9, true)]), decoded(Camera, &[(9, true)]));
    rig.shown(Camera);
    assert!(rig.pass(2900).is_empty());
}

#[test]
fn a_late_frame_ends_the_wait_even_after_the_request() {
    let mut rig = Rig::with_ada();
    rig.camera(&[(0, true), (2, false), (3, false)]);
    assert_eq!(rig.pass(300), [REQUEST]);
    assert_eq!(
        rig.camera(&[(1, false)]),
        decoded(Camera, &[(1, false), (2, false), (3, false)])
    );
}

#[test]
fn nothing_is_decoded_before_a_keyframe() {
    let mut rig = Rig::with_ada();
    assert!(rig.camera(&[(7, false), (8, false)]).is_empty());
    assert_eq!(rig.pass(100), [REQUEST]);
    assert_eq!(rig.camera(&[(9, true)]), decoded(Camera, &[(9, true)]));
}

#[test]
fn a_camera_that_is_on_and_shows_nothing_is_asked_for_a_keyframe() {
    let mut rig = Rig::with_ada();
    let asked = rig
        .pass_verbatim(1500)
        .into_iter()
        .filter(|(_, command)| command == REQUEST);
    assert_eq!(asked.map(|(at, _)| at).collect::<Vec<_>>(), [1000, 1500]);
}

#[test]
fn a_sender_that_counts_anew_is_followed_at_its_keyframe() {
    for first in [10, 1 << 63, u64::MAX] {
        let mut rig = Rig::with_ada();
        rig.receive(frame_at(ADA, Camera, first, true, 9_000_000));
        let frames = [
            frame_at(ADA, Camera, 0, true, 9_033_333),
            frame_at(ADA, Camera, 1, false, 9_066_666),
        ];
        let commands: Vec<String> = frames
            .into_iter()
            .flat_map(|packet| rig.receive(packet))
            .collect();
        assert_eq!(
            commands,
            decoded(Camera, &[(0, true), (1, false)]),
            "{first}"
        );
    }
}

#[test]
fn a_sender_whose_numbers_and_clock_both_go_back_is_followed_after_a_moment() {
    let mut rig = Rig::with_ada();
    rig.receive(frame_at(ADA, Camera, 40, true, 9_000_000));
    for sequence in 0..20 {
        rig.receive(frame_at(
            ADA,
            Camera,
            sequence,
            sequence == 0,
            sequence * 33_333,
        ));
    }
    assert_eq!(rig.pass(100), [REQUEST]);
    assert_eq!(
        rig.receive(frame_at(ADA, Camera, 20, true, 700_000)),
        decoded(Camera, &[(20, true)])
    );
}

#[test]
fn a_jump_ahead_is_followed_at_its_keyframe() {
    let mut rig = Rig::with_ada();
    rig.camera(&[(0, true)]);
    assert!(rig.camera(&[(1 << 63, false)]).is_empty());
    assert_eq!(rig.camera(&[(1, false)]), decoded(Camera, &[(1, false)]));
    assert_eq!(
        rig.camera(&[((1 << 63) + 1, true)]),
        decoded(Camera, &[((1 << 63) + 1, true)])
    );
}

#[test]
fn another_codec_starts_at_a_keyframe() {
    let mut rig = Rig::with_ada();
    rig.camera(&[(0, true)]);
    assert_eq!(
        rig.receive(encoded(ADA, Camera, Codec::Vp8, 1, false, 33_333)),
        [REQUEST]
    );
    let commands = rig.receive(encoded(ADA, Camera, Codec::Vp8, 2, true, 66_666));
    assert_eq!(commands, decoded(Camera, &[(2, true)]));
}

#[test]
fn a_failed_decoder_starts_again_and_nobody_else_notices() {
    let mut rig = Rig::with_ada();
    rig.ada_publishes(&[Camera, Screen]);
    rig.camera(&[(0, true)]);
    rig.receive(frame(ADA, Screen, 0, true));
    assert_eq!(rig.shown(Camera), ["picture 2 Camera shown"]);
    let failed = Input::DecoderFailed {
        session: ada(),
        track: Camera,
    };
    assert_eq!(
        rig.input(failed.clone()),
        ["restart decoder 2 Camera", REQUEST]
    );
    assert!(rig.input(failed).is_empty(), "once per decoder");
    assert!(rig.camera(&[(1, false), (2, false)]).is_empty());
    assert_eq!(
        rig.receive(frame(ADA, Screen, 1, false)),
        decoded(Screen, &[(1, false)])
    );
    assert!(rig.shown(Camera).is_empty(), "of the decoder that failed");
    assert_eq!(rig.camera(&[(3, true)]), decoded(Camera, &[(3, true)]));
    assert!(rig.shown(Camera).is_empty(), "it was there all the time");
}

#[test]
fn a_picture_is_there_from_its_first_frame_until_the_camera_is_switched_off() {
    let mut rig = Rig::with_ada();
    assert!(rig.shown(Camera).is_empty(), "nothing was decoded");
    rig.camera(&[(0, true)]);
    assert_eq!(rig.shown(Camera), ["picture 2 Camera shown"]);
    assert!(rig.shown(Camera).is_empty());
    let expected = [
        "participant 2 ada microphone",
        "close decoder 2 Camera",
        "picture 2 Camera gone",
    ];
    assert_eq!(rig.ada_publishes(&[Microphone]), expected);
    assert!(
        rig.shown(Camera).is_empty(),
        "the last frame of the closed decoder"
    );
    assert!(
        rig.camera(&[(1, false), (2, false)]).is_empty(),
        "on their way when it was switched off"
    );
    assert!(rig.pass(2000).is_empty());
    assert_eq!(
        rig.ada_publishes(&[Microphone, Camera]),
        ["participant 2 ada camera microphone"]
    );
    assert_eq!(
        rig.camera(&[(0, true)]),
        decoded(Camera, &[(0, true)]),
        "its numbers may start anew"
    );
}

#[test]
fn who_leaves_takes_decoders_and_pictures_along() {
    let mut rig = Rig::with_ada();
    rig.camera(&[(0, true)]);
    rig.receive(frame(ADA, Microphone, 0, true));
    rig.shown(Camera);
    let expected = [
        "close decoder 2 Camera",
        "picture 2 Camera gone",
        "close decoder 2 Microphone",
        "left 2",
    ];
    assert_eq!(rig.receive(presence(false, vec![], &[ADA])), expected);
    assert!(rig.camera(&[(1, true)]).is_empty(), "was on its way");
    assert!(rig.pass(4000).is_empty());
}

#[test]
fn frames_that_overtook_the_name_of_their_sender_wait_for_it() {
    let mut rig = Rig::connected();
    assert!(rig.camera(&[(0, true), (1, false)]).is_empty());
    assert!(rig.receive(frame(3, Camera, 0, true)).is_empty());
    let mut expected = vec!["participant 2 ada camera".to_owned()];
    expected.extend(decoded(Camera, &[(0, true), (1, false)]));
    assert_eq!(rig.ada_publishes(&[Camera]), expected);
    rig.pass(2001);
    let bob = presence(false, vec![participant(3, "bob", &[])], &[]);
    assert_eq!(
        rig.receive(bob),
        ["participant 3 bob"],
        "what waited too long is of no use"
    );
}

#[test]
fn sound_goes_straight_to_playout() {
    let mut rig = Rig::with_ada();
    let mut heard = Vec::new();
    for sequence in [0, 1, 3, 2, 2, 60, 5, 61] {
        heard.extend(rig.receive(frame(ADA, Microphone, sequence, true)));
    }
    let expected = [0, 1, 3, 2, 60, 61].map(|sequence| (sequence, true));
    assert_eq!(heard, decoded(Microphone, &expected));
}

#[test]
fn pictures_outlive_a_short_loss_of_the_connection() {
    let mut rig = Rig::with_ada();
    rig.camera(&[(0, true), (1, false)]);
    rig.shown(Camera);
    rig.close(0, None);
    assert_eq!(rig.pass(250), ["attempt 1", "open 1 WebSocket"]);
    rig.connect(1, 8);
    let same = presence(
        true,
        vec![participant(ADA, "ada", &[Camera, Microphone])],
        &[],
    );
    assert!(rig.receive_on(1, same).is_empty());
    assert!(rig.receive_on(1, frame(ADA, Camera, 40, false)).is_empty());
    assert_eq!(
        rig.receive_on(1, frame(ADA, Camera, 41, true)),
        decoded(Camera, &[(41, true)])
    );
    assert!(rig.shown(Camera).is_empty(), "it was there all the time");
}

#[test]
fn our_own_old_session_is_nobody() {
    let mut rig = Rig::connected();
    rig.close(0, None);
    rig.pass(250);
    rig.connect(1, 8);
    let room = presence(
        true,
        vec![participant(1, "me", &[Camera]), participant(8, "me", &[])],
        &[],
    );
    assert!(rig.receive_on(1, room).is_empty());
    assert!(rig.receive_on(1, frame(1, Camera, 0, true)).is_empty());
}

#[test]
fn uneven_arrival_is_evened_out_by_a_short_delay() {
    let mut rig = Rig::with_ada();
    let mut arrivals = Vec::new();
    for sequence in 0..150_u64 {
        let delay = if sequence % 2 == 0 { 0 } else { 30 };
        arrivals.push((sequence * 40 + delay, sequence));
    }
    let mut shown_at = Vec::new();
    let mut clock = 0;
    for (at, sequence) in arrivals {
        let due = rig
            .pass_verbatim(at - clock)
            .into_iter()
            .filter(|(_, command)| command.starts_with("decode"));
        shown_at.extend(due.map(|(after, _)| clock + after));
        clock = at;
        let packet = frame_at(ADA, Camera, sequence, sequence == 0, sequence * 40_000);
        shown_at.extend(rig.receive(packet).iter().map(|_| clock));
        rig.shown(Camera);
    }
    let late = &shown_at[100..140];
    let gaps: Vec<u64> = late.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| (36..=44).contains(gap)), "{gaps:?}");
}

#[test]
fn numbers_come_once_a_second() {
    use media_core::{Command, event::Event};
    let mut rig = Rig::with_ada();
    rig.camera(&[(0, true), (1, false), (4, true)]);
    rig.receive(frame(ADA, Microphone, 0, true));
    let probe = rig.probe.take().unwrap().to_bytes();
    rig.now = rig.now + std::time::Duration::from_millis(24);
    rig.receive(probe);
    rig.now = rig.now + std::time::Duration::from_millis(976);
    rig.call.handle_timeout(rig.now);
    let mut stats = None;
    while let Some(command) = rig.call.poll_command() {
        if let Command::Emit(Event::Stats(numbers)) = command {
            stats = Some(numbers);
        }
    }
    let stats = stats.unwrap();
    assert_eq!(stats.rtt_ms, Some(24.0));
    assert!(stats.interval_ms >= 1000.0);
    assert!(stats.sent_bps > 0 && stats.received_bps > 0);
    let tracks: Vec<_> = stats
        .tracks
        .iter()
        .map(|t| (t.session, t.track, t.frames, t.drops.lost, t.bps))
        .collect();
    assert_eq!(
        tracks,
        [
            (ada(), Camera, 3, 2, 3 * 5 * 8),
            (ada(), Microphone, 1, 0, 5 * 8)
        ]
    );
}

#[test]
fn a_relay_that_does_not_say_the_codec_leaves_it_to_the_frame() {
    use bytes::Bytes;
    use protobuf::Message as _;
    use videocall_types::proto::media_packet::media_packet::MediaType;
    use videocall_types::proto::media_packet::{MediaPacket, VideoCodec};
    use videocall_types::{Packet, Routing};
    let mut rig = Rig::with_ada();
    let routing = Routing::new(Camera, 0, true);
    let mut media = MediaPacket::new();
    media.media_type = MediaType::VIDEO.into();
    media.data = Bytes::from_static(b"chunk");
    let packet = |media: &MediaPacket| {
        Packet::media(
            b"ada",
            Some(ada()),
            &routing,
            media.write_to_bytes().unwrap().into(),
        )
        .to_bytes()
    };
    assert!(rig.receive(packet(&media)).is_empty(), "no decoder fits");
    media.video_metadata.mut_or_insert_default().codec = VideoCodec::VP8.into();
    assert_eq!(rig.receive(packet(&media)), decoded(Camera, &[(0, true)]));
}

#[test]
fn what_is_not_for_clients_is_left_alone() {
    let mut rig = Rig::with_ada();
    assert!(
        rig.receive(relay::keyframe_wanted(Camera, 2)).is_empty(),
        "the camera is off"
    );
    assert!(rig.receive(relay::assigned(77)).is_empty());
    assert!(
        rig.receive(bytes::Bytes::from_static(b"\xff\xff"))
            .is_empty()
    );
    assert!(rig.receive(bytes::Bytes::new()).is_empty());
}
