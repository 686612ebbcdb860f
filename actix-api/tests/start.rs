//! The binary when it can't start.

use testkit::binary::{fails_with_one_line, taken_tcp_port};

const BINARY: &str = env!("CARGO_BIN_EXE_actix-api");

#[tokio::test]
async fn a_taken_port_is_one_clear_line() {
    let (_listener, taken) = taken_tcp_port();
    let line = fails_with_one_line(BINARY, &["--http-addr", &taken]).await;
    assert_eq!(
        line,
        format!("actix-api: can't listen on {taken}: Address already in use (os error 98)")
    );
}

#[tokio::test]
async fn an_unreadable_certificate_is_one_clear_line() {
    let options = [
        "--http-addr",
        "127.0.0.1:0",
        "--cert-path",
        "/none/cert.pem",
        "--key-path",
        "/none/key.pem",
    ];
    let line = fails_with_one_line(BINARY, &options).await;
    assert!(
        line.starts_with("actix-api: can't read /none/cert.pem: "),
        "{line}"
    );
}

#[tokio::test]
async fn an_unreachable_nats_is_one_clear_line() {
    let (listener, address) = taken_tcp_port();
    drop(listener);
    let options = [
        "--http-addr",
        "127.0.0.1:0",
        "--nats-url",
        &format!("nats://{address}"),
    ];
    let line = fails_with_one_line(BINARY, &options).await;
    assert!(
        line.starts_with("actix-api: can't connect to NATS"),
        "{line}"
    );
}
