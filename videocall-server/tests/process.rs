//! The binary as people and supervisors see it.

use std::time::Duration;

use testkit::binary::{fails_with_one_line, taken_tcp_port, taken_udp_port};
use testkit::{Client, Kind, ServerProcess};
use videocall_types::Track;

const BINARY: &str = env!("CARGO_BIN_EXE_videocall-server");
const FREE: [&str; 4] = [
    "--http-addr",
    "127.0.0.1:0",
    "--webtransport-addr",
    "127.0.0.1:0",
];

#[tokio::test]
async fn a_taken_port_is_one_clear_line() {
    let (_listener, taken) = taken_tcp_port();
    let line = fails_with_one_line(
        BINARY,
        &["--http-addr", &taken, "--webtransport-addr", "127.0.0.1:0"],
    )
    .await;
    assert_eq!(
        line,
        format!("videocall-server: can't listen on {taken}: Address already in use (os error 98)")
    );
    let (_socket, taken) = taken_udp_port();
    let line = fails_with_one_line(
        BINARY,
        &["--webtransport-addr", &taken, "--http-addr", "127.0.0.1:0"],
    )
    .await;
    assert_eq!(
        line,
        format!("videocall-server: can't listen on {taken}: Address already in use (os error 98)")
    );
}

#[tokio::test]
async fn an_unreadable_certificate_is_one_clear_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cert.pem");
    let missing = path.to_str().unwrap();
    let options = [&FREE[..], &["--tls-cert", missing, "--tls-key", missing]].concat();
    let line = fails_with_one_line(BINARY, &options).await;
    assert!(
        line.starts_with(&format!("videocall-server: can't read {missing}: ")),
        "{line}"
    );
    std::fs::write(&path, "no certificate").unwrap();
    let line = fails_with_one_line(BINARY, &options).await;
    assert_eq!(
        line,
        format!("videocall-server: can't read {missing}: no certificate in it")
    );
}

#[tokio::test]
async fn an_unreachable_nats_is_one_clear_line() {
    let (listener, address) = taken_tcp_port();
    drop(listener);
    let line = fails_with_one_line(
        BINARY,
        &[&FREE[..], &["--nats-url", &format!("nats://{address}")]].concat(),
    )
    .await;
    assert!(
        line.starts_with("videocall-server: can't connect to NATS"),
        "{line}"
    );
}

#[tokio::test]
async fn members_only_without_a_key_is_one_clear_line() {
    let line = fails_with_one_line(BINARY, &[&FREE[..], &["--access", "members"]].concat()).await;
    assert_eq!(
        line,
        "videocall-server: ACCESS=members needs ROOM_TOKEN_SECRET"
    );
}

#[tokio::test]
async fn it_says_where_to_open_it_and_stops_on_a_signal() {
    for signal in ["TERM", "INT"] {
        let mut server = ServerProcess::start(BINARY, &[]).await;
        assert_eq!(
            server.greeting,
            format!(
                "Open http://localhost:{} (Ctrl-C stops)",
                server.http.port()
            )
        );
        server.signal(signal).await;
        let stopped = tokio::time::timeout(Duration::from_secs(3), server.exit_code()).await;
        assert_eq!(stopped, Ok(Some(0)), "{signal}");
    }
}

#[tokio::test]
async fn memory_stays_bounded_with_receivers_that_do_not_read_and_packets_that_do_not_end() {
    let server = ServerProcess::start(BINARY, &[]).await;
    let mut good = Client::join(&server, Kind::WtNative, "good", "team").await;
    let mut speaker = Client::join(&server, Kind::WsNative, "speaker", "team").await;
    let frame = [7; 20_000];
    let mut sequence = 0;
    let mut pace = tokio::time::interval(Duration::from_millis(8));
    let before = server.memory();

    let mut stalled = Vec::new();
    for kind in Kind::ALL.repeat(3) {
        stalled.push(Client::join(&server, kind, "stalled", "team").await);
    }
    // An unfinished packet of almost the largest size on each of them that can have one beside others.
    let mut streams = Vec::new();
    for client in stalled
        .iter_mut()
        .filter(|client| client.kind.is_webtransport())
    {
        let session = client.webtransport();
        let mut prefix = vec![0xc0, 0x84, 0x3d];
        prefix.resize(900_000, 0);
        streams.push(session.open_stream(&prefix).await);
    }
    // 20 MB for each of twelve receivers.
    while sequence < 1000 {
        pace.tick().await;
        speaker
            .send_frame(Track::Camera, sequence, sequence % 50 == 0, &frame)
            .await;
        good.wait_for(|seen| {
            seen.routing()
                .is_some_and(|routing| routing.sequence == sequence)
        })
        .await;
        if sequence % 100 == 0 {
            good.send(testkit::packets::heartbeat(false, false, false))
                .await;
        }
        sequence += 1;
    }
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 12 * 4_000_000, "grown by {grown} bytes");
}
