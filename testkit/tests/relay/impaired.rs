//! The proxy that makes a network bad, in front of a real server.

use std::time::Duration;

use testkit::impaired::{Change, Conditions, Path, Proxy};
use testkit::{Client, Endpoints, Kind, TestServer, packets};
use tokio::time::{Instant, timeout};
use videocall_types::Track;

const DELAY_MS: u64 = 60;

#[tokio::test]
async fn a_meeting_goes_on_through_loss_delay_and_a_low_rate() {
    let server = TestServer::start().await;
    let (proxy, through) = proxy_to(&server).await;
    let bad = Path::both(Conditions {
        loss_percent: 5.0,
        burst: 2.0,
        delay_ms: DELAY_MS as f64 / 2.0,
        jitter_ms: 5.0,
        rate_kbps: 5000.0,
        ..Conditions::default()
    });
    proxy.change(Change {
        udp: bad.clone().into(),
        tcp: bad.into(),
        ..Change::default()
    });
    for kind in Kind::ALL {
        let meeting = format!("{kind:?}");
        let mut near = Client::join(&server, kind, "ada", &meeting).await;
        let mut far = Client::join(&through, kind, "bob", &meeting).await;
        let asked = Instant::now();
        far.fence().await;
        assert!(
            asked.elapsed() >= Duration::from_millis(DELAY_MS),
            "{kind:?}"
        );
        // Larger than a segment and than a datagram.
        let frame = vec![7; 20_000];
        near.send_frame(Track::Camera, 0, true, &frame).await;
        far.wait_for_payload(&frame).await;
        far.send_frame(Track::Camera, 0, true, &frame).await;
        near.wait_for_payload(&frame).await;
    }
}

#[tokio::test]
async fn a_black_hole_takes_everything_of_its_protocol_until_it_is_gone() {
    let server = TestServer::start().await;
    let (proxy, through) = proxy_to(&server).await;
    let mut udp = Client::join(&through, Kind::WtNative, "ada", "team").await;
    let mut tcp = Client::join(&through, Kind::WsNative, "bob", "team").await;
    udp.fence().await;
    proxy.change(Change {
        udp: Path::both(Conditions::black_hole()).into(),
        ..Change::default()
    });
    udp.send(packets::probe(100)).await;
    tcp.fence().await;
    assert!(is_silent(&mut udp, 100).await);
    proxy.change(Change {
        udp: Path::default().into(),
        ..Change::default()
    });
    // QUIC repeats what was lost.
    udp.wait_for(|seen| seen.bytes == packets::probe(100)).await;

    proxy.change(Change {
        tcp: Path::both(Conditions::black_hole()).into(),
        ..Change::default()
    });
    tcp.send(packets::probe(200)).await;
    udp.fence().await;
    assert!(is_silent(&mut tcp, 200).await);
    proxy.change(Change {
        tcp: Path::default().into(),
        ..Change::default()
    });
    tcp.wait_for(|seen| seen.bytes == packets::probe(200)).await;
}

async fn is_silent(client: &mut Client, probe: u64) -> bool {
    let answer = client.wait_for(|seen| seen.bytes == packets::probe(probe));
    timeout(Duration::from_millis(300), answer).await.is_err()
}

async fn proxy_to(server: &TestServer) -> (Proxy, Endpoints) {
    let proxy = Proxy::start(1).await;
    proxy.change(Change {
        udp_to: Some(server.webtransport),
        tcp_to: Some(server.http),
        ..Change::default()
    });
    let through = Endpoints {
        http: proxy.tcp,
        webtransport: proxy.udp,
    };
    (proxy, through)
}
