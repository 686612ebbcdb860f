//! Sound between two calls over a network that loses packets, as it is heard, in virtual time.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use media_core::call::Call;
use media_core::command::{Lane, TransportId, TransportKind};
use media_core::frame::LocalFrame;
use media_core::playout::{Packet as Sound, Playout};
use media_core::{Command, Input};
use protobuf::Message as _;
use videocall_types::proto::control::Redundancy as Message;
use videocall_types::proto::media_packet::MediaPacket;
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::{Packet, PacketHeader, PacketKind, Redundancy, SessionId, Timestamp, Track};

use crate::relay;
use crate::rig::config;

/// One way.
const LATENCY: Duration = Duration::from_millis(40);
const SPEAKER: usize = 0;
const LISTENER: usize = 1;
const SECONDS: u64 = 120;

/// Which packets a network loses.
#[derive(Clone, Copy)]
enum Loss {
    /// So many in a hundred, one by one.
    Single(u64),
    /// So many in a hundred, two in a row on average.
    Bursts(u64),
}

/// How it sounded.
#[derive(Debug)]
struct Heard {
    /// Share of the time in which what was said was heard, in percent.
    continuity: f64,
    /// Bytes of sound that the speaker sent.
    bytes: usize,
    /// Earlier frames in the last packet.
    repeated: usize,
}

struct World {
    now: Timestamp,
    random: u64,
    loss: Loss,
    losing: bool,
    /// The relay tells the speaker what the listener lacks.
    adapts: bool,
    calls: [Call; 2],
    /// What is under way to a call, in order of arrival.
    network: BTreeMap<(Timestamp, u64), (usize, Bytes)>,
    sent: u64,
    playout: Playout,
    heard: Heard,
}

/// Somebody talks for two minutes, for 4 s at a time with pauses of 1 s in which nothing is sent.
fn talk(loss: Loss, adapts: bool) -> Heard {
    let calls = [1, 2].map(|seed| {
        let mut config = config();
        config.server.webtransport = None;
        config.prefer = Some(TransportKind::WebSocket);
        Call::new(config, seed)
    });
    let mut world = World {
        now: Timestamp::from_millis(5_000),
        random: 0x9e37_79b9_7f4a_7c15,
        loss,
        losing: false,
        adapts,
        calls,
        network: BTreeMap::new(),
        sent: 0,
        playout: Playout::default(),
        heard: Heard {
            continuity: 0.0,
            bytes: 0,
            repeated: 0,
        },
    };
    world.meet();
    world.run();
    world.heard
}

impl World {
    fn meet(&mut self) {
        for (call, user) in [(SPEAKER, "listener"), (LISTENER, "speaker")] {
            let (own, other) = (call as u64 + 1, 2 - call as u64);
            self.input(call, Input::Join);
            self.input(call, Input::TransportOpened(TransportId(0)));
            self.receive(call, relay::assigned(own));
            let other = relay::participant(other, user, &[Track::Microphone]);
            self.receive(call, relay::presence(true, vec![other], &[]));
        }
        let track = Track::Microphone;
        self.input(SPEAKER, Input::Publishing { track, on: true });
    }

    fn run(&mut self) {
        let start = self.now.as_micros() / 1000;
        let mut said = 0;
        for ms in 0..SECONDS * 1000 {
            self.now = Timestamp::from_millis(start + ms);
            for call in [SPEAKER, LISTENER] {
                if self.calls[call]
                    .poll_timeout()
                    .is_some_and(|at| at <= self.now)
                {
                    self.calls[call].handle_timeout(self.now);
                    self.carry_out(call);
                }
            }
            let talks = ms % 5_000 < 4_000;
            if ms % 20 == 0 && talks {
                said += 1;
                self.say(ms);
            }
            while let Some(entry) = self.network.first_entry().filter(|e| e.key().0 <= self.now) {
                let (call, packet) = entry.remove();
                self.receive(call, packet);
            }
            self.playout.pull(&mut [0.0; 48]);
        }
        // Fading away at the end of each word is no loss.
        let fades = SECONDS / 5 * 100;
        let made_up = (self.playout.stats().operations.expand / 48).saturating_sub(fades);
        self.heard.continuity = 100.0 - 100.0 * made_up as f64 / (said * 20) as f64;
    }

    fn say(&mut self, ms: u64) {
        let data = Bytes::from(vec![7; 80]);
        let frame = LocalFrame::sound(Track::Microphone, ms * 1000, 20_000, 30, data);
        self.input(SPEAKER, Input::FrameEncoded(frame));
    }

    fn input(&mut self, call: usize, input: Input) {
        self.calls[call].handle(input, self.now);
        self.carry_out(call);
    }

    fn receive(&mut self, call: usize, packet: Bytes) {
        let id = TransportId(0);
        self.input(call, Input::PacketReceived { id, packet });
    }

    fn carry_out(&mut self, call: usize) {
        while let Some(command) = self.calls[call].poll_command() {
            match command {
                Command::Send { packet, lane, .. } => self.relay(call, &packet, lane),
                Command::Decode(frame) => self.playout.push(Sound {
                    sequence: frame.sequence,
                    capture_time_us: frame.capture_time_us,
                    repeats: frame.earlier.len() as u8,
                    samples: &[0.1; 960],
                }),
                _ => {}
            }
        }
    }

    /// The relay in miniature: probes come back, the listener gets the speaker's sound, unless it is lost, and the speaker
    /// hears what the listener lacks.
    fn relay(&mut self, from: usize, packet: &Packet, lane: Lane) {
        let bytes = packet.to_bytes();
        let header = PacketHeader::parse(&bytes).unwrap();
        match (header.kind.unwrap(), lane) {
            (PacketKind::MEDIA, Lane::Datagram(_)) => {
                self.heard.bytes += bytes.len();
                let media = MediaPacket::parse_from_bytes(&header.data).unwrap();
                self.heard.repeated = media.earlier.len();
                if !self.loses() {
                    let (session, data) = (SessionId::new(1), header.data);
                    let kind = PacketKind::MEDIA;
                    let stamped = Packet::new(kind, b"a", session, &header.routing, data);
                    self.arrive(LISTENER, stamped.to_bytes());
                }
            }
            (PacketKind::MEDIA, _) => {
                let media = MediaPacket::parse_from_bytes(&header.data).unwrap();
                if media.media_type.unwrap() == MediaType::RTT {
                    self.arrive(from, bytes.clone());
                }
            }
            (PacketKind::REDUNDANCY, _) if self.adapts => {
                assert_eq!(from, LISTENER);
                let message = Message::parse_from_bytes(&header.data).unwrap();
                assert!(Redundancy::from_wire(&message).is_some());
                self.arrive(SPEAKER, bytes.clone());
            }
            _ => {}
        }
    }

    fn arrive(&mut self, call: usize, packet: Bytes) {
        self.sent += 1;
        let at = self.now + LATENCY;
        self.network.insert((at, self.sent), (call, packet));
    }

    fn loses(&mut self) -> bool {
        self.losing = match self.loss {
            Loss::Single(percent) => self.below(100) < percent,
            Loss::Bursts(_) if self.losing => self.below(2) > 0,
            // With bursts of two on average, half as many begin as packets are lost.
            Loss::Bursts(percent) => self.below(200 - 2 * percent) < percent,
        };
        self.losing
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limit
    }
}

#[test]
fn two_percent_loss_is_not_heard() {
    let (plain, repeated) = (talk(Loss::Single(2), false), talk(Loss::Single(2), true));
    assert!(plain.continuity < 98.6, "{plain:?}");
    assert!(repeated.continuity >= 99.5, "{repeated:?}");
    assert_eq!(repeated.repeated, 1);
}

#[test]
fn five_percent_loss_and_bursts_are_heard_much_less() {
    for (loss, bound) in [(Loss::Single(5), 99.5), (Loss::Bursts(10), 97.0)] {
        let (plain, repeated) = (talk(loss, false), talk(loss, true));
        assert!(repeated.continuity >= bound, "{plain:?} {repeated:?}");
        let (before, after) = (100.0 - plain.continuity, 100.0 - repeated.continuity);
        assert!(after < before / 3.0, "{plain:?} {repeated:?}");
    }
}

#[test]
fn nothing_is_repeated_where_nothing_is_lost() {
    let (plain, adapting) = (talk(Loss::Single(0), false), talk(Loss::Single(0), true));
    assert_eq!(adapting.repeated, 0);
    assert_eq!(adapting.bytes, plain.bytes);
    assert!(adapting.continuity >= 99.9, "{adapting:?}");
}
