//! Calls with each other, over a relay in miniature and a network with loss and reordering, in virtual time.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use media_core::call::Call;
use media_core::command::{Lane, TransportId, TransportKind};
use media_core::event::{Connection, Event};
use media_core::frame::RemoteFrame;
use media_core::{Command, Input};
use protobuf::Message as _;
use videocall_types::proto::control::{Enter, KeyframeRequest};
use videocall_types::proto::media_packet::MediaPacket;
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::{Packet, PacketHeader, PacketKind, Timestamp, Track};

use crate::relay;
use crate::rig::config;

const LATENCY: Duration = Duration::from_millis(10);
const FRAME: Duration = Duration::from_micros(33_333);

/// Everything: the clock, the network, the relay and the clients.
struct World {
    now: Timestamp,
    random: u64,
    /// Share of media that is lost between the relay and a client, in percent.
    loss: u64,
    /// Media arrives up to this much later, in milliseconds.
    reorder: u64,
    server_is_up: bool,
    datagrams_pass: bool,
    /// What was sent over WebTransport and what comes over it is lost.
    black_hole: bool,
    /// Those that enter late.
    opened: BTreeMap<(usize, TransportId), TransportKind>,
    clients: Vec<Client>,
    /// What is under way to a client, in order of arrival.
    network: BTreeMap<(Timestamp, u64), (usize, Input)>,
    sent: u64,
    sessions: BTreeMap<u64, Session>,
    next_session: u64,
}

struct Client {
    name: String,
    call: Call,
    camera_at: Option<Timestamp>,
    force: bool,
    decoded: Vec<(Timestamp, RemoteFrame)>,
    events: Vec<(Timestamp, Event)>,
}

struct Session {
    client: usize,
    transport: TransportId,
    kind: TransportKind,
    camera: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            now: Timestamp::from_millis(5000),
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            loss: 0,
            reorder: 0,
            server_is_up: true,
            datagrams_pass: true,
            black_hole: false,
            opened: BTreeMap::new(),
            clients: Vec::new(),
            network: BTreeMap::new(),
            sent: 0,
            sessions: BTreeMap::new(),
            next_session: 100,
        }
    }

    fn join(&mut self, name: &str, camera: bool) -> usize {
        let mut config = config();
        config.user = name.parse().unwrap();
        let client = Client {
            name: name.into(),
            call: Call::new(config, self.clients.len() as u64),
            camera_at: camera.then_some(self.now),
            force: true,
            decoded: Vec::new(),
            events: Vec::new(),
        };
        self.clients.push(client);
        let index = self.clients.len() - 1;
        self.input(
            index,
            Input::Publishing {
                track: Track::Camera,
                on: camera,
            },
        );
        self.input(index, Input::Join);
        index
    }

    fn kill_server(&mut self) {
        self.server_is_up = false;
        let sessions = std::mem::take(&mut self.sessions);
        for session in sessions.into_values() {
            self.arrive(
                session.client,
                Input::TransportClosed {
                    id: session.transport,
                    code: None,
                },
                LATENCY,
            );
        }
    }

    fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let arrival = self.network.keys().next().map(|(at, _)| *at);
            let timers = self
                .clients
                .iter()
                .filter_map(|client| client.call.poll_timeout());
            let cameras = self.clients.iter().filter_map(|client| client.camera_at);
            let Some(next) = timers
                .chain(cameras)
                .chain(arrival)
                .min()
                .filter(|at| *at <= end)
            else {
                break;
            };
            self.now = self.now.max(next);
            self.step();
        }
        self.now = end;
    }

    fn step(&mut self) {
        while let Some(entry) = self
            .network
            .first_entry()
            .filter(|entry| entry.key().0 <= self.now)
        {
            let (client, input) = entry.remove();
            self.input(client, input);
        }
        for index in 0..self.clients.len() {
            let client = &mut self.clients[index];
            if client.call.poll_timeout().is_some_and(|at| at <= self.now) {
                client.call.handle_timeout(self.now);
                self.carry_out(index);
            }
            let client = &mut self.clients[index];
            if client.camera_at.is_some_and(|at| at <= self.now) {
                client.camera_at = Some(self.now + FRAME);
                let keyframe = std::mem::take(&mut client.force);
                let frame = relay::local(Track::Camera, keyframe, self.now.as_micros());
                self.input(index, Input::FrameEncoded(frame));
            }
        }
    }

    fn input(&mut self, index: usize, input: Input) {
        self.clients[index].call.handle(input, self.now);
        self.carry_out(index);
    }

    fn carry_out(&mut self, index: usize) {
        let before = self.clients[index].decoded.len();
        self.carry_out_commands(index);
        let client = &self.clients[index];
        let pictures = client.decoded[before..].iter().map(|(_, frame)| frame);
        let pictures: Vec<_> = pictures
            .filter(|frame| !frame.track.is_audio())
            .map(|frame| (frame.session, frame.track))
            .collect();
        for (session, track) in pictures {
            let shown = Input::FrameShown { session, track };
            self.clients[index].call.handle(shown, self.now);
            self.carry_out_commands(index);
        }
    }

    fn carry_out_commands(&mut self, index: usize) {
        while let Some(command) = self.clients[index].call.poll_command() {
            let client = &mut self.clients[index];
            match command {
                Command::FetchConfig => self.arrive(index, Input::ConfigFetched(None), LATENCY),
                Command::OpenTransport { id, kind, url, .. } => {
                    self.open(index, id, kind, url.ends_with("&enter=late"))
                }
                Command::CloseTransport { id, .. } => self.close(index, id),
                Command::Send { id, packet, lane } => self.relay(index, id, &packet, lane),
                Command::ForceKeyframe { .. } => client.force = true,
                Command::Decode(frame) => client.decoded.push((self.now, frame)),
                Command::Emit(event) => client.events.push((self.now, event)),
                Command::Encode { .. }
                | Command::RestartDecoder { .. }
                | Command::CloseDecoder { .. } => {}
            }
        }
    }

    fn open(&mut self, client: usize, id: TransportId, kind: TransportKind, late: bool) {
        if kind == TransportKind::WebTransport && (self.black_hole || !self.datagrams_pass) {
            return;
        }
        if !self.server_is_up {
            return self.arrive(client, Input::TransportClosed { id, code: None }, LATENCY);
        }
        self.arrive(client, Input::TransportOpened(id), LATENCY);
        if late {
            self.opened.insert((client, id), kind);
        } else {
            self.enter(client, id, kind, None);
        }
    }

    fn enter(
        &mut self,
        client: usize,
        transport: TransportId,
        kind: TransportKind,
        resume: Option<u64>,
    ) {
        let known = resume.filter(|session| self.sessions.contains_key(session));
        let session = known.unwrap_or_else(|| {
            self.next_session += 1;
            self.next_session
        });
        let camera = self.sessions.get(&session).is_some_and(|s| s.camera);
        let entered = Session {
            client,
            transport,
            kind,
            camera,
        };
        self.sessions.insert(session, entered);
        self.deliver(session, relay::resumable(session), LATENCY);
        let others = self
            .sessions
            .keys()
            .filter(|other| **other != session)
            .map(|other| self.participant(*other));
        let snapshot = relay::presence(true, others.collect(), &[]);
        self.deliver(session, snapshot, LATENCY);
        if known.is_none() {
            let newcomer = relay::presence(false, vec![self.participant(session)], &[]);
            self.tell_others(session, newcomer);
        }
        let publishers: Vec<u64> = self
            .sessions
            .iter()
            .filter(|(_, s)| s.camera)
            .map(|(id, _)| *id)
            .collect();
        publishers
            .into_iter()
            .for_each(|publisher| self.ask(publisher));
    }

    fn close(&mut self, client: usize, id: TransportId) {
        let found = self
            .sessions
            .iter()
            .find(|(_, s)| s.client == client && s.transport == id);
        if let Some(session) = found.map(|(session, _)| *session) {
            self.sessions.remove(&session);
            self.tell_others(session, relay::presence(false, vec![], &[session]));
        }
    }

    fn participant(&self, session: u64) -> videocall_types::proto::control::Participant {
        let known = &self.sessions[&session];
        let tracks: &[Track] = if known.camera { &[Track::Camera] } else { &[] };
        relay::participant(session, &self.clients[known.client].name, tracks)
    }

    /// What the relay does with a packet of a client.
    fn relay(&mut self, client: usize, id: TransportId, packet: &Packet, lane: Lane) {
        let found = self
            .sessions
            .iter()
            .find(|(_, s)| s.client == client && s.transport == id);
        let Some(from) = found.map(|(session, _)| *session) else {
            if let Some(kind) = self.opened.remove(&(client, id)) {
                let header = PacketHeader::parse(&packet.to_bytes()).unwrap();
                assert_eq!(header.kind, Ok(PacketKind::ENTER));
                let enter = Enter::parse_from_bytes(&header.data).unwrap();
                self.enter(client, id, kind, Some(enter.session_id));
            }
            return;
        };
        if self.is_lost(from) {
            return;
        }
        let header = PacketHeader::parse(&packet.to_bytes()).unwrap();
        if header.kind == Ok(PacketKind::KEYFRAME_REQUEST) {
            return self.ask(
                KeyframeRequest::parse_from_bytes(&header.data)
                    .unwrap()
                    .session_id,
            );
        }
        if header.kind != Ok(PacketKind::MEDIA) {
            return;
        }
        let media = MediaPacket::parse_from_bytes(&header.data).unwrap();
        match media.media_type.enum_value().unwrap() {
            MediaType::RTT => self.deliver(from, packet.to_bytes(), LATENCY * 2),
            MediaType::HEARTBEAT => {
                let camera = media.heartbeat_metadata.video_enabled;
                if std::mem::replace(&mut self.sessions.get_mut(&from).unwrap().camera, camera)
                    != camera
                {
                    self.tell_others(
                        from,
                        relay::presence(false, vec![self.participant(from)], &[]),
                    );
                }
            }
            _ => {
                assert_eq!(lane, Lane::Track(Track::Camera));
                let stamp = videocall_types::SessionId::new(from);
                let stamped =
                    Packet::new(PacketKind::MEDIA, b"x", stamp, &header.routing, header.data)
                        .to_bytes();
                let others: Vec<u64> = self
                    .sessions
                    .keys()
                    .filter(|other| **other != from)
                    .copied()
                    .collect();
                for other in others {
                    let late = Duration::from_micros(self.roll(self.reorder * 1000 + 1));
                    if self.roll(100) >= self.loss {
                        self.deliver(other, stamped.clone(), LATENCY * 2 + late);
                    }
                }
            }
        }
    }

    /// The relay asks a publisher for a keyframe.
    fn ask(&mut self, publisher: u64) {
        let request = relay::keyframe_wanted(Track::Camera, 2);
        self.deliver(publisher, request, LATENCY * 2);
    }

    fn tell_others(&mut self, session: u64, packet: Bytes) {
        let others: Vec<u64> = self
            .sessions
            .keys()
            .filter(|other| **other != session)
            .copied()
            .collect();
        others
            .into_iter()
            .for_each(|other| self.deliver(other, packet.clone(), LATENCY * 2));
    }

    fn deliver(&mut self, session: u64, packet: Bytes, after: Duration) {
        if self.is_lost(session) {
            return;
        }
        let Some(Session {
            client, transport, ..
        }) = self.sessions.get(&session)
        else {
            return;
        };
        self.arrive(
            *client,
            Input::PacketReceived {
                id: *transport,
                packet,
            },
            after,
        );
    }

    fn is_lost(&self, session: u64) -> bool {
        let over = self.sessions.get(&session).map(|session| session.kind);
        self.black_hole && over == Some(TransportKind::WebTransport)
    }

    fn arrive(&mut self, client: usize, input: Input, after: Duration) {
        self.sent += 1;
        self.network
            .insert((self.now + after, self.sent), (client, input));
    }

    /// xorshift64: less than `below`.
    fn roll(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % below
    }
}

impl Client {
    fn first_decoded_since(&self, start: Timestamp) -> Duration {
        let first = self.decoded.iter().find(|(at, _)| *at >= start);
        first
            .map(|(at, _)| *at - start)
            .expect("something was decoded")
    }

    fn longest_freeze(&self) -> Duration {
        self.decoded
            .windows(2)
            .map(|pair| pair[1].0 - pair[0].0)
            .max()
            .unwrap()
    }

    fn assert_decodable(&self) {
        let mut last: BTreeMap<_, u64> = BTreeMap::new();
        for (_, frame) in &self.decoded {
            let before = last.insert(frame.session, frame.sequence);
            assert!(
                frame.keyframe || before.is_some_and(|n| n + 1 == frame.sequence),
                "{frame:?} after {before:?}"
            );
        }
    }
}

#[test]
fn two_people_see_each_other_at_once_and_without_delay() {
    let mut world = World::new(1);
    let start = world.now;
    let (ada, bob) = (world.join("ada", true), world.join("bob", true));
    world.run(Duration::from_secs(10));
    for client in [ada, bob].map(|index| &world.clients[index]) {
        client.assert_decodable();
        assert!(client.first_decoded_since(start) < Duration::from_millis(150));
        assert!(client.decoded.len() > 290, "{}", client.decoded.len());
        let delays = client
            .decoded
            .iter()
            .map(|(at, frame)| at.as_micros() - frame.capture_time_us);
        assert_eq!(delays.max(), Some(20_000), "nothing but the network");
    }
}

#[test]
fn pictures_survive_loss_and_reordering() {
    for seed in 0..10 {
        let mut world = World::new(seed);
        let (ada, bob) = (world.join("ada", true), world.join("bob", true));
        world.run(Duration::from_secs(2));
        (world.loss, world.reorder) = (3, 60);
        world.run(Duration::from_secs(30));
        for client in [ada, bob].map(|index| &world.clients[index]) {
            client.assert_decodable();
            assert!(
                client.longest_freeze() < Duration::from_millis(1200),
                "{seed}: {:?}",
                client.longest_freeze()
            );
            assert!(
                client.decoded.len() > 400,
                "{seed}: {} of 960",
                client.decoded.len()
            );
        }
        (world.loss, world.reorder) = (0, 0);
        let healed = world.now + Duration::from_secs(1);
        world.run(Duration::from_secs(5));
        for client in [ada, bob].map(|index| &world.clients[index]) {
            let steady = client
                .decoded
                .iter()
                .filter(|(at, _)| *at >= healed)
                .count();
            assert!(steady >= 118, "{seed}: {steady} frames in 4 s");
        }
    }
}

#[test]
fn a_latecomer_has_a_picture_of_everyone_within_a_second() {
    let mut world = World::new(3);
    world.join("ada", true);
    world.join("bob", true);
    world.run(Duration::from_secs(20));
    let (start, eve) = (world.now, world.join("eve", false));
    world.run(Duration::from_secs(1));
    let seen: std::collections::BTreeSet<_> = world.clients[eve]
        .decoded
        .iter()
        .map(|(_, f)| f.session)
        .collect();
    assert_eq!(seen.len(), 2);
    assert!(world.clients[eve].first_decoded_since(start) < Duration::from_millis(200));
}

#[test]
fn everybody_is_back_within_five_seconds_of_the_server() {
    for down_for in [50, 900, 4_000, 30_000, 50_000] {
        let mut world = World::new(down_for);
        let (ada, bob) = (world.join("ada", true), world.join("bob", true));
        world.run(Duration::from_secs(12));
        world.kill_server();
        world.run(Duration::from_millis(down_for));
        world.server_is_up = true;
        let up = world.now;
        world.run(Duration::from_secs(5));
        for client in [ada, bob].map(|index| &world.clients[index]) {
            client.assert_decodable();
            assert!(
                client.first_decoded_since(up) < Duration::from_secs(5),
                "{down_for}"
            );
        }
        assert_eq!(world.sessions.len(), 2, "nobody is there twice");
    }
}

#[test]
fn where_datagrams_do_not_pass_it_is_web_socket_within_a_second() {
    let mut world = World::new(5);
    world.datagrams_pass = false;
    let (start, ada) = (world.now, world.join("ada", true));
    world.run(Duration::from_secs(7));
    let connected: Vec<_> = world.clients[ada]
        .events
        .iter()
        .filter_map(|(at, event)| match event {
            Event::Connection(Connection::Connected { transport, .. }) => {
                Some((*at - start, *transport))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        connected,
        [(Duration::from_millis(810), TransportKind::WebSocket)]
    );
}

#[test]
fn a_black_hole_for_datagrams_mid_call_is_survived_over_web_socket_within_two_seconds() {
    for after in [3000, 3250, 3500, 3750, 4100] {
        let mut world = World::new(after);
        let (ada, bob) = (world.join("ada", true), world.join("bob", true));
        world.run(Duration::from_millis(after));
        world.black_hole = true;
        let hole = world.now;
        // What is on its way arrives.
        let swallowed = hole + LATENCY * 3;
        world.run(Duration::from_secs(10));
        for client in [ada, bob].map(|index| &world.clients[index]) {
            client.assert_decodable();
            let silence = client.first_decoded_since(swallowed);
            assert!(silence < Duration::from_secs(2), "{after}: {silence:?}");
            let since = client.events.iter().filter(|(at, _)| *at >= hole);
            let noise: Vec<_> = since
                .filter(|(_, event)| {
                    matches!(
                        event,
                        Event::Left { .. } | Event::Connection(Connection::Reconnecting { .. })
                    )
                })
                .collect();
            assert!(noise.is_empty(), "{after}: {noise:?}");
        }
        assert_eq!(world.sessions.len(), 2, "nobody is there twice");
        let over = world.sessions.values().map(|session| session.kind);
        assert!(
            over.into_iter()
                .all(|kind| kind == TransportKind::WebSocket)
        );
    }
}
