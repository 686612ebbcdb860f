//! The binary when it can't start.

use testkit::binary::{fails_with_one_line, taken_tcp_port, taken_udp_port};

const BINARY: &str = env!("CARGO_BIN_EXE_webtransport-server");

#[tokio::test]
async fn a_taken_port_is_one_clear_line() {
    let (_socket, taken) = taken_udp_port();
    let line = fails_with_one_line(
        BINARY,
        &["--listen-url", &taken, "--health-addr", "127.0.0.1:0"],
    )
    .await;
    assert_eq!(
        line,
        format!(
            "webtransport-server: can't listen on {taken}: Address already in use (os error 98)"
        )
    );
    let (_listener, taken) = taken_tcp_port();
    let line = fails_with_one_line(
        BINARY,
        &[
            "--webtransport-addr",
            "127.0.0.1:0",
            "--health-addr",
            &taken,
        ],
    )
    .await;
    assert_eq!(
        line,
        format!(
            "webtransport-server: can't listen on {taken}: Address already in use (os error 98)"
        )
    );
}

#[tokio::test]
async fn an_unreadable_certificate_is_one_clear_line() {
    let line = fails_with_one_line(
        BINARY,
        &["--tls-cert", "/none/cert.pem", "--tls-key", "/none/key.pem"],
    )
    .await;
    assert!(
        line.starts_with("webtransport-server: can't read /none/cert.pem: "),
        "{line}"
    );
}

#[tokio::test]
async fn an_unreachable_nats_is_one_clear_line() {
    let (listener, address) = taken_tcp_port();
    drop(listener);
    let options = [
        "--webtransport-addr",
        "127.0.0.1:0",
        "--health-addr",
        "127.0.0.1:0",
        "--nats-url",
        &address,
    ];
    let line = fails_with_one_line(BINARY, &options).await;
    assert!(
        line.starts_with("webtransport-server: can't connect to NATS"),
        "{line}"
    );
}
