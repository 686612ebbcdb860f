//! Does one operation of the packet path many times, so that `scripts/instructions.mjs` can count what it takes.
//!
//! `instructions OPERATION TIMES`; without arguments it names the operations.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool of developers with fixed inputs"
)]

use std::hint::black_box;
use std::time::Duration;

use protobuf::Message as _;
use relay_core::ingress::{self, Identity, Inbound};
use relay_core::policy::{QueuePolicy, RoomPolicy};
use relay_core::queue::{Label, SendQueue};
use relay_core::{Content, Dialect, Forward, NewMember, Room};
use videocall_types::claims::Capabilities;
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::proto::media_packet::{MediaPacket, VideoMetadata};
use videocall_types::{
    Bytes, Codec, DisplayName, Packet, PacketHeader, PacketKind, Routing, ServerId, SessionId,
    Timestamp, Track,
};

/// Payload bytes of a video frame.
const VIDEO: usize = 4000;
/// Payload bytes of an audio frame.
const AUDIO: usize = 120;
/// Sessions whose media one queue takes.
const SOURCES: u64 = 8;

/// Does an operation so many times.
type Operation = fn(u64);

const OPERATIONS: [(&str, Operation); 9] = [
    ("peek-native-video", |times| peek(&native_video(), times)),
    ("peek-stock-video", |times| peek(&stock_video(), times)),
    ("stamp-native-video", |times| stamp(&native_video(), times)),
    ("stamp-native-audio", |times| stamp(&native_audio(), times)),
    ("stamp-stock-video", |times| stamp(&stock_video(), times)),
    ("route-to-1", |times| route(1, times)),
    ("route-to-10", |times| route(10, times)),
    ("route-to-200", |times| route(200, times)),
    ("queue-video-and-audio", queue),
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let Some(wanted) = arguments.next() else {
        for (name, _) in OPERATIONS {
            println!("{name}");
        }
        return;
    };
    let (_, operation) = OPERATIONS.iter().find(|(name, _)| *name == wanted).unwrap();
    operation(arguments.next().unwrap().parse().unwrap());
}

/// Reads a packet's header.
fn peek(packet: &Bytes, times: u64) {
    for _ in 0..times {
        black_box(PacketHeader::parse(black_box(packet)).unwrap());
    }
}

/// Reads a packet from a client and makes the one that goes to others.
fn stamp(packet: &Bytes, times: u64) {
    let identity = Identity {
        session: session(1),
        user: "ada".parse().unwrap(),
    };
    for _ in 0..times {
        black_box(ingress::from_client(black_box(packet), &identity).unwrap());
    }
}

/// Names the receivers of a packet.
fn route(receivers: u64, times: u64) {
    let start = Timestamp::ZERO;
    let meeting = "meeting".parse().unwrap();
    let mut room = Room::new(meeting, ServerId(1), RoomPolicy::default(), 0, start);
    for index in 0..=receivers {
        let new = NewMember {
            session: session(index),
            user: "ada".parse().unwrap(),
            name: DisplayName::new("Ada"),
            dialect: Dialect::Native,
            can: Capabilities::default(),
            secret: None,
        };
        room.join(new, index, start).unwrap();
    }
    let forward = forward(&native_video(), session(0));
    for millis in 0..times {
        let now = Timestamp::from_millis(millis);
        let route = room.route(black_box(&forward), now).unwrap();
        for receiver in route.receivers() {
            black_box(receiver);
        }
    }
}

/// Puts a camera frame and an audio packet in front of one receiver and takes both out.
fn queue(times: u64) {
    let mut queue = SendQueue::new(QueuePolicy::default());
    let packets: Vec<[Forward; 2]> = (1..=SOURCES)
        .map(|raw| [native_video(), native_audio()].map(|packet| forward(&packet, session(raw))))
        .collect();
    let mut now = Timestamp::ZERO;
    for sequence in 0..times.div_ceil(SOURCES) {
        for packets in &packets {
            now = now + Duration::from_millis(1);
            for packet in packets {
                let forward = next(packet, sequence);
                let label = Label {
                    source: forward.source,
                    content: forward.content,
                    len: forward.packet.len(),
                };
                queue.push(forward, &label, now).unwrap();
            }
            while let Some(forward) = queue.pop(now) {
                black_box(forward);
            }
        }
    }
}

/// The packet as number `sequence` of its track, as far as a queue can tell.
fn next(packet: &Forward, sequence: u64) -> Forward {
    let mut forward = packet.clone();
    if let Content::Media(routing) = &mut forward.content {
        routing.sequence = sequence;
        routing.keyframe = sequence == 0;
    }
    forward
}

fn forward(packet: &Bytes, source: SessionId) -> Forward {
    let identity = Identity {
        session: source,
        user: "ada".parse().unwrap(),
    };
    match ingress::from_client(packet, &identity).unwrap() {
        Inbound::Forward(forward) => forward,
        other => panic!("{other:?}"),
    }
}

/// As long on the wire as the random ids of a relay mostly are.
fn session(index: u64) -> SessionId {
    SessionId::new((1 << 63) + index).unwrap()
}

fn native_video() -> Bytes {
    native(Track::Camera, VIDEO)
}

fn native_audio() -> Bytes {
    native(Track::Microphone, AUDIO)
}

fn native(track: Track, payload: usize) -> Bytes {
    let routing = Routing {
        temporal_layer: 1,
        capture_time_us: 1_000_000_000,
        audio_level: 30,
        codec: Some(Codec::Vp9),
        ..Routing::new(track, 1000, false)
    };
    Packet::media(b"ada", None, &routing, vec![0; payload].into()).to_bytes()
}

fn stock_video() -> Bytes {
    let mut video = VideoMetadata::new();
    video.sequence = 1000;
    let mut media = MediaPacket::new();
    media.media_type = MediaType::VIDEO.into();
    media.user_id = Bytes::from_static(b"ada");
    media.frame_type = "delta".into();
    media.timestamp = 1e12;
    media.data = vec![0; VIDEO].into();
    media.video_metadata = Some(video).into();
    let data = media.write_to_bytes().unwrap();
    Packet::new(PacketKind::MEDIA, b"ada", None, b"", data.into()).to_bytes()
}
