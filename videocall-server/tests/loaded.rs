//! The binary with a core at 80 %: receivers that read slowly or not at all, clients that send garbage, and a bus that
//! breaks are nobody else's trouble then, either.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::time::{Duration, Instant};

use bench::load::{self, Observer, Span, Target};
use bench::measure::{Errors, Framing, LoadReport, Transport};
use bench::procfs;
use bench::scenario::{SLOW, Scenario};
use bench::server::{Cores, pin, pin_this_process};
use testkit::nats::NatsServer;
use testkit::{Client, Kind, ServerProcess};
use tokio::sync::oneshot;

const BINARY: &str = env!("CARGO_BIN_EXE_videocall-server");
/// Share of its core that the server shall be busy. The rest is for what else a machine does, or its host: a core that is taken
/// away loses packets that no other participant has to do with.
const BUSY: f64 = 0.6;
/// As much counts as that: the load is made of whole rooms, and gets cheaper by the packet as it grows.
const BUSY_ENOUGH: f64 = 0.5;

/// In each room ten who send; of two who listen one reads slowly and one not at all.
fn rooms(count: usize) -> Scenario {
    Scenario {
        rooms: count,
        ramp: Duration::from_secs(1),
        ..SLOW
    }
}

/// Measures the server's CPU time, and tells when the measured time begins.
struct Watch<'a> {
    server: &'a ServerProcess,
    began: Option<oneshot::Sender<()>>,
    cpu: (f64, Instant),
    busy: f64,
}

impl<'a> Watch<'a> {
    fn new(server: &'a ServerProcess) -> Self {
        Self {
            server,
            began: None,
            cpu: (0.0, Instant::now()),
            busy: 0.0,
        }
    }

    fn cpu_seconds(&self) -> f64 {
        procfs::cpu_seconds(self.server.id())
    }
}

impl Observer for Watch<'_> {
    fn begins(&mut self) {
        self.cpu = (self.cpu_seconds(), Instant::now());
        if let Some(began) = self.began.take() {
            began.send(()).unwrap();
        }
    }

    fn ends(&mut self) {
        let (before, at) = self.cpu;
        self.busy = (self.cpu_seconds() - before) / at.elapsed().as_secs_f64();
    }
}

async fn run(
    target: Target,
    rooms_in_all: usize,
    seconds: u64,
    watch: &mut Watch<'_>,
) -> LoadReport {
    let span = Span {
        warm_up: Duration::from_secs(1),
        measured: Duration::from_secs(seconds),
    };
    load::run(&[target], &rooms(rooms_in_all), span, watch)
        .await
        .unwrap()
}

/// How many rooms make the server as busy as it shall be.
async fn rooms_for(target: Target, server: &ServerProcess) -> usize {
    let mut count = 3;
    for _ in 0..4 {
        let mut watch = Watch::new(server);
        run(target, count, 1, &mut watch).await;
        if watch.busy >= BUSY_ENOUGH {
            break;
        }
        count = (count as f64 * BUSY / watch.busy).ceil() as usize;
    }
    count
}

/// Joins the first room and sends what is no packet, until the server has enough, and again.
async fn attack(server: &ServerProcess) {
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    loop {
        let mut mallory = Client::join(server, Kind::WsNative, "mallory", "bench0").await;
        while mallory.send(vec![0xff; 1_000]).await {
            tick.tick().await;
        }
    }
}

async fn nobody_else_notices(transport: Transport) {
    let mut nats = NatsServer::start().await;
    let server = ServerProcess::start(BINARY, &["--nats-url", &nats.url()]).await;
    pin(server.id(), Cores::Server).unwrap();
    pin_this_process(Cores::Generator).unwrap();
    let target = Target {
        address: match transport {
            Transport::WebSocket => server.http,
            Transport::WebTransport => server.webtransport,
        },
        transport,
        framing: Framing::Native,
    };
    let count = rooms_for(target, &server).await;

    let mut watch = Watch::new(&server);
    let (began, begins) = oneshot::channel();
    watch.began = Some(began);
    let outage = async {
        begins.await.unwrap();
        nats.kill().await;
        attack(&server).await;
    };
    let report = tokio::select! {
        report = run(target, count, 4, &mut watch) => report,
        () = outage => unreachable!("it attacks to the end"),
    };
    assert!(watch.busy >= BUSY_ENOUGH / 2.0, "{}", watch.busy);
    assert_eq!(report.errors, Errors::default());
    assert!(report.loss() < 0.001, "{report:?}");
    let stalled = report.roles["stalled"];
    assert!(stalled.delivered < stalled.expected, "{report:?}");
}

#[tokio::test]
async fn trouble_is_nobody_elses_over_websocket() {
    nobody_else_notices(Transport::WebSocket).await;
}

#[tokio::test]
async fn trouble_is_nobody_elses_over_webtransport() {
    nobody_else_notices(Transport::WebTransport).await;
}
