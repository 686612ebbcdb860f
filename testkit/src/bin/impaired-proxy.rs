//! A bad network in front of a server, for tests that are not in Rust:
//!
//! ```text
//! impaired-proxy '{"udp_to": "127.0.0.1:4433", "tcp_to": "127.0.0.1:8080", "udp": {"down": {"loss_percent": 5, "delay_ms": 40}}}' [seed]
//! ```
//!
//! prints `{"udp":"127.0.0.1:..","tcp":"127.0.0.1:.."}`: where clients find it. Each line on standard input is a change of
//! the same form, answered by `ok` when it is in effect. It ends with its input.

#![expect(clippy::print_stdout, reason = "it talks to the test that starts it")]
#![expect(
    clippy::expect_used,
    reason = "a test that starts it wrongly shall fail"
)]

use testkit::impaired::{Change, Proxy};
use tokio::io::{AsyncBufReadExt as _, BufReader, stdin};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let setup = arguments.next().unwrap_or_else(|| "{}".to_owned());
    let seed = arguments
        .next()
        .map_or(1, |seed| seed.parse().expect("the seed is a number"));
    let proxy = Proxy::start(seed).await;
    proxy.change(read(&setup));
    println!(r#"{{"udp":"{}","tcp":"{}"}}"#, proxy.udp, proxy.tcp);
    let mut lines = BufReader::new(stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        proxy.change(read(&line));
        println!("ok");
    }
}

fn read(json: &str) -> Change {
    serde_json::from_str(json).expect("a change as JSON")
}
