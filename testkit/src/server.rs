//! Servers to test: in this process, or a binary.

use std::net::SocketAddr;
use std::ops::Deref;
use std::process::Stdio;

use clap::Parser as _;
use relay::Policy;
use reqwest::Response;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use videocall_server::{App, Config};
use videocall_types::api::ServerConfig;

use crate::PATIENCE;

/// Where a server is.
#[derive(Clone, Copy, Debug)]
pub struct Endpoints {
    /// Web app, HTTP API and WebSocket.
    pub http: SocketAddr,
    /// WebTransport.
    pub webtransport: SocketAddr,
}

impl Endpoints {
    /// `GET path`.
    pub async fn get(&self, path: &str) -> Response {
        reqwest::get(format!("http://{}{path}", self.http))
            .await
            .unwrap()
    }

    /// What a client is told.
    pub async fn config(&self) -> ServerConfig {
        self.get("/api/v1/config").await.json().await.unwrap()
    }

    /// The value of a metric; `name` has its labels, such as `x_total{reason="y"}`. 0 if it does not exist.
    pub async fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics").await.text().await.unwrap();
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.unwrap_or(0)
    }

    /// Waits until a metric has at least `value`.
    pub async fn wait_for_metric(&self, name: &str, value: u64) {
        let reached = async {
            while self.metric(name).await < value {
                tokio::task::yield_now().await;
            }
        };
        if timeout(PATIENCE, reached).await.is_err() {
            panic!("{name} is {} and not {value}", self.metric(name).await);
        }
    }
}

/// A `videocall-server` in this process, on free ports of 127.0.0.1. It stops when this is dropped.
pub struct TestServer {
    endpoints: Endpoints,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl TestServer {
    /// A server as it is by default.
    pub async fn start() -> Self {
        Self::start_with(&[], Policy::default()).await
    }

    /// A server with further command-line `options`.
    pub async fn start_with(options: &[&str], mut policy: Policy) -> Self {
        // Clients of a test are in the same process, which so has more to do than a server would.
        policy.overload.cpu_percent = None;
        policy.overload.queue_age = None;
        let config =
            Config::try_parse_from([&["videocall-server"], &FREE_PORTS[..], options].concat())
                .unwrap();
        let app = App::load(config, policy).await.unwrap();
        let endpoints = Endpoints {
            http: app.http_addr,
            webtransport: app.webtransport_addr,
        };
        let stop = CancellationToken::new();
        let task = tokio::spawn(app.run(stop.clone()));
        Self {
            endpoints,
            stop,
            task,
        }
    }

    /// Two servers that are one deployment by the NATS at `url`.
    pub async fn pair(url: &str) -> (Self, Self) {
        let options = ["--nats-url", url];
        tokio::join!(
            Self::start_with(&options, Policy::default()),
            Self::start_with(&options, Policy::default())
        )
    }

    /// Tells the server to stop, as SIGTERM does.
    pub fn begin_stop(&self) {
        self.stop.cancel();
    }

    /// Stops the server and waits for its end.
    pub async fn stop(mut self) {
        self.stop.cancel();
        (&mut self.task).await.unwrap();
    }
}

impl Deref for TestServer {
    type Target = Endpoints;

    fn deref(&self) -> &Endpoints {
        &self.endpoints
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The `videocall-server` binary, killed when this is dropped.
pub struct ServerProcess {
    /// The first line that it has printed.
    pub greeting: String,
    endpoints: Endpoints,
    process: Child,
}

impl ServerProcess {
    /// Starts `binary` on free ports with further `options`, and waits until it serves.
    pub async fn start(binary: &str, options: &[&str]) -> Self {
        let mut process = Command::new(binary)
            .args(FREE_PORTS)
            .args(options)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let greeting = timeout(PATIENCE, lines.next_line())
            .await
            .expect("it starts in time")
            .unwrap()
            .unwrap();
        let port = greeting
            .split("localhost:")
            .nth(1)
            .and_then(|rest| rest.split(' ').next()?.parse().ok());
        let http = SocketAddr::from(([127, 0, 0, 1], port.expect("the line has its URL")));
        let webtransport = Endpoints {
            http,
            webtransport: http,
        }
        .config()
        .await
        .webtransport
        .unwrap();
        let address = webtransport
            .url
            .trim_start_matches("https://")
            .trim_end_matches("/lobby");
        Self {
            greeting,
            endpoints: Endpoints {
                http,
                webtransport: address.parse().unwrap(),
            },
            process,
        }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id().unwrap()
    }

    /// Memory that it uses, in bytes.
    #[must_use]
    pub fn memory(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id().unwrap()))
                .unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Sends SIGTERM or another signal by name, without waiting.
    pub async fn signal(&self, name: &str) {
        let process = self.process.id().unwrap().to_string();
        let sent = Command::new("kill")
            .args(["-s", name, &process])
            .status()
            .await
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for its end; its exit code.
    pub async fn exit_code(&mut self) -> Option<i32> {
        timeout(PATIENCE, self.process.wait())
            .await
            .expect("it ends")
            .unwrap()
            .code()
    }
}

impl Deref for ServerProcess {
    type Target = Endpoints;

    fn deref(&self) -> &Endpoints {
        &self.endpoints
    }
}

const FREE_PORTS: [&str; 4] = [
    "--http-addr",
    "127.0.0.1:0",
    "--webtransport-addr",
    "127.0.0.1:0",
];
