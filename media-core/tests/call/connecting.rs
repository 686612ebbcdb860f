//! Getting into the meeting, and back into it.

use media_core::Input;
use media_core::command::TransportKind;
use videocall_types::{CloseCode, Track};

use crate::relay;
use crate::rig::{Rig, config};

/// The first packets on a new connection, for an encoder-less client.
const GREETING: [&str; 2] = ["probe on control", "heartbeat on control"];

fn greeting(id: u32) -> Vec<String> {
    GREETING
        .iter()
        .map(|packet| format!("send {id} {packet}"))
        .collect()
}

fn with(first: &[&str], rest: Vec<String>) -> Vec<String> {
    first
        .iter()
        .map(|command| (*command).to_owned())
        .chain(rest)
        .collect()
}

#[test]
fn web_transport_wins_within_its_head_start() {
    let mut rig = Rig::new(config());
    assert_eq!(
        rig.input(Input::Join),
        ["connecting", "open 0 WebTransport"]
    );
    assert!(rig.pass(450).is_empty());
    assert_eq!(
        rig.connect(0, 9),
        with(&["connected WebTransport as 9"], greeting(0))
    );
    assert!(rig.pass(900).is_empty());
}

#[test]
fn web_socket_takes_over_when_datagrams_go_nowhere() {
    let mut rig = Rig::new(config());
    rig.input(Input::Join);
    assert_eq!(
        rig.pass_verbatim(900),
        [(800, "open 1 WebSocket".to_owned())]
    );
    assert_eq!(
        rig.connect(1, 9),
        with(&["close 0 Left", "connected WebSocket as 9"], greeting(1))
    );
    assert!(rig.close(0, None).is_empty(), "the loser's end is no news");
}

#[test]
fn web_socket_starts_at_once_when_web_transport_is_refused() {
    let mut rig = Rig::new(config());
    rig.input(Input::Join);
    rig.pass(20);
    assert_eq!(rig.close(0, None), ["open 1 WebSocket"]);
}

#[test]
fn an_open_web_transport_gets_time_to_name_the_session() {
    let mut rig = Rig::new(config());
    rig.input(Input::Join);
    rig.pass(490);
    assert!(
        rig.input(Input::TransportOpened(media_core::command::TransportId(0)))
            .is_empty()
    );
    assert!(rig.pass(400).is_empty());
    assert_eq!(
        rig.receive_on(0, relay::assigned(3)),
        with(&["connected WebTransport as 3"], greeting(0))
    );
}

#[test]
fn a_remembered_web_socket_starts_together_with_web_transport() {
    let mut config = config();
    config.prefer = Some(TransportKind::WebSocket);
    let mut rig = Rig::new(config);
    assert_eq!(
        rig.input(Input::Join),
        ["connecting", "open 0 WebTransport", "open 1 WebSocket"]
    );
    assert_eq!(
        rig.connect(0, 9),
        with(
            &["close 1 Left", "connected WebTransport as 9"],
            greeting(0)
        )
    );
}

#[test]
fn a_server_with_one_kind_is_reached_over_it() {
    let mut only_socket = config();
    only_socket.server.webtransport = None;
    assert_eq!(
        Rig::new(only_socket).input(Input::Join),
        ["connecting", "open 0 WebSocket"]
    );
    let mut only_quic = config();
    only_quic.server.websocket_url.clear();
    let mut rig = Rig::new(only_quic);
    assert_eq!(
        rig.input(Input::Join),
        ["connecting", "open 0 WebTransport"]
    );
    assert_eq!(rig.close(0, None), ["wait for attempt 1"]);
    assert_eq!(rig.pass(250), ["attempt 1", "open 1 WebTransport"]);
}

#[test]
fn a_hanging_web_transport_does_not_hold_up_the_retries_of_web_socket() {
    let mut rig = Rig::new(config());
    rig.input(Input::Join);
    assert_eq!(rig.pass(800), ["open 1 WebSocket"]);
    assert_eq!(rig.close(1, None), ["wait for attempt 1"]);
    assert_eq!(rig.pass(250), ["attempt 1", "open 2 WebSocket"]);
    assert_eq!(
        rig.connect(2, 9),
        with(&["close 0 Left", "connected WebSocket as 9"], greeting(2))
    );
}

#[test]
fn an_attempt_that_hangs_is_given_up_after_five_seconds() {
    let mut config = config();
    config.server.webtransport = None;
    let mut rig = Rig::new(config);
    rig.input(Input::Join);
    let commands = rig.pass_verbatim(5250);
    let expected = [
        "close 0 Idle",
        "wait for attempt 1",
        "attempt 1",
        "open 1 WebSocket",
    ];
    assert_eq!(
        commands
            .iter()
            .map(|(_, command)| command.as_str())
            .collect::<Vec<_>>(),
        expected
    );
    assert_eq!(commands[0].0, 5000);
}

#[test]
fn a_lost_connection_is_made_again_within_a_quarter_of_a_second() {
    let mut rig = Rig::connected();
    assert_eq!(
        rig.close(0, Some(CloseCode::Draining.code())),
        ["wait for attempt 1"]
    );
    assert_eq!(rig.pass(250), ["attempt 1", "open 1 WebSocket"]);
    assert_eq!(
        rig.connect(1, 5),
        with(&["connected WebSocket as 5"], greeting(1))
    );
}

#[test]
fn a_server_that_comes_back_is_found_within_five_seconds() {
    for down_for in [0, 300, 1_000, 10_000, 50_000] {
        let mut rig = Rig::new(config());
        rig.input(Input::Join);
        rig.connect(0, 1);
        rig.close(0, None);
        let down = rig.now;
        let mut asked_at = None;
        while asked_at.is_none() {
            let passed = (rig.now - down).as_millis() as u64;
            let mut commands: Vec<String> = rig
                .pass_verbatim(1)
                .into_iter()
                .map(|(_, command)| command)
                .collect();
            while let Some(command) = commands.pop() {
                let Some(opened) = command
                    .strip_prefix("open ")
                    .and_then(|rest| rest.split(' ').next())
                else {
                    continue;
                };
                if passed < down_for {
                    commands.extend(rig.close(opened.parse().unwrap(), None));
                } else {
                    asked_at = Some(passed);
                }
            }
        }
        assert!(
            asked_at.unwrap() - down_for <= 2_000,
            "{asked_at:?} after {down_for}"
        );
    }
}

#[test]
fn it_never_gives_up() {
    let mut config = config();
    config.server.webtransport = None;
    let mut rig = Rig::new(config);
    rig.input(Input::Join);
    for attempt in 1..200 {
        assert_eq!(
            rig.close(attempt - 1, None),
            [format!("wait for attempt {attempt}")]
        );
        let mut waited = 0;
        let expected = [
            format!("attempt {attempt}"),
            format!("open {attempt} WebSocket"),
        ];
        while rig.pass(10) != expected {
            waited += 10;
            assert!(waited <= 10_000);
        }
    }
}

#[test]
fn codes_that_forbid_a_retry_end_the_call() {
    for (code, reason) in [
        (CloseCode::Unauthorized, "ended NotAllowed"),
        (CloseCode::BadRequest, "ended Rejected"),
        (CloseCode::Malformed, "ended Rejected"),
        (CloseCode::Left, "ended Left"),
    ] {
        let mut rig = Rig::new(config());
        rig.input(Input::Join);
        rig.pass(800);
        assert_eq!(
            rig.close(0, Some(code.code())),
            ["close 1 Left", reason],
            "while connecting"
        );
        assert!(rig.input(Input::Join).is_empty());
        assert_eq!(rig.call.poll_timeout(), None);

        let mut rig = Rig::connected();
        assert_eq!(rig.close(0, Some(code.code())), [reason], "while connected");
    }
}

#[test]
fn silence_ends_a_connection_and_answers_keep_it() {
    let mut rig = Rig::connected();
    for _ in 0..20 {
        let probe = rig.probe.take().unwrap().to_bytes();
        assert!(rig.receive(probe).is_empty());
        assert!(rig.pass(1000).is_empty());
    }
    let silence = rig.pass_verbatim(5000);
    let (at, _) = silence
        .iter()
        .find(|(_, command)| command == "close 0 Idle")
        .unwrap();
    assert_eq!(*at, 4000, "five seconds after the last answer");
    assert!(silence.iter().any(|(_, command)| command == "attempt 1"));
}

#[test]
fn the_network_coming_back_is_a_reason_to_try_at_once() {
    let mut rig = Rig::connected();
    rig.close(0, None);
    rig.pass(250);
    rig.close(1, None);
    assert_eq!(rig.input(Input::NetworkBack), ["open 2 WebSocket"]);
    assert_eq!(
        rig.input(Input::NetworkBack),
        ["close 2 Left", "open 3 WebSocket"]
    );
    rig.connect(3, 1);
    rig.pass(100);
    assert_eq!(rig.input(Input::NetworkBack), ["send 3 probe on control"]);
    let commands = rig.pass_verbatim(2000);
    assert!(
        commands.contains(&(2000, "close 3 Idle".to_owned())),
        "{commands:?}"
    );
}

#[test]
fn leaving_closes_everything_for_good() {
    let mut rig = Rig::with_ada();
    rig.receive(relay::frame(2, Track::Camera, 0, true));
    rig.receive(relay::frame(2, Track::Microphone, 0, true));
    let expected = [
        "close 0 Left",
        "close decoder 2 Camera",
        "close decoder 2 Microphone",
        "ended Left",
    ];
    assert_eq!(rig.input(Input::Leave), expected);
    assert!(rig.close(0, None).is_empty());
    assert!(rig.receive(relay::assigned(4)).is_empty());
    assert_eq!(rig.call.poll_timeout(), None);
}

#[test]
fn packets_of_other_transports_are_not_those_of_the_meeting() {
    let mut rig = Rig::new(config());
    rig.input(Input::Join);
    rig.pass(800);
    let somebody = relay::presence(true, vec![relay::participant(2, "ada", &[])], &[]);
    assert!(rig.receive_on(1, somebody.clone()).is_empty());
    rig.connect(1, 9);
    assert!(rig.receive_on(0, somebody.clone()).is_empty());
    assert!(rig.receive_on(0, relay::assigned(10)).is_empty());
    assert_eq!(rig.receive_on(1, somebody), ["participant 2 ada"]);
}

#[test]
fn a_new_round_goes_where_the_server_says_that_it_is_now() {
    let mut rig = Rig::new(config());
    rig.config_answers = false;
    rig.input(Input::Join);
    rig.connect(0, 9);
    rig.close(0, None);
    assert_eq!(rig.pass(250), ["attempt 1", "fetch config"]);
    let mut moved = config().server;
    moved.webtransport = None;
    assert_eq!(
        rig.input(Input::ConfigFetched(Some(moved))),
        ["open 1 WebSocket"]
    );
}

#[test]
fn a_server_that_does_not_say_where_it_is_is_looked_for_where_it_was() {
    let mut rig = Rig::new(config());
    rig.config_answers = false;
    rig.input(Input::Join);
    rig.connect(0, 9);
    rig.close(0, None);
    rig.pass(250);
    assert_eq!(rig.pass(2000)[..1], ["open 1 WebTransport"]);
    assert!(
        rig.input(Input::ConfigFetched(None)).is_empty(),
        "too late to matter"
    );
}

#[test]
fn attempts_on_a_server_that_was_gone_end_when_it_answers_again() {
    let mut rig = Rig::new(config());
    rig.config_answers = false;
    rig.input(Input::Join);
    rig.connect(0, 9);
    rig.close(0, None);
    rig.pass(250);
    assert_eq!(
        rig.input(Input::ConfigFetched(None)),
        ["open 1 WebTransport"]
    );
    assert_eq!(rig.pass(800), ["open 2 WebSocket"]);
    assert_eq!(rig.close(2, None), ["wait for attempt 2"]);
    assert_eq!(rig.pass(500), ["attempt 2", "fetch config"]);
    assert_eq!(
        rig.input(Input::ConfigFetched(Some(config().server))),
        ["close 1 Left", "open 3 WebTransport"]
    );
}

#[test]
fn the_relay_hears_at_once_how_long_its_first_report_took() {
    let mut rig = Rig::connected();
    let first = videocall_types::report::Reporter::default().report(rig.now);
    rig.receive(first.to_packet().to_bytes());
    let sent = rig.pass_verbatim(1000);
    let reports: Vec<_> = sent
        .iter()
        .filter(|(_, command)| command.contains("REPORT"))
        .collect();
    // Media that come or go would be a reason for more.
    assert_eq!(reports.len(), 1, "{sent:?}");
    assert_eq!(reports[0].0, 0);
}
