//! One participant: a call with model encoders, on a connection of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use media_core::call::{Call, Config};
use media_core::capture::is_backed_up;
use media_core::command::{Lane, TransportId, TransportKind};
use media_core::event::{Connection, Event};
use media_core::frame::LocalFrame;
use media_core::{Command, Input};
use relay::session;
use relay::transport::{
    Channel, DatagramWriter, Lane as RelayLane, Outgoing, PacketReader, PacketWriter, ReadError,
    Received, WriteError,
};
use relay::{Admission, Clock, Dialect, Hub};
use tokio::sync::mpsc;
use tokio::time::sleep_until;
use videocall_types::api::{Access, ServerConfig, WebTransportEndpoint};
use videocall_types::claims::Capabilities;
use videocall_types::{
    CloseCode, DisplayName, Packet, PacketHeader, PacketKind, SessionId, Timestamp, Track, Wishes,
};

use crate::encoder::{Encoder, FPS};
use crate::seen::Seen;
use crate::wire::{Kind, Wire};

const AUDIO_INTERVAL: Duration = Duration::from_millis(20);

/// What a participant does, and what came of it.
pub(crate) struct Client {
    name: String,
    clock: Clock,
    hub: Hub,
    kind: Kind,
    up: Wire,
    down: Wire,
    call: Call,
    transport: TransportId,
    incoming: Option<mpsc::UnboundedReceiver<Bytes>>,
    outgoing: Option<mpsc::UnboundedSender<(Bytes, (u64, u8))>>,
    /// Bytes that the network has not taken yet.
    waiting: Arc<AtomicU64>,
    encoders: Vec<Encoder>,
    publishes: bool,
    pub(crate) speaks: bool,
    pictures: u64,
    sounds: u64,
    pub(crate) session: Option<SessionId>,
    pub(crate) seen: BTreeMap<SessionId, Seen>,
    pub(crate) keyframe_requests: usize,
    /// The largest layers that were asked of the encoders, in order.
    pub(crate) encoded: Vec<Vec<u8>>,
}

impl Client {
    pub(crate) fn new(
        name: &str,
        hub: &Hub,
        kind: Kind,
        (up, down): (Wire, Wire),
        publishes: bool,
        clock: Clock,
    ) -> Self {
        let config = config(name, kind);
        Self {
            name: name.to_owned(),
            clock,
            hub: hub.clone(),
            kind,
            up,
            down,
            call: Call::new(config, 1),
            transport: TransportId(0),
            incoming: None,
            outgoing: None,
            waiting: Arc::default(),
            encoders: Vec::new(),
            publishes,
            speaks: true,
            pictures: 0,
            sounds: 0,
            session: None,
            seen: BTreeMap::new(),
            keyframe_requests: 0,
            encoded: Vec::new(),
        }
    }

    pub(crate) async fn join(&mut self) {
        for track in [Track::Camera, Track::Microphone] {
            let on = self.publishes;
            self.input(Input::Publishing { track, on }).await;
        }
        self.input(Input::Join).await;
    }

    pub(crate) async fn show(&mut self, wishes: Wishes) {
        self.input(Input::Wishes(wishes)).await;
    }

    /// Takes part until then.
    pub(crate) async fn run_until(&mut self, end: Timestamp) {
        while self.clock.now() < end {
            let timeout = self.call.poll_timeout();
            let picture = Timestamp::from_micros(self.pictures * 1_000_000 / FPS);
            let sound = Timestamp::ZERO + AUDIO_INTERVAL * u32::try_from(self.sounds).unwrap();
            let due = [Some(end), timeout, Some(picture), Some(sound)];
            let due = due.into_iter().flatten().min().unwrap();
            let packet = tokio::select! {
                biased;
                packet = receive(&mut self.incoming) => Some(packet),
                () = sleep_until(self.clock.instant(due)) => None,
            };
            let now = self.clock.now();
            if let Some(packet) = packet {
                let id = self.transport;
                self.input(Input::PacketReceived { id, packet }).await;
            }
            if self.call.poll_timeout().is_some_and(|at| at <= now) {
                self.call.handle_timeout(self.clock.now());
                self.carry_out().await;
            }
            if picture <= now {
                self.take_picture().await;
                self.pictures += 1;
            }
            if sound <= now {
                self.make_sound().await;
                self.sounds += 1;
            }
        }
    }

    async fn take_picture(&mut self) {
        let waiting = self.waiting.load(Ordering::Relaxed);
        let bitrate = self.encoders.iter().map(|e| e.layer.encoding.bitrate).sum();
        if !self.publishes || is_backed_up(waiting, bitrate) {
            return;
        }
        let (number, now) = (self.pictures, self.clock.now());
        let encoders = self.encoders.iter_mut();
        let frames = encoders.filter_map(|encoder| encoder.encode(Track::Camera, number, now));
        for frame in frames.collect::<Vec<_>>() {
            self.input(Input::Waiting(waiting)).await;
            self.input(Input::FrameEncoded(frame)).await;
        }
    }

    async fn make_sound(&mut self) {
        if self.publishes && self.speaks {
            let (now, data) = (self.clock.now().as_micros(), Bytes::from_static(&[7; 80]));
            let frame = LocalFrame::sound(Track::Microphone, now, 20_000, 30, data);
            self.input(Input::FrameEncoded(frame)).await;
        }
    }

    async fn input(&mut self, input: Input) {
        self.call.handle(input, self.clock.now());
        self.carry_out().await;
    }

    async fn carry_out(&mut self) {
        let mut decoded = Vec::new();
        loop {
            self.carry_out_commands(&mut decoded).await;
            let Some((session, track)) = decoded.pop() else {
                return;
            };
            let shown = Input::FrameShown { session, track };
            self.call.handle(shown, self.clock.now());
        }
    }

    /// Whose pictures are decoded, and so shown, is added to `decoded`.
    async fn carry_out_commands(&mut self, decoded: &mut Vec<(SessionId, Track)>) {
        while let Some(command) = self.call.poll_command() {
            match command {
                Command::OpenTransport { id, url, .. } => {
                    let is_late = url.contains("enter=late");
                    Box::pin(self.connect(id, is_late)).await;
                }
                Command::Send { packet, lane, .. } => self.send(&packet, lane),
                Command::Encode {
                    track: Track::Camera,
                    layers,
                } => {
                    self.encoded
                        .push(layers.iter().map(|layer| layer.spatial_layer).collect());
                    let mut before = std::mem::take(&mut self.encoders);
                    for layer in layers {
                        let same = |e: &Encoder| e.layer.spatial_layer == layer.spatial_layer;
                        let encoder = match before.iter().position(same) {
                            Some(index) => before.swap_remove(index).with(layer),
                            None => Encoder::new(layer),
                        };
                        self.encoders.push(encoder);
                    }
                }
                Command::ForceKeyframe { spatial_layer, .. } => {
                    let same = |e: &&mut Encoder| e.layer.spatial_layer == spatial_layer;
                    self.encoders
                        .iter_mut()
                        .filter(same)
                        .for_each(Encoder::force);
                }
                Command::Decode(frame) => {
                    let now = self.clock.now();
                    if !frame.track.is_audio() {
                        decoded.push((frame.session, frame.track));
                    }
                    self.seen
                        .entry(frame.session)
                        .or_default()
                        .decoded(frame, now);
                }
                Command::CloseTransport { .. } => {
                    (self.incoming, self.outgoing) = (None, None);
                }
                Command::Emit(Event::Connection(Connection::Connected { session, .. })) => {
                    self.session = Some(session);
                }
                Command::FetchConfig
                | Command::Encode { .. }
                | Command::RestartDecoder { .. }
                | Command::CloseDecoder { .. }
                | Command::Emit(_) => {}
            }
        }
    }

    /// Joins the relay over the two wires.
    async fn connect(&mut self, id: TransportId, enters_late: bool) {
        let admission = Admission {
            meeting: "room".parse().unwrap(),
            user: self.name.parse().unwrap(),
            name: DisplayName::new(&self.name),
            dialect: Dialect::Native,
            can: Capabilities::default(),
            expires: None,
            enters_late,
        };
        self.transport = id;
        self.waiting = Arc::default();
        let (to_relay, at_relay) = mpsc::unbounded_channel();
        let (to_client, at_client) = mpsc::unbounded_channel();
        let (up_number, down_number) = (self.up.connect(), self.down.connect());
        tokio::spawn(self.up.clone().deliver(up_number, to_relay));
        tokio::spawn(self.down.clone().deliver(down_number, to_client));
        let writer = Writer(self.down.clone(), down_number);
        let hub = self.hub.clone();
        tokio::spawn(async move {
            let reader = Reader(at_relay);
            if enters_late {
                session::enter(reader, writer, &hub, admission).await
            } else {
                let membership = hub.join(admission).await.unwrap();
                session::run(reader, writer, membership).await
            };
        });
        self.incoming = Some(at_client);
        let (outgoing, mut queue) = mpsc::unbounded_channel::<(Bytes, (u64, u8))>();
        self.outgoing = Some(outgoing);
        let (up, waiting) = (self.up.clone(), self.waiting.clone());
        tokio::spawn(async move {
            while let Some((packet, lane)) = queue.recv().await {
                let len = packet.len() as u64;
                up.send(up_number, packet, lane).await;
                waiting.fetch_sub(len, Ordering::Relaxed);
            }
        });
        Box::pin(self.input(Input::TransportOpened(id))).await;
    }

    fn send(&mut self, packet: &Packet, lane: Lane) {
        let bytes = packet.to_bytes();
        let header = PacketHeader::parse(&bytes).unwrap();
        if header.kind == Ok(PacketKind::KEYFRAME_REQUEST) {
            self.keyframe_requests += 1;
        }
        let key = match lane {
            Lane::Control => (0, 0),
            Lane::Track(track) => (1, track as u8),
            Lane::Datagram(track) => {
                if self.up.send_datagram(bytes.clone()) {
                    return;
                }
                (1, track as u8)
            }
            Lane::Padding => {
                if self.up.send_datagram(bytes.clone()) || self.kind == Kind::WebTransport {
                    return;
                }
                (0, 0)
            }
        };
        self.waiting
            .fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if let Some(outgoing) = &self.outgoing {
            outgoing.send((bytes, key)).unwrap();
        }
    }
}

async fn receive(incoming: &mut Option<mpsc::UnboundedReceiver<Bytes>>) -> Bytes {
    match incoming {
        Some(incoming) => match incoming.recv().await {
            Some(packet) => packet,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

fn config(name: &str, kind: Kind) -> Config {
    let webtransport = WebTransportEndpoint {
        url: "https://relay:4433/lobby".into(),
        certificate_hashes: Vec::new(),
    };
    let is_quic = kind == Kind::WebTransport;
    Config {
        user: name.parse().unwrap(),
        meeting: "room".parse().unwrap(),
        name: DisplayName::new(name),
        server: ServerConfig {
            version: "0".into(),
            access: Access::Open,
            websocket_url: if is_quic { "" } else { "wss://relay/lobby" }.into(),
            webtransport: is_quic.then_some(webtransport),
            relay_urls: Vec::new(),
        },
        prefer: Some(if is_quic {
            TransportKind::WebTransport
        } else {
            TransportKind::WebSocket
        }),
        cores: 4,
        token: None,
    }
}

struct Reader(mpsc::UnboundedReceiver<Bytes>);

impl PacketReader for Reader {
    async fn recv(&mut self) -> Result<Option<Received>, ReadError> {
        let bytes = self.0.recv().await;
        Ok(bytes.map(|bytes| Received {
            bytes,
            channel: Channel::Stream,
        }))
    }
}

struct Writer(Wire, u64);

impl PacketWriter for Writer {
    type Datagrams = Datagrams;

    fn datagrams(&self) -> Datagrams {
        Datagrams(self.0.clone())
    }

    async fn send(&mut self, out: &Outgoing) -> Result<(), WriteError> {
        let key = match out.lane {
            RelayLane::Control | RelayLane::Datagram => (0, 0),
            RelayLane::Track { session, track } | RelayLane::TrackDatagram { session, track } => {
                (session.get(), track as u8 + 1)
            }
        };
        self.0.send(self.1, out.packet.to_bytes(), key).await;
        Ok(())
    }

    async fn close(self, _code: CloseCode) {}
}

struct Datagrams(Wire);

impl DatagramWriter for Datagrams {
    fn try_send(&self, packet: &Packet) -> bool {
        self.0.send_datagram(packet.to_bytes())
    }
}
