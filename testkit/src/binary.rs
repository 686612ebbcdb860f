//! Binaries that do not get far.

use std::net::{TcpListener, UdpSocket};
use std::process::Output;

use tokio::process::Command;
use tokio::time::timeout;

use crate::PATIENCE;

/// Runs `binary` and expects that it ends by itself with exit code 1 and exactly one line on standard error, which is
/// returned.
pub async fn fails_with_one_line(binary: &str, options: &[&str]) -> String {
    let output = Command::new(binary)
        .args(options)
        .kill_on_drop(true)
        .output();
    let Output {
        status,
        stdout,
        stderr,
    } = timeout(PATIENCE, output).await.expect("it ends").unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stdout.is_empty());
    stderr.trim_end().to_owned()
}

/// A TCP port of 127.0.0.1 that is taken for as long as the listener lives.
#[must_use]
pub fn taken_tcp_port() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// A UDP port of 127.0.0.1 that is taken for as long as the socket lives.
#[must_use]
pub fn taken_udp_port() -> (UdpSocket, String) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    (socket, address)
}
