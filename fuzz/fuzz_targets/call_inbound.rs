//! Whatever a relay and peers send and whenever, a call goes on, and no decoder gets a delta without its reference.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use media_core::call::{Call, Config};
use media_core::command::TransportId;
use media_core::{Command, Input};
use protobuf::Message as _;
use videocall_types::api::{Access, ServerConfig};
use videocall_types::proto::control::{Participant, Presence};
use videocall_types::proto::media_packet::MediaPacket;
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::{
    Bytes, Codec, DisplayName, Packet, PacketKind, Routing, SessionId, Timestamp, Track, Wishes,
};

#[derive(Arbitrary, Debug)]
enum Step {
    Pass {
        millis: u16,
    },
    Bytes {
        bytes: Vec<u8>,
    },
    Payload {
        kind: u8,
        payload: Vec<u8>,
    },
    Presence {
        snapshot: bool,
        sessions: Vec<u8>,
        camera: bool,
        left: Vec<u8>,
    },
    Frame {
        session: u8,
        track: u8,
        sequence: u64,
        near: bool,
        keyframe: bool,
        layer: u8,
        reference: u32,
        capture_time_us: u64,
        codec: u8,
        broken: bool,
    },
    DecoderFailed {
        session: u8,
        track: u8,
    },
    FrameShown {
        session: u8,
        track: u8,
    },
    Closed {
        code: u16,
    },
    Wishes {
        shown: Vec<(u8, u8, u32)>,
        others: bool,
    },
}

fuzz_target!(|steps: Vec<Step>| {
    let mut client = Client::new();
    for step in steps {
        client.step(step);
    }
});

/// What a decoder has got since its last keyframe.
struct Decoder {
    codec: Codec,
    sequences: BTreeSet<u64>,
}

struct Client {
    call: Call,
    now: Timestamp,
    transport: TransportId,
    decoders: BTreeMap<(SessionId, Track), Decoder>,
}

impl Client {
    fn new() -> Self {
        let config = Config {
            user: "me".parse().expect("an id"),
            meeting: "room".parse().expect("an id"),
            name: DisplayName::new(""),
            server: ServerConfig {
                version: String::new(),
                access: Access::Open,
                relay_urls: Vec::new(),
                websocket_url: "wss://relay/lobby".into(),
                webtransport: None,
            },
            prefer: None,
            cores: 4,
            token: None,
        };
        let call = Call::new(config, 1);
        let mut client = Self {
            call,
            now: Timestamp::ZERO,
            transport: TransportId(0),
            decoders: BTreeMap::new(),
        };
        client.input(Input::Join);
        client
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Pass { millis } => self.pass(Duration::from_millis(millis.into())),
            Step::Bytes { bytes } => self.receive(bytes.into()),
            Step::Payload { kind, payload } => {
                let kinds = [
                    PacketKind::MEDIA,
                    PacketKind::PRESENCE,
                    PacketKind::NOTICE,
                    PacketKind::SESSION_ASSIGNED,
                    PacketKind::DEMAND,
                    PacketKind::KEYFRAME_REQUEST,
                    PacketKind::REPORT,
                    PacketKind::REDUNDANCY,
                    PacketKind::SPEAKERS,
                ];
                let kind = kinds[usize::from(kind) % kinds.len()];
                self.receive(
                    Packet::new(kind, b"x", SessionId::new(2), b"", payload.into()).to_bytes(),
                );
            }
            Step::Presence {
                snapshot,
                sessions,
                camera,
                left,
            } => {
                self.receive(presence(snapshot, &sessions, camera, &left));
            }
            Step::Frame {
                session,
                track,
                sequence,
                near,
                keyframe,
                layer,
                reference,
                capture_time_us,
                codec,
                broken,
            } => {
                let track = Track::ALL[usize::from(track) % 4];
                let codecs = [None, Some(Codec::Vp8), Some(Codec::Vp9), Some(Codec::Opus)];
                let sequence = if near { sequence % 64 } else { sequence };
                let routing = Routing {
                    spatial_layer: layer % 4,
                    reference,
                    capture_time_us,
                    codec: codecs[usize::from(codec) % codecs.len()],
                    ..Routing::new(track, sequence, keyframe)
                };
                self.receive(frame(session, &routing, broken));
            }
            Step::DecoderFailed { session, track } => {
                if let Some((session, track)) = decoder(session, track) {
                    self.input(Input::DecoderFailed { session, track });
                }
            }
            Step::FrameShown { session, track } => {
                if let Some((session, track)) = decoder(session, track) {
                    self.input(Input::FrameShown { session, track });
                }
            }
            Step::Closed { code } => self.input(Input::TransportClosed {
                id: self.transport,
                code: Some(code),
            }),
            Step::Wishes { shown, others } => {
                let wish = |(session, track, height)| Some((decoder(session, track)?, height));
                let shown = shown.into_iter().filter_map(wish).collect();
                self.input(Input::Wishes(Wishes { shown, others }));
            }
        }
    }

    fn receive(&mut self, packet: Bytes) {
        self.input(Input::PacketReceived {
            id: self.transport,
            packet,
        });
    }

    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(at) = self.call.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.call.handle_timeout(self.now);
            self.carry_out();
            assert!(
                self.call.poll_timeout().is_none_or(|at| at > self.now),
                "it spins"
            );
        }
        self.now = end;
    }

    fn input(&mut self, input: Input) {
        self.call.handle(input, self.now);
        self.carry_out();
    }

    fn carry_out(&mut self) {
        let mut opened = None;
        while let Some(command) = self.call.poll_command() {
            match command {
                Command::OpenTransport { id, .. } => opened = Some(id),
                Command::Decode(frame) if !frame.track.is_audio() => {
                    let key = (frame.session, frame.track);
                    if frame.keyframe {
                        let decoder = Decoder {
                            codec: frame.codec,
                            sequences: BTreeSet::from([frame.sequence]),
                        };
                        self.decoders.insert(key, decoder);
                        continue;
                    }
                    let decoder = self.decoders.get_mut(&key).expect("a keyframe came first");
                    let reference = frame.sequence.checked_sub(frame.reference.into());
                    let has = reference.is_some_and(|n| decoder.sequences.contains(&n));
                    assert!(has && decoder.codec == frame.codec, "{frame:?}");
                    decoder.sequences.insert(frame.sequence);
                }
                Command::CloseDecoder { session, track }
                | Command::RestartDecoder { session, track } => {
                    self.decoders.remove(&(session, track));
                }
                _ => {}
            }
        }
        if let Some(id) = opened {
            self.transport = id;
            self.input(Input::TransportOpened(id));
            let own = SessionId::new(1);
            self.receive(
                Packet::new(PacketKind::SESSION_ASSIGNED, b"", own, b"", Bytes::new()).to_bytes(),
            );
        }
    }
}

fn decoder(session: u8, track: u8) -> Option<(SessionId, Track)> {
    Some((
        SessionId::new(u64::from(session))?,
        Track::ALL[usize::from(track) % 4],
    ))
}

fn presence(snapshot: bool, sessions: &[u8], camera: bool, left: &[u8]) -> Bytes {
    let participant = |session: &u8| {
        let mut participant = Participant::new();
        participant.session_id = (*session).into();
        participant.user_id = "peer".into();
        participant.state.mut_or_insert_default().camera = camera;
        participant
    };
    let mut presence = Presence::new();
    presence.snapshot = snapshot;
    presence.participants = sessions.iter().map(participant).collect();
    presence.left = left.iter().map(|session| (*session).into()).collect();
    let payload = presence.write_to_bytes().expect("it is small");
    Packet::new(PacketKind::PRESENCE, b"", None, b"", payload.into()).to_bytes()
}

fn frame(session: u8, routing: &Routing, broken: bool) -> Bytes {
    let mut media = MediaPacket::new();
    media.media_type = if routing.track.is_audio() {
        MediaType::AUDIO
    } else {
        MediaType::VIDEO
    }
    .into();
    media.data = Bytes::from_static(b"chunk");
    let payload = if broken {
        vec![0xff; 3]
    } else {
        media.write_to_bytes().expect("it is small")
    };
    Packet::media(
        b"peer",
        SessionId::new(session.into()),
        routing,
        payload.into(),
    )
    .to_bytes()
}
