//! Two servers that are one deployment by a real NATS.

use relay::Policy;
use reqwest::StatusCode;
use testkit::{Client, Endpoints, Kind, NatsServer, Seen, TestServer, packets};
use videocall_types::{SessionId, Track};

#[tokio::test]
async fn participants_on_two_servers_are_in_one_meeting() {
    let nats = NatsServer::start().await;
    let (one, two) = TestServer::pair(&nats.url()).await;
    for (left, right) in [
        (Kind::WsNative, Kind::WtNative),
        (Kind::WsStock, Kind::WtStock),
    ] {
        let meeting = format!("{left:?}");
        let mut ada = Client::join(&one, left, "ada", &meeting).await;
        let mut grace = Client::join(&two, right, "grace", &meeting).await;
        ada.wait_for(|seen| mentions(seen, grace.session())).await;
        grace.wait_for(|seen| mentions(seen, ada.session())).await;

        ada.send_frame(Track::Camera, 0, true, b"from ada").await;
        let seen = grace.wait_for_payload(b"from ada").await;
        assert_eq!(
            (&seen.header.user_id[..], seen.header.session_id),
            (&b"ada"[..], Some(ada.session()))
        );
        grace
            .send_frame(Track::Microphone, 0, true, b"from grace")
            .await;
        let seen = ada.wait_for_payload(b"from grace").await;
        assert_eq!(
            (&seen.header.user_id[..], seen.header.session_id),
            (&b"grace"[..], Some(grace.session()))
        );

        // Not the request that a newcomer causes.
        ada.send_frame(Track::Camera, 1, true, b"key").await;
        grace.wait_for_payload(b"key").await;
        ada.fence().await;
        grace
            .send(if right.is_native() {
                packets::native_keyframe_request(ada.session(), Track::Camera)
            } else {
                packets::stock_keyframe_request("ada")
            })
            .await;
        ada.wait_for(|seen| seen.keyframe_request().is_some()).await;

        let session = grace.session();
        grace.leave().await;
        ada.wait_for(|seen| gone(seen, session)).await;
    }
}

#[tokio::test]
async fn frames_of_all_sizes_cross_the_bus_in_order_and_are_counted() {
    let nats = NatsServer::start().await;
    let url = nats.url();
    let options = ["--nats-url", &url, "--nats-connections", "3"];
    // Nothing is dropped, however slow the machine is.
    let mut policy = Policy::default();
    policy.queue.camera_age = testkit::PATIENCE;
    policy.queue.max_bytes = 10_000_000;
    let (one, two) = tokio::join!(
        TestServer::start_with(&options, policy.clone()),
        TestServer::start_with(&options, policy)
    );
    let mut ada = Client::join(&one, Kind::WsNative, "ada", "team").await;
    let mut grace = Client::join(&two, Kind::WtNative, "grace", "team").await;
    ada.wait_for(|seen| mentions(seen, grace.session())).await;
    grace.wait_for(|seen| mentions(seen, ada.session())).await;

    let lens = [1, 100, 100, 5_000, 100, 60_000, 100, 70_000, 990_000, 100];
    for (sequence, len) in (0..).zip(lens) {
        let frame = vec![sequence as u8; len];
        for client in [&mut ada, &mut grace] {
            client
                .send_frame(Track::Camera, sequence, sequence == 0, &frame)
                .await;
        }
    }
    for (sequence, len) in (0..).zip(lens) {
        let frame = vec![sequence as u8; len];
        for client in [&mut ada, &mut grace] {
            let seen = client.wait_for(|seen| seen.media().is_some()).await;
            assert!(seen.media().unwrap().data == frame, "{sequence}");
        }
    }
    // Both servers count in this process.
    for what in ["packets", "messages", "bytes"] {
        let sent = one.metric(&format!("relay_bus_{what}_sent_total")).await;
        one.wait_for_metric(&format!("relay_bus_{what}_received_total"), sent)
            .await;
        let frames = 2 * lens.len() as u64;
        assert!(match what {
            "packets" => sent == frames,
            "messages" => sent <= frames,
            _ => sent > 2 * lens.iter().sum::<usize>() as u64,
        });
    }
}

#[tokio::test]
async fn losing_nats_disturbs_nobody_on_the_same_server_and_coming_back_joins_all_again() {
    let mut nats = NatsServer::start().await;
    let (one, two) = TestServer::pair(&nats.url()).await;
    let mut ada = Client::join(&one, Kind::WsNative, "ada", "team").await;
    let mut bob = Client::join(&one, Kind::WtNative, "bob", "team").await;
    let mut eve = Client::join(&two, Kind::WsNative, "eve", "team").await;
    ada.wait_for(|seen| mentions(seen, eve.session())).await;
    eve.wait_for(|seen| mentions(seen, ada.session())).await;
    ada.send_frame(Track::Camera, 0, true, b"before").await;
    bob.wait_for_payload(b"before").await;
    eve.wait_for_payload(b"before").await;

    nats.kill().await;
    for server in [&one, &two] {
        let body = wait_for_readiness(server, StatusCode::SERVICE_UNAVAILABLE).await;
        assert_eq!(body, r#"{"reason":"bus","status":"degraded"}"#);
    }
    ada.send_frame(Track::Camera, 1, false, b"meanwhile").await;
    bob.wait_for_payload(b"meanwhile").await;

    nats.restart().await;
    for server in [&one, &two] {
        assert_eq!(
            wait_for_readiness(server, StatusCode::OK).await,
            r#"{"status":"ready"}"#
        );
    }
    // Connected is not yet subscribed everywhere: the first keyframe that arrives shows that it is.
    let mut sequence = 2;
    let heard = loop {
        for client in [&mut ada, &mut bob] {
            client.send(packets::heartbeat(true, true, false)).await;
        }
        ada.send_frame(Track::Camera, sequence, true, b"after")
            .await;
        bob.wait_for_payload(b"after").await;
        sequence += 1;
        let seen = eve.fence().await;
        if let Some(seen) = seen
            .into_iter()
            .find(|seen| seen.media().is_some_and(|media| media.data == "after"))
        {
            break seen;
        }
    };
    assert_eq!(heard.header.session_id, Some(ada.session()));
    eve.send_frame(Track::Camera, 0, true, b"and back").await;
    ada.wait_for_payload(b"and back").await;
    bob.wait_for_payload(b"and back").await;
}

async fn wait_for_readiness(server: &Endpoints, status: StatusCode) -> String {
    let ready = async {
        loop {
            let response = server.get("/readyz").await;
            if response.status() == status {
                return response.text().await.unwrap();
            }
        }
    };
    tokio::time::timeout(testkit::PATIENCE, ready)
        .await
        .expect("readiness changes")
}

fn mentions(seen: &Seen, session: SessionId) -> bool {
    let by_presence = seen.presence().is_some_and(|presence| {
        presence
            .participants
            .iter()
            .any(|who| who.session_id == session.get())
    });
    by_presence
        || seen
            .meeting()
            .is_some_and(|meeting| meeting.session_id == session.get())
}

fn gone(seen: &Seen, session: SessionId) -> bool {
    use videocall_types::proto::meeting_packet::meeting_packet::MeetingEventType::PARTICIPANT_LEFT;
    let by_presence = seen
        .presence()
        .is_some_and(|presence| presence.left.contains(&session.get()));
    by_presence
        || seen.meeting().is_some_and(|event| {
            event.event_type == PARTICIPANT_LEFT.into() && event.session_id == session.get()
        })
}
