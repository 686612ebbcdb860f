//! What packets allocate on their way through a hub, counted.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::num::NonZeroU8;

use allocation_counter::{AllocationInfo, measure};
use protobuf::Message as _;
use relay::duplex::{self, Peer, Sent};
use relay::transport::{Channel, Lane};
use relay::{Admission, Bus, Dialect, Hub, HubConfig, Policy, metrics, session};
use relay_core::policy::{Budget, RatePolicy, RoomPolicy};
use tokio::runtime::{Builder, Runtime};
use tokio::task::unconstrained;
use videocall_types::claims::Capabilities;
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::proto::media_packet::{MediaPacket, VideoMetadata};
use videocall_types::{Bytes, DisplayName, Packet, PacketKind, Routing, Track};

/// Bytes of a video payload: so many that a single copy shows among everything else that is allocated.
const VIDEO: usize = 100_000;
/// Bytes of an audio payload.
const AUDIO: usize = 120;
/// Bytes that one packet may take in all, its own not counted: headers and reference counts.
const SMALL: u64 = 500;
/// Packets that are counted, after as many that are not: channels and queues find their size.
const PACKETS: u64 = 640;
/// Packets that fit a connection while its client does not read; more wait in the relay.
const CAPACITY: usize = 4;

/// One sender and some receivers in one room, all in this thread: it alone is counted.
struct Meeting {
    runtime: Runtime,
    sender: Peer,
    receivers: Vec<Peer>,
}

impl Meeting {
    fn new(dialect: Dialect, receivers: usize) -> Self {
        // As in a server. What nobody records costs nothing.
        let _ = metrics::install();
        // The clock stands still, so that nothing but packets gives the relay work.
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let (sender, receivers) = runtime.block_on(async {
            let bus = Bus::connect(None, NonZeroU8::MIN).await.unwrap();
            let hub = Hub::new(HubConfig::default(), bus, steady());
            let sender = join(&hub, "ada", dialect).await;
            let mut peers = Vec::new();
            for _ in 0..receivers {
                peers.push(join(&hub, "bob", dialect).await);
            }
            (sender, peers)
        });
        Self {
            runtime,
            sender,
            receivers,
        }
    }

    /// Sends `packets`, `burst` at a time, and waits until every receiver has them.
    fn exchange(&mut self, packets: Vec<Bytes>, burst: usize) {
        let Self {
            runtime,
            sender,
            receivers,
        } = self;
        let mut packets = packets.into_iter();
        // A client that had to yield would make the runtime allocate a list of those that did.
        runtime.block_on(unconstrained(async {
            while packets.len() > 0 {
                let mut sent = 0;
                for packet in packets.by_ref().take(burst) {
                    sender.send(packet, Channel::Stream).await;
                    sent += 1;
                }
                for receiver in receivers.iter_mut() {
                    for _ in 0..sent {
                        receive_media(receiver).await;
                    }
                }
            }
        }));
    }
}

/// Nobody is limited, and nothing waits for a time: the clock stands still.
fn steady() -> Policy {
    let unlimited = Budget {
        per_second: u32::MAX,
        burst: u32::MAX,
    };
    Policy {
        room: RoomPolicy {
            // Members get video without saying that they show it.
            large_above: usize::MAX,
            ..RoomPolicy::default()
        },
        rate: RatePolicy {
            packets: unlimited,
            bytes: unlimited,
            ..RatePolicy::default()
        },
        ..Policy::default()
    }
}

async fn join(hub: &Hub, user: &str, dialect: Dialect) -> Peer {
    let membership = hub
        .join(Admission {
            meeting: "meeting".parse().unwrap(),
            user: user.parse().unwrap(),
            name: DisplayName::new(user),
            dialect,
            can: Capabilities::default(),
            expires: None,
            enters_late: false,
        })
        .await
        .unwrap();
    let (reader, writer, peer) = duplex::pair(CAPACITY);
    tokio::spawn(session::run(reader, writer, membership));
    peer
}

async fn receive_media(peer: &mut Peer) {
    loop {
        match peer.recv().await.expect("the relay has closed") {
            Sent::Packet(_, Lane::Control) | Sent::TracksClosed(_) => {}
            Sent::Packet(..) => return,
        }
    }
}

fn native(track: Track, sequence: u64, payload: usize) -> Bytes {
    let routing = Routing {
        capture_time_us: 1000 * sequence,
        ..Routing::new(track, sequence, sequence == 0)
    };
    Packet::media(b"ada", None, &routing, vec![0; payload].into()).to_bytes()
}

fn video_packet(sequence: u64) -> Bytes {
    native(Track::Camera, sequence, VIDEO)
}

fn audio_packet(sequence: u64) -> Bytes {
    native(Track::Microphone, sequence, AUDIO)
}

fn stock_video_packet(sequence: u64) -> Bytes {
    let mut video = VideoMetadata::new();
    video.sequence = sequence;
    let mut media = MediaPacket::new();
    media.media_type = MediaType::VIDEO.into();
    media.frame_type = if sequence == 0 { "key" } else { "delta" }.into();
    media.data = vec![0; VIDEO].into();
    media.video_metadata = Some(video).into();
    let data = media.write_to_bytes().unwrap();
    Packet::new(PacketKind::MEDIA, b"ada", None, b"", data.into()).to_bytes()
}

/// What [`PACKETS`] packets allocate that come `burst` at a time. Their own bytes are there before: the transport allocates them.
fn allocations(
    dialect: Dialect,
    packet: fn(u64) -> Bytes,
    receivers: usize,
    burst: usize,
) -> AllocationInfo {
    let mut meeting = Meeting::new(dialect, receivers);
    meeting.exchange((0..PACKETS).map(packet).collect(), burst);
    let packets = (PACKETS..2 * PACKETS).map(packet).collect();
    measure(|| meeting.exchange(packets, burst))
}

/// At most `most` allocations per inbound packet, none of them of a payload's size, and none per delivered copy.
fn check(dialect: Dialect, packet: fn(u64) -> Bytes, most: u64) {
    for burst in [1, 12] {
        let [to_one, to_ten, to_fifty] =
            [1, 10, 50].map(|receivers| allocations(dialect, packet, receivers, burst));
        assert!(to_one.count_total <= most * PACKETS, "{to_one:?}");
        assert_eq!(to_ten.count_total, to_one.count_total);
        assert_eq!(to_fifty.count_total, to_one.count_total);
        for counted in [to_one, to_ten, to_fifty] {
            assert!(counted.bytes_total < SMALL * PACKETS, "{counted:?}");
        }
    }
}

#[test]
fn native_video() {
    check(Dialect::Native, video_packet, 4);
}

#[test]
fn native_audio() {
    check(Dialect::Native, audio_packet, 5);
}

#[test]
fn stock_video() {
    check(Dialect::Stock, stock_video_packet, 7);
}
