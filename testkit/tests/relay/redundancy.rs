//! Whoever loses sound is heard by those who send it, on the same server and on another one.

use testkit::packets::redundancy;
use testkit::{Client, Kind, NatsServer, Seen, TestServer};
use videocall_types::proto::control as wire;
use videocall_types::{PacketKind, Redundancy, SessionId, Track};

#[tokio::test]
async fn a_publisher_hears_what_its_listener_lacks_until_that_leaves() {
    let server = TestServer::start().await;
    for kind in [Kind::WtNative, Kind::WsNative] {
        let meeting = format!("{kind:?}");
        let mut ada = Client::join(&server, kind, "ada", &meeting).await;
        let mut bob = Client::join(&server, kind, "bob", &meeting).await;
        for frames in [1, 2] {
            bob.send(redundancy(ada.session(), frames)).await;
            wait(&mut ada, frames).await;
        }
        bob.leave().await;
        wait(&mut ada, 0).await;
    }
}

#[tokio::test]
async fn a_publisher_hears_what_a_listener_on_another_server_lacks() {
    let nats = NatsServer::start().await;
    let (one, two) = TestServer::pair(&nats.url()).await;
    let mut ada = Client::join(&one, Kind::WtNative, "ada", "team").await;
    let mut bob = Client::join(&two, Kind::WsNative, "bob", "team").await;
    let session = ada.session();
    let mentions = |seen: &Seen| {
        let presence = seen.presence().unwrap_or_default();
        let mut people = presence.participants.iter();
        people.any(|person| person.session_id == session.get())
    };
    bob.wait_for(mentions).await;
    bob.send(redundancy(session, 2)).await;
    wait(&mut ada, 2).await;
    bob.leave().await;
    wait(&mut ada, 0).await;
}

/// Waits until `publisher` is told to repeat so many frames.
async fn wait(publisher: &mut Client, frames: u8) {
    let session = publisher.session();
    publisher
        .wait_for(|seen| told(seen, session) == Some(frames))
        .await;
}

fn told(seen: &Seen, publisher: SessionId) -> Option<u8> {
    use protobuf::Message as _;
    if !seen.is(PacketKind::REDUNDANCY) {
        return None;
    }
    let message = wire::Redundancy::parse_from_tokio_bytes(&seen.header.data).ok()?;
    let frames = Redundancy::from_relay(&message).frames;
    let told = frames.get(&(publisher, Track::Microphone));
    Some(told.copied().unwrap_or(0))
}
