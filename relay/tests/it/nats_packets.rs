//! Packets on a real NATS: what is in a message, and what becomes of messages that are faulty or too many.

use std::thread;
use std::time::Duration;

use async_nats::{Client as Nats, RequestErrorKind, Subscriber};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use protobuf::Message as _;
use relay::Dialect;
use relay::duplex::Sent;
use relay::metrics::{self, MetricsHandle};
use relay_core::{MediaState, Profile, messages};
use tokio::time::timeout;
use videocall_types::framing::{Split, write_prefix};
use videocall_types::limits::MAX_PACKET_BYTES;
use videocall_types::proto::bus::BusEvent;
use videocall_types::proto::bus::bus_event::Event;
use videocall_types::{DisplayName, Packet, PacketHeader, Routing, ServerId, SessionId, Track};

use crate::nats::{NatsServer, hub};
use crate::support::{self, Client, Got};
use Dialect::Native;

const PACKETS: &str = "vc.room.standup.packets";
const EVENT: &str = "vc.room.standup.event";
const PATIENCE: Duration = Duration::from_secs(20);
/// The member of [`Relay`].
const ADA: SessionId = SessionId::new(7).unwrap();

/// Another relay, played by hand.
struct Relay {
    nats: Nats,
    packets: Subscriber,
    events: Subscriber,
}

impl Relay {
    async fn start(server: &NatsServer) -> Self {
        let nats = async_nats::connect(server.url()).await.unwrap();
        let packets = nats.subscribe(PACKETS).await.unwrap();
        let events = nats.subscribe(EVENT).await.unwrap();
        settle(&nats).await;
        Self {
            nats,
            packets,
            events,
        }
    }

    /// Opens the room: Ada and `bob`, who has just opened it at the hub, get to know each other.
    async fn meet(&mut self, bob: &mut Client) {
        self.until_hello().await;
        self.announce().await;
        bob.until_joined("ada").await;
    }

    /// Waits until the hub has opened the room: who says hello listens.
    async fn until_hello(&mut self) {
        while !matches!(self.next_event().await, Event::Hello(_)) {}
    }

    /// Says that Ada is here.
    async fn announce(&self) {
        let profile = Profile {
            user: "ada".parse().unwrap(),
            name: DisplayName::new("ada"),
            state: MediaState::default(),
        };
        let members = [(ADA, &profile)].into_iter();
        let event = messages::members(ServerId(1), true, members, std::iter::empty());
        self.nats.publish(EVENT, event).await.unwrap();
    }

    async fn publish(&self, message: Bytes) {
        self.nats.publish(PACKETS, message).await.unwrap();
    }

    async fn next_message(&mut self) -> Bytes {
        next(&mut self.packets).await
    }

    /// What the other relay says, skipping what this one does.
    async fn next_event(&mut self) -> Event {
        loop {
            let event = BusEvent::parse_from_tokio_bytes(&next(&mut self.events).await).unwrap();
            if event.server_id != 1 {
                return event.event.unwrap();
            }
        }
    }
}

/// Waits until the server has done what it was told on this connection. Flushing waits for the socket only.
async fn settle(nats: &Nats) {
    let subject = nats.new_inbox();
    let mut echo = nats.subscribe(subject.clone()).await.unwrap();
    nats.publish(subject, Bytes::new()).await.unwrap();
    next(&mut echo).await;
}

async fn next(subscriber: &mut Subscriber) -> Bytes {
    let message = timeout(PATIENCE, subscriber.next()).await;
    message.expect("nothing came").unwrap().payload
}

fn routing(track: Track, sequence: u64) -> Routing {
    support::routing(track, sequence, sequence == 0)
}

/// A frame of Ada's camera, as it is in a message.
fn framed(routing: &Routing) -> Bytes {
    Packet::media(b"ada", Some(ADA), routing, Bytes::from_static(b"frame"))
        .framed()
        .concat()
        .into()
}

/// What a client sends: it becomes larger by the stamp.
fn of_client(sequence: u64, payload: Bytes) -> Bytes {
    Packet::media(b"", None, &routing(Track::Screen, sequence), payload).to_bytes()
}

/// The next media of `from`: sequence number and payload.
async fn next_media(client: &mut Client, from: SessionId) -> (u64, Bytes) {
    loop {
        let sent = timeout(PATIENCE, client.peer.recv()).await;
        let Some(Sent::Packet(packet, _)) = sent.expect("nothing came") else {
            continue;
        };
        let header = PacketHeader::parse(&packet.to_bytes()).unwrap();
        if let (Some(routing), true) = (
            Routing::parse(&header.routing),
            header.session_id == Some(from),
        ) {
            return (routing.sequence, header.data);
        }
    }
}

fn metric(metrics: &MetricsHandle, name: &str) -> u64 {
    let text = metrics.render();
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
        .unwrap_or(0)
}

#[tokio::test]
async fn a_message_holds_packets_in_order_and_within_bounds() {
    let metrics = metrics::install();
    let server = NatsServer::start();
    let hub = hub(&server.url()).await;
    let mut relay = Relay::start(&server).await;
    let mut bob = Client::join(&hub, "standup", "bob", Native).await;
    relay.meet(&mut bob).await;
    let lens = |sequence: u64| match sequence % 100 {
        50 => 70_000,
        60..70 => 9_000,
        other => other as usize,
    };
    for sequence in 0..1000 {
        bob.send(of_client(sequence, vec![1; lens(sequence)].into()))
            .await;
    }
    let (mut expected, mut messages, mut bytes) = (0, 0, 0);
    while expected < 1000 {
        let message = relay.next_message().await;
        let packets: Vec<Bytes> = Split::new(message.clone()).map(Result::unwrap).collect();
        assert!(packets.len() <= 64);
        assert!(packets.len() == 1 || message.len() <= 64 * 1024);
        for packet in packets {
            let header = PacketHeader::parse(&packet).unwrap();
            let routing = Routing::parse(&header.routing).unwrap();
            assert_eq!(routing.sequence, expected);
            assert_eq!(header.data.len(), lens(expected));
            assert_eq!(header.session_id, Some(bob.session));
            expected += 1;
        }
        messages += 1;
        bytes += message.len() as u64;
    }
    assert!(messages < 1000, "{messages}");
    assert_eq!(metric(&metrics, "relay_bus_packets_sent_total"), 1000);
    assert_eq!(metric(&metrics, "relay_bus_messages_sent_total"), messages);
    assert_eq!(metric(&metrics, "relay_bus_bytes_sent_total"), bytes);
}

#[tokio::test]
async fn packets_of_all_sizes_keep_their_order_both_ways() {
    let server = NatsServer::start();
    let (one, other) = (hub(&server.url()).await, hub(&server.url()).await);
    let mut ada = Client::join(&one, "standup", "ada", Native).await;
    let mut bob = Client::join(&other, "standup", "bob", Native).await;
    ada.until_joined("bob").await;
    bob.until_joined("ada").await;
    let payloads = |from: &Client, user: &[u8]| {
        let stamped = |len: usize| {
            Packet::media(
                user,
                Some(from.session),
                &routing(Track::Screen, 9),
                vec![0; len].into(),
            )
            .len()
        };
        let largest = MAX_PACKET_BYTES - (stamped(900_000) - 900_000);
        assert_eq!(stamped(largest), MAX_PACKET_BYTES);
        [
            0, 1, 100, 127, 128, 20_000, 65_000, 66_000, 5, largest, 7, largest, 1000, 200_000, 3,
        ]
    };
    let (of_ada, of_bob) = (payloads(&ada, b"ada"), payloads(&bob, b"bob"));
    for (sequence, (left, right)) in (0..).zip(of_ada.into_iter().zip(of_bob)) {
        let fill = sequence as u8;
        ada.send(of_client(sequence, vec![fill; left].into())).await;
        bob.send(of_client(sequence, vec![fill; right].into()))
            .await;
    }
    for (sequence, (left, right)) in (0..).zip(of_ada.into_iter().zip(of_bob)) {
        let fill = sequence as u8;
        let got = next_media(&mut bob, ada.session).await;
        assert!(got == (sequence, vec![fill; left].into()), "{sequence}");
        let got = next_media(&mut ada, bob.session).await;
        assert!(got == (sequence, vec![fill; right].into()), "{sequence}");
    }
}

#[tokio::test]
async fn a_faulty_message_costs_only_what_cannot_be_split() {
    let metrics = metrics::install();
    let server = NatsServer::start();
    let hub = hub(&server.url()).await;
    let mut relay = Relay::start(&server).await;
    let mut bob = Client::join(&hub, "standup", "bob", Native).await;
    relay.meet(&mut bob).await;
    let mut stranger = BytesMut::new();
    write_prefix(&mut stranger, 3);
    stranger.extend_from_slice(b"???");
    let faults: [&[u8]; 5] = [
        &[],
        &[0x85],
        &[0xff, 0xff, 0xff],
        b"\x09too few",
        &stranger[..],
    ];
    for (sequence, fault) in (0..).zip(faults) {
        let good = framed(&routing(Track::Camera, sequence));
        relay.publish([&good[..], fault].concat().into()).await;
    }
    // What only can't be read does not cost what follows.
    let good = framed(&routing(Track::Camera, 5));
    relay
        .publish([&stranger[..], &good[..]].concat().into())
        .await;
    for sequence in 0..=5 {
        assert_eq!(next_media(&mut bob, ADA).await.0, sequence);
    }
    let malformed = "relay_packets_dropped_total{reason=\"malformed\"}";
    assert_eq!(metric(&metrics, malformed), 5);
    assert_eq!(metric(&metrics, "relay_bus_messages_received_total"), 6);
}

#[tokio::test]
async fn nothing_is_published_or_subscribed_for_nobody() {
    let server = NatsServer::start();
    let hub = hub(&server.url()).await;
    let mut relay = Relay::start(&server).await;
    relay.packets.unsubscribe().await.unwrap();
    let nats = relay.nats.clone();
    let nobody_listens = async || {
        let request = nats.request(PACKETS, Bytes::new());
        let answer = timeout(Duration::from_millis(100), request).await;
        matches!(answer, Ok(Err(error)) if error.kind() == RequestErrorKind::NoResponders)
    };
    assert!(nobody_listens().await);
    let mut bob = Client::join(&hub, "standup", "bob", Native).await;
    let eve = Client::join(&hub, "standup", "eve", Native).await;
    bob.until_joined("eve").await;
    relay.until_hello().await;
    assert!(!nobody_listens().await);

    let mut packets = relay.nats.subscribe(PACKETS).await.unwrap();
    settle(&relay.nats).await;
    eve.send_media(Track::Microphone, 0, true).await;
    bob.until_got(&Got::Media(eve.session, Track::Microphone, 0))
        .await;
    // A relay without members changes nothing.
    let hello = messages::hello(ServerId(1));
    relay.nats.publish(EVENT, hello).await.unwrap();
    eve.send_media(Track::Microphone, 1, true).await;
    bob.until_got(&Got::Media(eve.session, Track::Microphone, 1))
        .await;
    relay.announce().await;
    bob.until_joined("ada").await;
    eve.send_media(Track::Microphone, 2, true).await;
    let message = next(&mut packets).await;
    let first = Split::new(message).next().unwrap().unwrap();
    let header = PacketHeader::parse(&first).unwrap();
    assert_eq!(Routing::parse(&header.routing).unwrap().sequence, 2);
    packets.unsubscribe().await.unwrap();

    bob.leave().await;
    eve.leave().await;
    timeout(PATIENCE, async { while !nobody_listens().await {} })
        .await
        .expect("the subscription ends with the room");
}

#[tokio::test]
async fn news_of_a_session_and_its_packets_keep_their_order() {
    let server = NatsServer::start();
    let hub = hub(&server.url()).await;
    let nats = async_nats::connect(server.url()).await.unwrap();
    let mut all = nats.subscribe("vc.room.standup.*").await.unwrap();
    settle(&nats).await;
    let mut relay = Relay::start(&server).await;
    let mut bob = Client::join(&hub, "standup", "bob", Native).await;
    relay.meet(&mut bob).await;
    let eve = Client::join(&hub, "standup", "eve", Native).await;
    bob.until_joined("eve").await;
    for sequence in 0..100 {
        eve.send_media(Track::Microphone, sequence, true).await;
    }
    for sequence in 0..100 {
        bob.until_got(&Got::Media(eve.session, Track::Microphone, sequence))
            .await;
    }
    let session = eve.session;
    eve.leave().await;
    // Joined, one hundred packets, left.
    let (mut joined, mut packets) = (false, 0);
    loop {
        let message = timeout(PATIENCE, all.next()).await.unwrap().unwrap();
        if message.subject.as_str() == PACKETS {
            assert!(joined);
            packets += Split::new(message.payload).count();
            continue;
        }
        let event = BusEvent::parse_from_tokio_bytes(&message.payload).unwrap();
        if let Some(Event::Members(members)) = event.event {
            joined |= members
                .participants
                .iter()
                .any(|participant| participant.session_id == session.get());
            if members.left.contains(&session.get()) {
                break;
            }
        }
    }
    assert_eq!(packets, 100);
}

#[tokio::test]
async fn a_room_that_lost_messages_counts_it_and_asks_for_a_keyframe() {
    let metrics = metrics::install();
    let server = NatsServer::start();
    let hub = hub(&server.url()).await;
    let mut relay = Relay::start(&server).await;
    let mut bob = Client::join(&hub, "standup", "bob", Native).await;
    relay.meet(&mut bob).await;
    relay.publish(framed(&routing(Track::Camera, 0))).await;
    assert_eq!(next_media(&mut bob, ADA).await.0, 0);

    // All of it waits for the hub's connection before the hub, whose only thread waits here, can look at it.
    let url = server.url();
    let flood = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let nats = async_nats::connect(url).await.unwrap();
            for sequence in 1..=20_000 {
                let message = framed(&routing(Track::Camera, sequence));
                nats.publish(PACKETS, message).await.unwrap();
            }
            nats.flush().await.unwrap();
        });
    });
    flood.join().unwrap();

    // Frames go on coming: what shows that some are missing.
    let (mut sequence, mut got) = (20_001, Vec::new());
    loop {
        relay
            .publish(framed(&routing(Track::Camera, sequence)))
            .await;
        sequence += 1;
        let hello = messages::hello(ServerId(1));
        relay.nats.publish(EVENT, hello).await.unwrap();
        got.extend(bob.drain());
        if let Event::KeyframeRequest(request) = relay.next_event().await {
            assert_eq!(request.session_id, ADA.get());
            assert_eq!(request.track.enum_value(), Ok(Track::Camera.to_wire()));
            break;
        }
    }
    assert!(metric(&metrics, "relay_bus_slow_consumers_total") > 0);
    let keyframe = Routing {
        keyframe: true,
        ..routing(Track::Camera, sequence)
    };
    relay.publish(framed(&keyframe)).await;
    while got.last() != Some(&Got::Media(ADA, Track::Camera, sequence)) {
        got.push(bob.next().await);
    }
    got.pop();
    // No frame came without its reference.
    got.retain(|got| matches!(got, Got::Media(..)));
    for (sequence, got) in (1..).zip(got) {
        assert_eq!(got, Got::Media(ADA, Track::Camera, sequence));
    }
}
