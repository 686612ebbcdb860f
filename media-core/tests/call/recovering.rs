//! Going on over another connection: with the same session, to another relay, before the old one is gone.

use media_core::Input;
use media_core::command::TransportId;
use videocall_types::{CloseCode, Track};

use crate::relay;
use crate::rig::{Rig, config};

/// In the meeting over WebTransport as session 1 of a relay that lets it be resumed.
fn alone() -> Rig {
    let mut rig = Rig::new(config());
    rig.input(Input::Join);
    open(&mut rig, 0);
    rig.receive(relay::resumable(1));
    rig
}

/// The same for 20 s, in which no connection is opened or closed though probes are answered after so many milliseconds.
fn alone_with_answers_after(millis: u64) -> Rig {
    let mut rig = alone();
    for _ in 0..20 {
        let probe = rig.probe.take().unwrap().to_bytes();
        rig.pass(millis);
        rig.receive(probe);
        assert!(pass(&mut rig, 1000 - millis).is_empty());
    }
    rig
}

/// The same with Ada, who sends 30 frames a second.
fn connected() -> Rig {
    let mut rig = alone();
    rig.receive(relay::presence(
        true,
        vec![relay::participant(2, "ada", &[Track::Camera])],
        &[],
    ));
    for sequence in 0..60 {
        rig.receive(relay::frame(2, Track::Camera, sequence, sequence == 0));
        rig.pass(33);
    }
    rig
}

fn open(rig: &mut Rig, id: u32) -> Vec<String> {
    rig.input(Input::TransportOpened(TransportId(id)))
}

/// As `pass_verbatim` without what comes every second.
fn pass(rig: &mut Rig, millis: u64) -> Vec<(u64, String)> {
    let mut commands = rig.pass_verbatim(millis);
    commands.retain(|(_, command)| command.starts_with("open") || command.starts_with("close"));
    commands
}

#[test]
fn a_connection_that_falls_silent_is_replaced_before_it_is_given_up() {
    let mut rig = connected();
    let opened = pass(&mut rig, 1100);
    let [(at, quic), (_, socket)] = &opened[..] else {
        panic!("{opened:?}")
    };
    assert!(*at <= 1000, "{at}");
    assert_eq!(
        (&quic[..], &socket[..]),
        ("open 1 WebTransport late", "open 2 WebSocket late")
    );
    assert_eq!(open(&mut rig, 2), ["send 2 enter as 1 on control"]);
    let commands = rig.receive_on(2, relay::resumable(1));
    assert_eq!(
        commands[..3],
        ["close 1 Idle", "close 0 Idle", "connected WebSocket as 1"]
    );
    assert!(rig.close(0, None).is_empty());
}

#[test]
fn a_connection_that_speaks_again_is_kept() {
    let mut rig = connected();
    pass(&mut rig, 1100);
    let frame = relay::frame(2, Track::Camera, 60, false);
    assert_eq!(rig.receive(frame)[..2], ["close 1 Idle", "close 2 Idle"]);
    assert!(open(&mut rig, 2).is_empty());
    // The next silence is another one.
    assert_eq!(pass(&mut rig, 1100).len(), 2);
}

#[test]
fn an_entry_that_is_said_is_waited_for() {
    let mut rig = connected();
    pass(&mut rig, 1100);
    open(&mut rig, 2);
    rig.receive(relay::frame(2, Track::Camera, 60, false));
    // The relay has let it in before it heard of anything else, and closes the old one.
    assert_eq!(
        rig.close(0, Some(CloseCode::Replaced.code())),
        ["attempt 1"]
    );
    let commands = rig.receive_on(2, relay::resumable(1));
    assert!(commands.contains(&"connected WebSocket as 1".to_owned()));
}

#[test]
fn a_quiet_room_is_not_suspect() {
    alone_with_answers_after(80);
}

#[test]
fn a_slow_answer_is_not_suspect_where_answers_are_slow() {
    let mut rig = alone_with_answers_after(600);
    // Three round trips after the next probe.
    rig.probe.take();
    assert!(pass(&mut rig, 1700).is_empty());
    assert!(!pass(&mut rig, 400).is_empty());
}

#[test]
fn what_can_not_be_replaced_is_given_up_after_five_seconds() {
    let mut rig = connected();
    let commands = pass(&mut rig, 5300);
    let given_up: Vec<_> = commands
        .iter()
        .filter(|(_, command)| command == "close 0 Idle")
        .collect();
    let [(at, _)] = given_up[..] else {
        panic!("{commands:?}")
    };
    assert!((4900..=5000).contains(at), "{at}");
    // What is tried meanwhile goes on.
    assert_eq!(open(&mut rig, 2), ["send 2 enter as 1 on control"]);
}

#[test]
fn a_spare_that_hangs_does_not_hold_up_the_retries() {
    let mut rig = connected();
    pass(&mut rig, 1100);
    assert!(rig.close(2, None).is_empty());
    let opened = pass(&mut rig, 4200);
    let commands: Vec<_> = opened.iter().map(|(_, command)| &command[..]).collect();
    assert_eq!(commands, ["close 0 Idle", "open 3 WebSocket late"]);
}

#[test]
fn a_session_is_resumed_over_the_first_connection_that_opens() {
    let mut rig = connected();
    rig.close(0, None);
    assert_eq!(rig.pass(250), ["attempt 1", "open 1 WebTransport late"]);
    assert_eq!(rig.pass(800), ["open 2 WebSocket late"]);
    assert_eq!(open(&mut rig, 2), ["send 2 enter as 1 on control"]);
    assert!(open(&mut rig, 1).is_empty(), "one says it at a time");
    assert_eq!(rig.close(2, None)[0], "send 1 enter as 1 on control");
    let commands = rig.receive_on(1, relay::resumable(1));
    assert_eq!(commands[0], "connected WebTransport as 1");
}

#[test]
fn an_entry_without_an_answer_lets_the_next_one_try() {
    let mut rig = connected();
    rig.close(0, None);
    rig.pass(1100);
    open(&mut rig, 1);
    open(&mut rig, 2);
    let commands = rig.pass(2000);
    assert_eq!(
        commands[..2],
        ["close 1 Idle", "send 2 enter as 1 on control"]
    );
}

#[test]
fn numbers_go_on_in_a_resumed_session_and_begin_anew_in_another() {
    for (session, expected) in [(1, 2), (5, 0)] {
        let mut rig = connected();
        rig.input(Input::Publishing {
            track: Track::Camera,
            on: true,
        });
        for keyframe in [true, false] {
            let frame = relay::local(Track::Camera, keyframe, 0);
            rig.input(Input::FrameEncoded(frame));
        }
        rig.close(0, None);
        rig.pass(250);
        open(&mut rig, 1);
        rig.receive_on(1, relay::resumable(session));
        let sent = rig.input(Input::FrameEncoded(relay::local(Track::Camera, true, 9)));
        assert_eq!(
            sent,
            [format!("send 1 key Camera {expected} on stream of Camera")]
        );
    }
}

#[test]
fn the_nearest_of_several_relays_is_entered() {
    let mut config = config();
    config.server.relay_urls = vec![
        "https://eu:4433/lobby".into(),
        "wss://eu/lobby".into(),
        "ftp://nothing".into(),
    ];
    let mut rig = Rig::new(config);
    assert_eq!(
        rig.input(Input::Join),
        [
            "connecting",
            "open 0 WebTransport late",
            "open 1 WebTransport late"
        ]
    );
    assert_eq!(open(&mut rig, 1), ["send 1 enter on control"]);
    assert!(open(&mut rig, 0).is_empty());
    assert_eq!(
        rig.receive_on(1, relay::resumable(7))[..2],
        ["close 0 Idle", "connected WebTransport as 7"]
    );
}

#[test]
fn all_relays_are_tried_over_web_socket_when_datagrams_pass_to_none() {
    let mut config = config();
    config.server.relay_urls = vec!["https://eu:4433/lobby".into(), "wss://eu/lobby".into()];
    let mut rig = Rig::new(config);
    rig.input(Input::Join);
    assert!(rig.close(0, None).is_empty());
    assert_eq!(
        rig.close(1, None),
        ["open 2 WebSocket late", "open 3 WebSocket late"]
    );
    assert!(rig.close(2, None).is_empty());
    assert_eq!(rig.close(3, None), ["wait for attempt 1"]);
}

#[test]
fn a_relay_that_stops_is_left_when_another_has_let_us_in() {
    let mut rig = connected();
    assert!(rig.receive(relay::drain(200)).is_empty());
    let opened = pass(&mut rig, 250);
    assert_eq!(opened, [(200, "open 1 WebTransport late".to_owned())]);
    // Refused: it may be the same relay.
    assert_eq!(rig.close(1, None), ["open 2 WebSocket late"]);
    assert!(
        rig.close(2, Some(CloseCode::Draining.code())).is_empty(),
        "the old connection works"
    );
    let again = pass(&mut rig, 300);
    assert_eq!(again, [(300, "open 3 WebTransport late".to_owned())]);
    rig.receive(relay::frame(2, Track::Camera, 60, false));
    assert_eq!(open(&mut rig, 3), ["send 3 enter as 1 on control"]);
    let commands = rig.receive_on(3, relay::resumable(9));
    assert_eq!(
        commands[..2],
        ["close 0 Left", "connected WebTransport as 9"]
    );
}
