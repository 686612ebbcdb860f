//! Clients that break the protocol. Whatever they do, others go on talking.

use std::time::Duration;

use bytes::Bytes;
use relay::Policy;
use testkit::{Client, Endpoints, Kind, TestServer, packets};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use videocall_types::limits::MAX_PACKET_BYTES;
use videocall_types::{CloseCode, Track};

const MEETING: &str = "team";
const MALFORMED: &str = "relay_packets_dropped_total{reason=\"malformed\"}";

/// Two who talk while somebody else misbehaves in their meeting.
struct Bystanders {
    speaker: Client,
    listener: Client,
    sequence: u64,
}

impl Bystanders {
    async fn join(server: &Endpoints) -> Self {
        let listener = Client::join(server, Kind::WtNative, "listener", MEETING).await;
        let speaker = Client::join(server, Kind::WsNative, "speaker", MEETING).await;
        Self {
            speaker,
            listener,
            sequence: 0,
        }
    }

    async fn are_undisturbed(&mut self) {
        let payload = format!("frame {}", self.sequence);
        self.speaker
            .send_frame(
                Track::Camera,
                self.sequence,
                self.sequence == 0,
                payload.as_bytes(),
            )
            .await;
        self.listener.wait_for_payload(payload.as_bytes()).await;
        self.sequence += 1;
    }
}

#[tokio::test]
async fn packets_that_are_cut_off_anywhere_harm_nobody() {
    let server = TestServer::start().await;
    let mut bystanders = Bystanders::join(&server).await;
    let media = packets::frame(Track::Camera, 1, true, b"payload");
    let whole = packets::native_media(&media, &packets::routing(Track::Camera, 1, true));
    for kind in Kind::ALL {
        let before = server.metric(MALFORMED).await;
        let mut refused = 0;
        let mut mallory = Client::join(&server, kind, "mallory", MEETING).await;
        for len in 1..whole.len() {
            // A session may break the protocol only so often.
            if len % 10 == 0 {
                mallory.fence().await;
                mallory = Client::join(&server, kind, "mallory", MEETING).await;
            }
            assert!(mallory.send(whole.slice(..len)).await, "{kind:?} {len}");
            refused +=
                u64::from(videocall_types::PacketHeader::parse(&whole.slice(..len)).is_err());
        }
        assert!(refused > 0);
        server.wait_for_metric(MALFORMED, before + refused).await;
        bystanders.are_undisturbed().await;
    }
}

#[tokio::test]
async fn who_sends_nothing_but_noise_is_closed() {
    let server = TestServer::start().await;
    let mut bystanders = Bystanders::join(&server).await;
    for kind in Kind::ALL {
        let mut mallory = Client::join(&server, kind, "mallory", MEETING).await;
        for byte in 0..100_u8 {
            if !mallory
                .send(Bytes::from(vec![0xff, byte, 0xff, byte]))
                .await
            {
                break;
            }
        }
        assert_eq!(
            mallory.closed().await,
            Some(CloseCode::Malformed.code()),
            "{kind:?}"
        );
        bystanders.are_undisturbed().await;
    }
}

#[tokio::test]
async fn datagrams_of_noise_are_counted() {
    let server = TestServer::start().await;
    let mut bystanders = Bystanders::join(&server).await;
    for kind in [Kind::WtStock, Kind::WtNative] {
        let before = server.metric(MALFORMED).await;
        let mut mallory = Client::join(&server, kind, "mallory", MEETING).await;
        for byte in 0..10 {
            mallory.webtransport().send_datagram(&[0xff, byte]);
            mallory.fence().await;
        }
        server.wait_for_metric(MALFORMED, before + 1).await;
        bystanders.are_undisturbed().await;
    }
}

#[tokio::test]
async fn a_packet_over_the_limit_ends_its_session_at_once() {
    let server = TestServer::start().await;
    let mut bystanders = Bystanders::join(&server).await;
    let too_large = Bytes::from(vec![0; MAX_PACKET_BYTES + 1]);
    for kind in Kind::ALL {
        let mut mallory = Client::join(&server, kind, "mallory", MEETING).await;
        mallory.send(too_large.clone()).await;
        assert_eq!(
            mallory.closed().await,
            Some(CloseCode::TooLarge.code()),
            "{kind:?}"
        );
        bystanders.are_undisturbed().await;
    }
}

#[tokio::test]
async fn a_length_over_the_limit_is_refused_before_anything_else_comes() {
    let server = TestServer::start().await;
    let mut bystanders = Bystanders::join(&server).await;

    let mut mallory = Client::join(&server, Kind::WsNative, "mallory", MEETING).await;
    // Final, binary, masked, a 64-bit length of 2^40.
    mallory
        .websocket()
        .write_raw(&[0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4])
        .await;
    assert_eq!(mallory.closed().await, Some(CloseCode::TooLarge.code()));

    let mut mallory = Client::join(&server, Kind::WtNative, "mallory", MEETING).await;
    let _stream = mallory
        .webtransport()
        .open_stream(&[0xff, 0xff, 0xff, 0xff])
        .await;
    assert_eq!(mallory.closed().await, Some(CloseCode::TooLarge.code()));
    bystanders.are_undisturbed().await;
}

#[tokio::test]
async fn fragments_make_a_packet_up_to_the_limit() {
    let server = TestServer::start().await;
    let mut bystanders = Bystanders::join(&server).await;
    let mut client = Client::join(&server, Kind::WsNative, "ada", MEETING).await;
    let media = packets::frame(Track::Screen, 0, true, b"in three fragments");
    let packet = packets::native_media(&media, &packets::routing(Track::Screen, 0, true));
    for (index, part) in packet.chunks(packet.len().div_ceil(3)).enumerate() {
        client
            .websocket()
            .send(fragment(part, index == 0, index == 2))
            .await;
    }
    bystanders
        .listener
        .wait_for_payload(b"in three fragments")
        .await;

    let half = vec![0; MAX_PACKET_BYTES / 2 + 1];
    client.websocket().send(fragment(&half, true, false)).await;
    client.websocket().send(fragment(&half, false, false)).await;
    assert_eq!(client.closed().await, Some(CloseCode::TooLarge.code()));
    bystanders.are_undisturbed().await;
}

#[tokio::test]
async fn text_is_ignored_and_counted() {
    let server = TestServer::start().await;
    let mut client = Client::join(&server, Kind::WsNative, "ada", MEETING).await;
    client.websocket().send(Message::text("hello")).await;
    client.fence().await;
    assert_eq!(
        server
            .metric("websocket_drops_total{reason=\"text\"}")
            .await,
        1
    );
}

#[tokio::test]
async fn streams_that_dribble_are_reset_and_hold_up_nobody() {
    let mut policy = Policy::default();
    // Bystanders who have nothing to say for a while.
    policy.session.idle = 2 * testkit::PATIENCE;
    let server = TestServer::start_with(&[], policy).await;
    let mut bystanders = Bystanders::join(&server).await;
    for kind in [Kind::WtStock, Kind::WtNative] {
        let mut mallory = Client::join(&server, kind, "mallory", MEETING).await;
        let mut streams = Vec::new();
        for _ in 0..60 {
            // Native: a packet of 100 bytes begins.
            streams.push(mallory.webtransport().open_stream(&[100, 1]).await);
        }
        // The same session still has its say.
        mallory
            .send_frame(Track::Screen, 0, true, format!("{kind:?}").as_bytes())
            .await;
        bystanders
            .listener
            .wait_for_payload(format!("{kind:?}").as_bytes())
            .await;
        bystanders.are_undisturbed().await;

        let mut dribble = tokio::time::interval(Duration::from_millis(200));
        while !streams.is_empty() {
            dribble.tick().await;
            let mut open = Vec::new();
            for mut stream in streams {
                if stream.write_all(&[1]).await.is_ok() {
                    open.push(stream);
                }
            }
            streams = open;
        }
        mallory.fence().await;
        bystanders.are_undisturbed().await;
    }
    server
        .wait_for_metric("webtransport_drops_total{reason=\"stream_reset\"}", 120)
        .await;
}

#[tokio::test]
async fn what_incomplete_packets_hold_is_bounded() {
    let server = TestServer::start().await;
    let mut bystanders = Bystanders::join(&server).await;
    let mut prefix = bytes::BytesMut::new();
    videocall_types::framing::write_prefix(&mut prefix, MAX_PACKET_BYTES);
    prefix.resize(400_000, 0);
    for kind in [Kind::WtStock, Kind::WtNative] {
        let mut mallory = Client::join(&server, kind, "mallory", MEETING).await;
        let mut streams = Vec::new();
        for _ in 0..3 {
            streams.push(mallory.webtransport().open_stream(&prefix).await);
        }
        // One more would be over what a session may hold, wherever the bytes wait.
        let mut last = mallory
            .webtransport()
            .connection()
            .open_uni()
            .await
            .unwrap()
            .await
            .unwrap();
        let _ = last.write_all(&prefix).await;
        assert_eq!(
            mallory.closed().await,
            Some(CloseCode::TooLarge.code()),
            "{kind:?}"
        );
        bystanders.are_undisturbed().await;
    }
}

fn fragment(bytes: &[u8], first: bool, last: bool) -> Message {
    let opcode = if first { Data::Binary } else { Data::Continue };
    Message::Frame(Frame::message(
        Bytes::copy_from_slice(bytes),
        OpCode::Data(opcode),
        last,
    ))
}
