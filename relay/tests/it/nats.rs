//! Two hubs that meet at a real NATS server, which dies and comes back.

use std::io::{BufRead as _, BufReader};
use std::num::NonZeroU8;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use relay::{Bus, BusError, Dialect, Hub, HubConfig, Policy, Status};
use relay_core::policy::{QueuePolicy, SessionPolicy};
use videocall_types::Track;

use crate::support::{Client, Got};
use Dialect::Native;

/// A server that dies with this value.
pub(crate) struct NatsServer {
    process: Child,
    port: u16,
}

impl NatsServer {
    pub(crate) fn start() -> Self {
        Self::start_at("-1")
    }

    fn start_at(port: &str) -> Self {
        let mut process = Command::new("nats-server")
            .args(["--addr", "127.0.0.1", "--port", port])
            .stderr(Stdio::piped())
            .spawn()
            .expect("nats-server is needed: apt-get install nats-server");
        let mut log = BufReader::new(process.stderr.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let listening = log
            .find(|line| line.contains("Listening for client connections on"))
            .unwrap();
        log.find(|line| line.contains("Server is ready")).unwrap();
        // It must be able to go on writing.
        std::thread::spawn(move || log.for_each(drop));
        let port = listening
            .rsplit(':')
            .next()
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        Self { process, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

pub(crate) async fn hub(url: &str) -> Hub {
    hub_with(url, NonZeroU8::MIN).await
}

async fn hub_with(url: &str, connections: NonZeroU8) -> Hub {
    // The clients of these tests send no heartbeats and do not read all the time.
    let (patience, plenty) = (Duration::from_secs(60), 100_000_000);
    let policy = Policy {
        session: SessionPolicy {
            idle: patience,
            ..SessionPolicy::default()
        },
        queue: QueuePolicy {
            screen_age: patience,
            max_bytes: plenty,
            ..QueuePolicy::default()
        },
        ..Policy::default()
    };
    Hub::new(
        HubConfig::default(),
        Bus::connect(Some(url), connections).await.unwrap(),
        policy,
    )
}

#[tokio::test]
async fn members_of_two_processes_are_in_one_room() {
    let server = NatsServer::start();
    let (one, other) = (hub(&server.url()).await, hub(&server.url()).await);
    assert_eq!(one.status(), Status::Ready);
    let mut ada = Client::join(&one, "standup", "ada", Native).await;
    let mut bob = Client::join(&other, "standup", "bob", Native).await;
    let mut eve = Client::join(&other, "Standup", "eve", Native).await;
    ada.until_joined("bob").await;
    bob.until_joined("ada").await;
    for sequence in 0..100 {
        ada.send_media(Track::Camera, sequence, sequence == 0).await;
    }
    for sequence in 0..100 {
        bob.until_got(&Got::Media(ada.session, Track::Camera, sequence))
            .await;
    }
    let bobs = bob.session;
    bob.leave().await;
    ada.until_left(bobs).await;
    assert!(
        eve.drain()
            .iter()
            .all(|got| matches!(got, Got::Assigned(_)) || *got == Got::Snapshot(vec![]))
    );
    one.shutdown().await;
}

#[tokio::test]
async fn losing_nats_is_survived() {
    let server = NatsServer::start();
    let (url, port) = (server.url(), server.port);
    let (one, other) = (hub(&url).await, hub(&url).await);
    let mut ada = Client::join(&one, "standup", "ada", Native).await;
    let mut eve = Client::join(&one, "standup", "eve", Native).await;
    let mut bob = Client::join(&other, "standup", "bob", Native).await;
    ada.until_joined("bob").await;
    eve.until_joined("bob").await;
    bob.until_joined("eve").await;

    drop(server);
    ada.until_left(bob.session).await;
    bob.until_left(ada.session).await;
    assert_eq!(one.status(), Status::BusLost);
    ada.send_media(Track::Microphone, 0, true).await;
    eve.until_got(&Got::Media(ada.session, Track::Microphone, 0))
        .await;
    // Rooms can be opened meanwhile; they are on the bus when it is back.
    let mut dan = Client::join(&one, "retro", "dan", Native).await;
    let mut fay = Client::join(&other, "retro", "fay", Native).await;

    let _server = NatsServer::start_at(&port.to_string());
    ada.until_joined("bob").await;
    bob.until_joined("ada").await;
    dan.until_joined("fay").await;
    fay.until_joined("dan").await;
    assert_eq!(one.status(), Status::Ready);
    ada.send_media(Track::Microphone, 1, true).await;
    bob.until_got(&Got::Media(ada.session, Track::Microphone, 1))
        .await;
    fay.send_media(Track::Microphone, 0, true).await;
    dan.until_got(&Got::Media(fay.session, Track::Microphone, 0))
        .await;
}

#[tokio::test]
async fn meetings_share_several_connections() {
    let server = NatsServer::start();
    let (url, port) = (server.url(), server.port);
    let four = NonZeroU8::new(4).unwrap();
    let (one, other) = (hub_with(&url, four).await, hub(&url).await);
    let mut pairs = Vec::new();
    for meeting in 0..16 {
        let meeting = format!("meeting-{meeting}");
        let mut ada = Client::join(&one, &meeting, "ada", Native).await;
        let mut bob = Client::join(&other, &meeting, "bob", Native).await;
        ada.until_joined("bob").await;
        bob.until_joined("ada").await;
        pairs.push((ada, bob));
    }
    drop(server);
    for (ada, bob) in &mut pairs {
        ada.until_left(bob.session).await;
        bob.until_left(ada.session).await;
    }
    assert_eq!(one.status(), Status::BusLost);
    let _server = NatsServer::start_at(&port.to_string());
    for (ada, bob) in &mut pairs {
        ada.until_joined("bob").await;
        bob.until_joined("ada").await;
        ada.send_media(Track::Microphone, 0, true).await;
        bob.until_got(&Got::Media(ada.session, Track::Microphone, 0))
            .await;
        bob.send_media(Track::Microphone, 0, true).await;
        ada.until_got(&Got::Media(bob.session, Track::Microphone, 0))
            .await;
    }
    assert_eq!(one.status(), Status::Ready);
    one.shutdown().await;
}

#[tokio::test]
async fn nats_that_is_not_there_at_start_is_an_error() {
    let server = NatsServer::start();
    let url = server.url();
    drop(server);
    assert!(matches!(
        Bus::connect(Some(&url), NonZeroU8::MIN).await,
        Err(BusError::Connect(_))
    ));
}
