//! What people are told of pictures that do not move: bad frames, lost frames, connections that stall.

use media_core::{Command, Input, event::Drops, event::Event};
use videocall_types::Track::{Camera, Microphone, Screen};
use videocall_types::report::Report;
use videocall_types::{Codec, Routing, SessionId, Track};

use crate::receiving::{REQUEST, decoded};
use crate::relay::{frame, frame_at, participant, presence, routed};
use crate::rig::Rig;

const FRAME_MS: u64 = 100;

fn person(raw: u64) -> SessionId {
    SessionId::new(raw).unwrap()
}

/// A camera that plays by the rules, ten frames a second.
struct Camera10 {
    session: u64,
    next: u64,
}

impl Camera10 {
    const fn new(session: u64) -> Self {
        Self { session, next: 0 }
    }

    /// A frame arrives and is shown; what else happens until the next one.
    fn frame(&mut self, rig: &mut Rig, keyframe: bool) -> Vec<String> {
        let mut news = self.arrives(rig, keyframe);
        let (session, track) = (person(self.session), Camera);
        news.extend(rig.input(Input::FrameShown { session, track }));
        news.extend(quiet(rig.pass(FRAME_MS)));
        news
    }

    fn arrives(&mut self, rig: &mut Rig, keyframe: bool) -> Vec<String> {
        let at = self.next * FRAME_MS * 1000;
        let packet = frame_at(self.session, Camera, self.next, keyframe, at);
        self.next += 1;
        quiet(rig.receive(packet))
    }
}

/// The relay answers probes; what is decoded is no news.
fn quiet(mut commands: Vec<String>) -> Vec<String> {
    commands.retain(|command| !command.starts_with("decode"));
    commands
}

fn failed(session: u64, track: Track) -> Input {
    Input::DecoderFailed {
        session: person(session),
        track,
    }
}

/// Ada's camera moves.
fn moving() -> (Rig, Camera10) {
    let mut rig = Rig::with_ada();
    let mut ada = Camera10::new(2);
    assert_eq!(ada.frame(&mut rig, true), ["picture 2 Camera shown"]);
    for _ in 0..15 {
        assert!(ada.frame(&mut rig, false).is_empty());
    }
    (rig, ada)
}

/// The relay lives: sound of Ada comes for so long. What the page is told meanwhile.
fn only_sound(rig: &mut Rig, ms: u64) -> Vec<String> {
    let mut news = Vec::new();
    for _ in 0..ms / 20 {
        let sequence = rig.now.as_micros() / 20_000;
        rig.receive(frame(2, Microphone, sequence, true));
        news.extend(rig.pass(20));
    }
    news.retain(|command| command.starts_with("picture"));
    news
}

fn drops(rig: &mut Rig) -> Drops {
    let mut sum = Drops::default();
    let end = rig.now + std::time::Duration::from_secs(1);
    while let Some(at) = rig.call.poll_timeout().filter(|at| *at <= end) {
        rig.now = rig.now.max(at);
        rig.call.handle_timeout(rig.now);
        while let Some(command) = rig.call.poll_command() {
            if let Command::Emit(Event::Stats(stats)) = command {
                let camera = stats.tracks.iter().find(|track| track.track == Camera);
                sum = camera.unwrap().drops;
            }
        }
    }
    sum
}

#[test]
fn one_bad_frame_is_healed_by_a_keyframe_without_a_word() {
    let (mut rig, mut ada) = moving();
    assert_eq!(
        rig.input(failed(2, Camera)),
        ["restart decoder 2 Camera", REQUEST]
    );
    for keyframe in [false, false, true, false] {
        ada.frame(&mut rig, keyframe);
    }
    for _ in 0..30 {
        assert!(ada.frame(&mut rig, false).is_empty());
    }
}

#[test]
fn a_decoder_that_fails_again_and_again_is_told_of_and_asks_twice_a_second() {
    let (mut rig, mut ada) = moving();
    let mut told = Vec::new();
    let mut requests = 0;
    for _ in 0..50 {
        // Nothing but keyframes, and none can be decoded.
        let mut news = ada.arrives(&mut rig, true);
        news.extend(rig.input(failed(2, Camera)));
        news.extend(quiet(rig.pass(FRAME_MS)));
        requests += news.iter().filter(|command| *command == REQUEST).count();
        told.extend(news.into_iter().filter(|news| news.starts_with("picture")));
    }
    assert_eq!(told, ["picture 2 Camera shown, Undecodable"], "once");
    assert_eq!(requests, 11, "from 0 to 5 s");

    let mut healed = ada.frame(&mut rig, true);
    for _ in 0..9 {
        healed.extend(ada.frame(&mut rig, false));
    }
    assert!(healed.is_empty(), "not at once: {healed:?}");
    assert_eq!(ada.frame(&mut rig, false), ["picture 2 Camera shown"]);
}

#[test]
fn frames_that_no_decoder_can_take_are_told_of_and_a_keyframe_heals() {
    let mut rig = Rig::with_ada();
    let mut told = Vec::new();
    for sequence in 0..30 {
        let codec = (sequence % 2 == 0).then_some(Codec::Opus);
        let routing = Routing {
            codec,
            ..Routing::new(Camera, sequence, true)
        };
        told.extend(rig.receive(routed(2, &routing)));
        told.extend(rig.pass(FRAME_MS));
    }
    told.retain(|command| command != REQUEST);
    assert_eq!(told, ["picture 2 Camera gone, Undecodable"]);
    let mut ada = Camera10 {
        session: 2,
        next: 30,
    };
    assert_eq!(
        ada.frame(&mut rig, true),
        ["picture 2 Camera shown, Undecodable"]
    );
    let healed: Vec<String> = (0..15).flat_map(|_| ada.frame(&mut rig, false)).collect();
    assert_eq!(healed, ["picture 2 Camera shown"]);
}

#[test]
fn a_sender_that_never_sends_a_keyframe_is_told_of() {
    let mut rig = Rig::with_ada();
    let mut ada = Camera10 {
        session: 2,
        next: 7,
    };
    let mut news = Vec::new();
    for _ in 0..80 {
        news.extend(ada.arrives(&mut rig, false));
        news.extend(rig.pass(FRAME_MS));
    }
    let requests = news.iter().filter(|command| *command == REQUEST).count();
    assert!((14..=16).contains(&requests), "{requests} in 8 s");
    news.retain(|command| command != REQUEST);
    assert_eq!(news, ["picture 2 Camera gone, Undecodable"]);
}

#[test]
fn keyframes_only_with_jumping_numbers_and_clocks_that_go_back_are_shown() {
    let (mut rig, _) = moving();
    let places = [
        (1 << 63, 9_000_000),
        ((1 << 63) + 1, 8_000_000),
        (u64::MAX, 1),
        (0, 9_000_001),
    ];
    for (sequence, capture_time_us) in places {
        let packet = frame_at(2, Camera, sequence, true, capture_time_us);
        let mut news = rig.receive(packet);
        news.extend(rig.pass(300));
        assert_eq!(news, decoded(Camera, &[(sequence, true)]));
        assert!(rig.shown(Camera).is_empty());
    }
    assert_eq!(drops(&mut rig), Drops::default(), "a new count is no loss");
}

#[test]
fn a_decoder_that_takes_frames_and_shows_nothing_is_started_again() {
    let (mut rig, mut ada) = moving();
    let mut news = Vec::new();
    for _ in 0..35 {
        news.extend(ada.arrives(&mut rig, false));
        news.extend(quiet(rig.pass(FRAME_MS)));
    }
    assert_eq!(news[..2], ["restart decoder 2 Camera", REQUEST]);
    news.retain(|command| command.starts_with("picture"));
    assert_eq!(news, ["picture 2 Camera shown, Undecodable"]);
}

#[test]
fn nobody_else_notices_a_bad_picture() {
    let mut rig = Rig::with_ada();
    let bob = participant(3, "bob", &[Camera, Microphone]);
    rig.receive(presence(false, vec![bob], &[]));
    let (mut ada, mut bob) = (Camera10::new(2), Camera10::new(3));
    bob.frame(&mut rig, true);
    let mut told = Vec::new();
    for _ in 0..40 {
        ada.arrives(&mut rig, true);
        told.extend(rig.input(failed(2, Camera)));
        let sequence = rig.now.as_micros() / 20_000;
        let sound = rig.receive(frame(2, Microphone, sequence, true));
        assert_eq!(sound, decoded(Microphone, &[(sequence, true)]));
        told.extend(bob.frame(&mut rig, false));
    }
    assert!(
        told.iter().all(|command| !command.contains(" 3 ")),
        "{told:?}"
    );
    assert!(told.contains(&"picture 2 Camera gone, Undecodable".to_owned()));
}

#[test]
fn a_sender_that_stalls_is_waited_for() {
    let (mut rig, mut ada) = moving();
    let told = only_sound(&mut rig, 8000);
    assert_eq!(told, ["picture 2 Camera shown, SenderStalled"]);
    let mut healed = ada.frame(&mut rig, true);
    healed.extend((0..12).flat_map(|_| ada.frame(&mut rig, false)));
    assert_eq!(healed, ["picture 2 Camera shown"]);
}

#[test]
fn a_picture_that_our_connection_does_not_carry_says_so() {
    let (mut rig, _) = moving();
    let report = Report {
        limit_bps: Some(60_000),
        ..videocall_types::report::Reporter::default().report(rig.now)
    };
    rig.receive(report.to_packet().to_bytes());
    let told = only_sound(&mut rig, 8000);
    assert_eq!(told, ["picture 2 Camera shown, LeftOut"]);
}

#[test]
fn a_silent_connection_is_our_own() {
    let (mut rig, _) = moving();
    let mut told = rig.pass(4000);
    told.retain(|command| command.starts_with("picture"));
    assert_eq!(told, ["picture 2 Camera shown, ConnectionStalled"]);
}

#[test]
fn silences_that_are_as_they_should_be_are_no_trouble() {
    let (mut rig, mut ada) = moving();
    // Nobody looks.
    let nothing = videocall_types::Wishes::nothing();
    rig.input(Input::Wishes(nothing));
    assert!(only_sound(&mut rig, 10_000).is_empty());
    // Somebody looks again, and it takes a moment.
    rig.input(Input::Wishes(videocall_types::Wishes::everything()));
    assert!(only_sound(&mut rig, 3000).is_empty());
    assert_eq!(ada.frame(&mut rig, true), ["picture 2 Camera shown"]);
    // A screen that does not change, and a camera that is off.
    rig.ada_publishes(&[Screen, Microphone]);
    rig.receive(frame(2, Screen, 0, true));
    assert_eq!(rig.shown(Screen), ["picture 2 Screen shown"]);
    assert!(only_sound(&mut rig, 60_000).is_empty());
}

#[test]
fn frames_that_were_not_shown_are_counted_by_reason() {
    let (mut rig, _) = moving(); // up to frame 15
    drops(&mut rig);
    let place = |sequence, reference, keyframe| Routing {
        reference,
        codec: Some(Codec::Vp9),
        ..Routing::new(Camera, sequence, keyframe)
    };
    let frames = [
        place(18, 3, false), // 16 and 17 are left out
        place(21, 1, false), // 20 is missing, and 19
        place(22, 1, false),
        place(24, 1, true), // goes on without 21 and 22; 19, 20 and 23 are lost
        place(23, 1, false),
        place(25, 1, false),
    ];
    for routing in &frames {
        rig.receive(routed(2, routing));
    }
    rig.input(failed(2, Camera)); // with 18, 24 and 25
    let expected = Drops {
        lost: 3,
        late: 1,
        no_keyframe: 2,
        undecodable: 3,
        left_out: 2,
    };
    assert_eq!(drops(&mut rig), expected);
    assert_eq!(drops(&mut rig), Drops::default());
}
