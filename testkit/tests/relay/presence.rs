//! What clients are told of each other: state, leaving, keyframe requests.

use std::time::Duration;

use relay::Policy;
use testkit::packets;
use testkit::{Client, Kind, Seen, TestServer};
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::proto::meeting_packet::meeting_packet::MeetingEventType;
use videocall_types::{SessionId, Track};

#[tokio::test]
async fn a_heartbeat_is_state_for_native_clients_and_a_heartbeat_for_stock_ones() {
    let server = TestServer::start().await;
    for kind in Kind::ALL {
        let meeting = format!("{kind:?}");
        let mut native = Client::join(&server, Kind::WtNative, "heidi", &meeting).await;
        let mut stock = Client::join(&server, Kind::WsStock, "grace", &meeting).await;
        let mut ada = Client::join(&server, kind, "ada", &meeting).await;
        ada.send(packets::heartbeat(true, false, true)).await;

        let seen = stock
            .wait_for(|seen| seen.media_of(MediaType::HEARTBEAT).is_some())
            .await;
        assert_eq!(seen.header.session_id, Some(ada.session()));
        let seen = native
            .until(|seen| state(seen, ada.session()).is_some_and(|(camera, ..)| camera))
            .await;
        assert_eq!(
            state(seen.last().unwrap(), ada.session()),
            Some((true, false, true)),
            "{kind:?}"
        );
        assert!(
            seen.iter()
                .all(|seen| seen.media_of(MediaType::HEARTBEAT).is_none()),
            "{kind:?}: {seen:?}"
        );
    }
}

#[tokio::test]
async fn leaving_is_announced_however_it_happens() {
    let mut policy = Policy::default();
    policy.room.absence = Duration::from_millis(200);
    let server = TestServer::start_with(&[], policy).await;
    for kind in Kind::ALL {
        for in_order in [true, false] {
            let meeting = format!("{kind:?}-{in_order}");
            let mut native = Client::join(&server, Kind::WsNative, "heidi", &meeting).await;
            let mut stock = Client::join(&server, Kind::WtStock, "grace", &meeting).await;
            let ada = Client::join(&server, kind, "ada", &meeting).await;
            let session = ada.session();
            // Somebody who comes and goes between two messages is not mentioned at all.
            native.wait_for(|seen| state(seen, session).is_some()).await;
            if in_order {
                ada.leave().await;
            } else {
                drop(ada);
            }
            native
                .wait_for(|seen| {
                    seen.presence()
                        .is_some_and(|presence| presence.left.contains(&session.get()))
                })
                .await;
            let seen = stock
                .wait_for(|seen| {
                    let event = MeetingEventType::PARTICIPANT_LEFT.into();
                    seen.meeting()
                        .is_some_and(|meeting| meeting.event_type == event)
                })
                .await;
            assert_eq!(seen.meeting().unwrap().session_id, session.get());
        }
    }
}

#[tokio::test]
async fn whoever_joins_late_gets_a_keyframe_from_everybody() {
    let server = TestServer::start().await;
    for publisher in Kind::ALL {
        for joiner in Kind::ALL {
            let meeting = format!("{publisher:?}-{joiner:?}");
            let mut ada = Client::join(&server, publisher, "ada", &meeting).await;
            let mut first = Client::join(&server, Kind::WsNative, "first", &meeting).await;
            ada.send_frame(Track::Camera, 0, true, b"key").await;
            first.wait_for_payload(b"key").await;
            ada.fence().await;

            let mut late = Client::join(&server, joiner, "late", &meeting).await;
            let request = ada.wait_for(|seen| seen.keyframe_request().is_some()).await;
            assert_eq!(request.keyframe_request(), Some(Track::Camera), "{meeting}");
            if !publisher.is_native() {
                let request = request.media().unwrap();
                assert_eq!(&request.user_id[..], b"ada", "{meeting}");
            }
            ada.send_frame(Track::Camera, 1, true, b"for you").await;
            late.wait_for_payload(b"for you").await;
        }
    }
}

#[tokio::test]
async fn keyframe_requests_are_merged_and_go_to_the_publisher_only() {
    let server = TestServer::start().await;
    for kind in Kind::ALL {
        let meeting = format!("{kind:?}");
        let mut ada = Client::join(&server, kind, "ada", &meeting).await;
        let mut stock = Client::join(&server, Kind::WsStock, "grace", &meeting).await;
        let mut native = Client::join(&server, Kind::WtNative, "heidi", &meeting).await;
        ada.send_frame(Track::Camera, 0, true, b"key").await;
        stock.wait_for_payload(b"key").await;
        native.wait_for_payload(b"key").await;
        for _ in 0..5 {
            stock.send(packets::stock_keyframe_request("ada")).await;
            native
                .send(packets::native_keyframe_request(
                    ada.session(),
                    Track::Camera,
                ))
                .await;
        }
        let asked = |seen: &&Seen| seen.keyframe_request().is_some();
        ada.wait_for(|seen| asked(&seen)).await;
        for client in [&mut stock, &mut native] {
            let seen = client.fence().await;
            assert_eq!(seen.iter().filter(asked).count(), 0, "{kind:?}: {seen:?}");
        }
        // A keyframe that has passed settles what was asked before it.
        ada.send_frame(Track::Camera, 1, true, b"again").await;
        stock.wait_for_payload(b"again").await;
        let seen = ada.fence().await;
        assert!(seen.iter().filter(asked).count() <= 1, "{kind:?}: {seen:?}");
    }
}

/// Camera, microphone and screen of `session`, if `seen` says something of them.
fn state(seen: &Seen, session: SessionId) -> Option<(bool, bool, bool)> {
    let presence = seen.presence()?;
    let who = presence
        .participants
        .iter()
        .find(|who| who.session_id == session.get())?;
    Some((who.state.camera, who.state.microphone, who.state.screen))
}
