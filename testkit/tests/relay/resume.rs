//! Coming back into a session over another connection.

use std::time::Duration;

use relay::Policy;
use testkit::{Client, Kind, Seen, TestServer};
use videocall_types::{CloseCode, PacketKind, Resume, ResumeSecret, SessionId, Track};

const NATIVE: [Kind; 2] = [Kind::WsNative, Kind::WtNative];

/// Long enough for any return of this test, and soon over where nobody returns.
fn policy(absence: Duration) -> Policy {
    let mut policy = Policy::default();
    policy.room.absence = absence;
    policy
}

#[tokio::test]
async fn others_notice_nothing_of_a_lost_connection() {
    let server = TestServer::start_with(&[], policy(testkit::PATIENCE)).await;
    for (first, second) in [
        (Kind::WtNative, Kind::WsNative),
        (Kind::WsNative, Kind::WtNative),
        (Kind::WtNative, Kind::WtNative),
    ] {
        let meeting = format!("{first:?}-{second:?}");
        let mut bob = Client::join(&server, Kind::WsNative, "bob", &meeting).await;
        let ada = Client::join(&server, first, "ada", &meeting).await;
        let (session, resume) = (ada.session(), ada.resume());
        bob.wait_for(|seen| mentions(seen, session)).await;
        ada.lose().await;

        let target = format!("/lobby/ada/{meeting}");
        let mut ada = Client::enter(&server, second, &target, Some(&resume))
            .await
            .unwrap();
        assert_eq!((ada.session(), ada.resume()), (session, resume));
        ada.send_frame(Track::Camera, 7, true, b"back").await;
        let seen = bob
            .until(|seen| seen.media().is_some_and(|media| media.data == "back"))
            .await;
        assert!(seen.iter().all(|seen| seen.presence().is_none()));
        assert_eq!(seen.last().unwrap().header.session_id, Some(session));
        bob.send_frame(Track::Camera, 0, true, b"welcome").await;
        ada.wait_for_payload(b"welcome").await;

        ada.leave().await;
        bob.wait_for(|seen| left(seen, session)).await;
    }
}

#[tokio::test]
async fn a_connection_that_seems_to_live_is_replaced() {
    let server = TestServer::start().await;
    for kind in NATIVE {
        let meeting = format!("{kind:?}");
        let mut bob = Client::join(&server, Kind::WsNative, "bob", &meeting).await;
        let mut old = Client::join(&server, kind, "ada", &meeting).await;
        let session = old.session();
        bob.wait_for(|seen| mentions(seen, session)).await;
        let target = format!("/lobby/ada/{meeting}");
        let resume = old.resume();
        let mut new = Client::enter(&server, Kind::WtNative, &target, Some(&resume))
            .await
            .unwrap();
        assert_eq!(old.closed().await, Some(CloseCode::Replaced.code()));
        assert_eq!(new.session(), session);
        new.send_frame(Track::Microphone, 0, true, b"sound").await;
        let seen = bob
            .until(|seen| seen.media().is_some_and(|media| media.data == "sound"))
            .await;
        assert!(seen.iter().all(|seen| seen.presence().is_none()));
    }
}

#[tokio::test]
async fn whoever_does_not_come_back_is_gone_once_and_comes_as_somebody_new() {
    let server = TestServer::start_with(&[], policy(Duration::from_millis(300))).await;
    for kind in NATIVE {
        let meeting = format!("{kind:?}");
        let mut bob = Client::join(&server, Kind::WsNative, "bob", &meeting).await;
        let ada = Client::join(&server, kind, "ada", &meeting).await;
        let (session, resume) = (ada.session(), ada.resume());
        bob.wait_for(|seen| mentions(seen, session)).await;
        ada.lose().await;
        bob.wait_for(|seen| left(seen, session)).await;

        let target = format!("/lobby/ada/{meeting}");
        let ada = Client::enter(&server, kind, &target, Some(&resume))
            .await
            .unwrap();
        assert_ne!(ada.session(), session);
        let news = bob.until(|seen| mentions(seen, ada.session())).await;
        assert!(!news.iter().any(|seen| left(seen, session)));
    }
}

#[tokio::test]
async fn a_wrong_secret_is_that_of_somebody_new() {
    let server = TestServer::start().await;
    for kind in NATIVE {
        let meeting = format!("{kind:?}");
        let target = format!("/lobby/ada/{meeting}");
        let mut ada = Client::join(&server, kind, "ada", &meeting).await;
        let guessed = Resume {
            session: ada.session(),
            secret: ResumeSecret::new([0; 16]),
        };
        for resume in [Some(&guessed), None] {
            let other = Client::enter(&server, kind, &target, resume).await.unwrap();
            assert_ne!(other.session(), ada.session());
            ada.wait_for(|seen| mentions(seen, other.session())).await;
        }
        ada.fence().await;
    }
}

#[tokio::test]
async fn whoever_says_something_else_first_does_not_enter() {
    let server = TestServer::start().await;
    for kind in NATIVE {
        let target = "/lobby/ada/team?enter=late";
        let refused = Client::say_first(&server, kind, target, testkit::packets::probe(1)).await;
        assert_eq!(refused, Some(CloseCode::Malformed.code()), "{kind:?}");
    }
    let bob = Client::join(&server, Kind::WsNative, "bob", "team").await;
    assert_eq!(server.metric("relay_sessions").await, 1);
    bob.leave().await;
}

fn mentions(seen: &Seen, session: SessionId) -> bool {
    seen.presence().is_some_and(|presence| {
        let mut there = presence.participants.iter();
        there.any(|who| who.session_id == session.get())
    })
}

fn left(seen: &Seen, session: SessionId) -> bool {
    assert!(!seen.is(PacketKind::NOTICE));
    seen.presence()
        .is_some_and(|presence| presence.left.contains(&session.get()))
}
