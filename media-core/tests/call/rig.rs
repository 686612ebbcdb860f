//! One call with a clock that the test moves.

use std::time::Duration;

use bytes::Bytes;
use media_core::call::{Call, Config};
use media_core::command::{TransportId, TransportKind};
use media_core::{Command, Input};
use videocall_types::api::{Access, ServerConfig, WebTransportEndpoint};
use videocall_types::{DisplayName, Packet, Timestamp};

use crate::{relay, show};

pub(crate) struct Rig {
    pub(crate) call: Call,
    pub(crate) now: Timestamp,
    /// The last probe that was sent.
    pub(crate) probe: Option<Packet>,
    /// The server answers at once when it is asked for its configuration, that it is as it was. The request is not shown.
    pub(crate) config_answers: bool,
}

pub(crate) fn config() -> Config {
    Config {
        user: "me".parse().unwrap(),
        meeting: "room".parse().unwrap(),
        name: DisplayName::new("Me"),
        server: ServerConfig {
            version: "0".into(),
            access: Access::Open,
            relay_urls: Vec::new(),
            websocket_url: "wss://relay/lobby".into(),
            webtransport: Some(WebTransportEndpoint {
                url: "https://relay:4433/lobby".into(),
                certificate_hashes: vec!["00".into()],
            }),
        },
        prefer: None,
        cores: 4,
        token: None,
    }
}

impl Rig {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            call: Call::new(config, 7),
            now: Timestamp::from_millis(1000),
            probe: None,
            config_answers: true,
        }
    }

    /// In the meeting over WebSocket as session 1, everything said that is said at once.
    pub(crate) fn connected() -> Self {
        let mut config = config();
        config.server.webtransport = None;
        config.prefer = Some(TransportKind::WebSocket);
        let mut rig = Self::new(config);
        rig.input(Input::Join);
        rig.connect(0, 1);
        rig
    }

    /// As `connected`, with one other participant of session 2 who publishes camera and microphone.
    pub(crate) fn with_ada() -> Self {
        use videocall_types::Track::{Camera, Microphone};
        let mut rig = Self::connected();
        rig.receive(relay::presence(
            true,
            vec![relay::participant(2, "ada", &[Camera, Microphone])],
            &[],
        ));
        rig
    }

    /// Transport `id` opens and the relay names our session.
    pub(crate) fn connect(&mut self, id: u32, session: u64) -> Vec<String> {
        let mut commands = self.input(Input::TransportOpened(TransportId(id)));
        commands.extend(self.receive_on(id, relay::assigned(session)));
        commands
    }

    pub(crate) fn close(&mut self, id: u32, code: Option<u16>) -> Vec<String> {
        self.input(Input::TransportClosed {
            id: TransportId(id),
            code,
        })
    }

    pub(crate) fn receive(&mut self, packet: Bytes) -> Vec<String> {
        self.receive_on(0, packet)
    }

    pub(crate) fn receive_on(&mut self, id: u32, packet: Bytes) -> Vec<String> {
        self.input(Input::PacketReceived {
            id: TransportId(id),
            packet,
        })
    }

    pub(crate) fn input(&mut self, input: Input) -> Vec<String> {
        self.call.handle(input, self.now);
        self.drain()
    }

    /// Moves the clock by `millis` and wakes the call whenever it wants to be woken. Heartbeats, probes, reports and stats,
    /// which come all the time, are left out.
    pub(crate) fn pass(&mut self, millis: u64) -> Vec<String> {
        let periodic = |command: &String| {
            command == "stats"
                || [" heartbeat", " probe", " REPORT"]
                    .iter()
                    .any(|kind| command.contains(kind))
        };
        let mut commands = self.pass_verbatim(millis);
        commands.retain(|(_, command)| !periodic(command));
        commands.into_iter().map(|(_, command)| command).collect()
    }

    /// As `pass`, with everything that happens and after how many milliseconds.
    pub(crate) fn pass_verbatim(&mut self, millis: u64) -> Vec<(u64, String)> {
        let start = self.now;
        let end = start + Duration::from_millis(millis);
        let mut commands = Vec::new();
        while let Some(at) = self.call.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.call.handle_timeout(self.now);
            let passed = (self.now - start).as_millis() as u64;
            commands.extend(self.drain().into_iter().map(|command| (passed, command)));
            let next = self.call.poll_timeout();
            assert!(
                next.is_none_or(|next| next > self.now),
                "wants to be woken at {next:?}, which is over"
            );
        }
        self.now = end;
        commands
    }

    fn drain(&mut self) -> Vec<String> {
        let mut commands = Vec::new();
        let mut asked = false;
        while let Some(command) = self.call.poll_command() {
            if command == Command::FetchConfig && self.config_answers {
                asked = true;
                continue;
            }
            let shown = show::command(&command);
            if let Command::Send { packet, .. } = command
                && shown.contains(" probe")
            {
                self.probe = Some(packet);
            }
            commands.push(shown);
        }
        if asked {
            commands.extend(self.input(Input::ConfigFetched(None)));
        }
        commands
    }
}
