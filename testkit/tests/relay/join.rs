//! Who gets a session, and what it is told first.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use relay::Policy;
use relay::token::TokenSecret;
use testkit::{Client, Kind, Refusal, TestServer};
use videocall_types::claims::{Capabilities, RoomClaims};
use videocall_types::proto::meeting_packet::meeting_packet::MeetingEventType;
use videocall_types::{CloseCode, PacketKind};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn every_kind_of_client_is_told_its_session_and_who_is_there() {
    let server = TestServer::start().await;
    let ada = Client::join(&server, Kind::WsNative, "ada", "team").await;
    for kind in Kind::ALL {
        let mut client = Client::join(&server, kind, "grace", "team").await;
        if kind.is_native() {
            let seen = client.wait_for(|seen| seen.is(PacketKind::PRESENCE)).await;
            let presence = seen.presence().unwrap();
            assert!(presence.snapshot, "{kind:?}");
            assert!(
                presence
                    .participants
                    .iter()
                    .any(|there| there.session_id == ada.session().get()),
                "{kind:?}"
            );
        } else {
            let events: Vec<_> = client
                .until(|seen| {
                    seen.meeting()
                        .is_some_and(|event| event.session_id == ada.session().get())
                })
                .await
                .iter()
                .filter_map(testkit::Seen::meeting)
                .collect();
            assert_eq!(
                events.first().unwrap().event_type,
                MeetingEventType::MEETING_STARTED.into(),
                "{kind:?}"
            );
            assert_eq!(events.first().unwrap().room_id, "team");
            assert_eq!(
                events.last().unwrap().event_type,
                MeetingEventType::PARTICIPANT_JOINED.into(),
                "{kind:?}"
            );
            assert_eq!(events.last().unwrap().target_user_id, "ada");
        }
        client.leave().await;
    }
}

#[tokio::test]
async fn ids_that_could_be_misread_are_refused() {
    let server = TestServer::start().await;
    let long = "x".repeat(65);
    for id in [
        "a%20b", "*", "%3E", ".", "..%2Fa", "a%2Fb", "%C3%A9", "a%0Ab", &long,
    ] {
        for target in [format!("/lobby/{id}/team"), format!("/lobby/ada/{id}")] {
            for kind in Kind::ALL {
                let refusal = refused(&server, kind, &target).await;
                let expected = if kind.is_webtransport() {
                    vec![Refusal::Rejected]
                } else {
                    // HTTP resolves dot segments before the relay sees them.
                    vec![
                        Refusal::Closed(Some(CloseCode::BadRequest.code())),
                        Refusal::Status(404),
                    ]
                };
                assert!(
                    expected.contains(&refusal),
                    "{kind:?} {target}: {refusal:?}"
                );
            }
        }
    }
    for kind in Kind::ALL {
        Client::join(&server, kind, &"x".repeat(64), &"y".repeat(64)).await;
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let server = TestServer::start_with(
        &["--allowed-origins", "https://meet.example.org"],
        Policy::default(),
    )
    .await;
    let own = format!("http://{}", server.http);
    for (origin, allowed) in [
        (None, true),
        (Some(own.as_str()), true),
        (Some("http://127.0.0.1:1"), true),
        (Some("https://meet.example.org"), true),
        (Some("https://MEET.example.org"), true),
        (Some("https://meet.example.org:444"), false),
        (Some("http://meet.example.org"), false),
        (Some("https://meet.example.org.evil.com"), false),
        (Some("https://evil.com"), false),
        (Some("http://127.0.0.1.evil.com"), false),
        (Some("null"), false),
        (Some("file://"), false),
        (Some(""), false),
    ] {
        for kind in [Kind::WsNative, Kind::WtNative] {
            let result = Client::connect(&server, kind, "/lobby/ada/team", origin)
                .await
                .map(|_| ());
            let expected = match (allowed, kind) {
                (true, _) => Ok(()),
                (false, Kind::WsNative) => Err(Refusal::Status(403)),
                (false, _) => Err(Refusal::Rejected),
            };
            assert_eq!(result, expected, "{kind:?} {origin:?}");
        }
    }
}

#[tokio::test]
async fn a_token_names_user_meeting_and_name() {
    let server = TestServer::start_with(&["--room-token-secret", SECRET], Policy::default()).await;
    for kind in Kind::ALL {
        let mut watcher = Client::join(&server, Kind::WsNative, "watcher", "team").await;
        let target = format!("/lobby?token={}", token(SECRET, 60));
        let client = Client::connect(&server, kind, &target, None)
            .await
            .map_err(|refusal| format!("{kind:?} {refusal:?}"));
        let session = client.as_ref().unwrap().session().get();
        let seen = watcher
            .wait_for(|seen| {
                seen.presence().is_some_and(|presence| {
                    presence
                        .participants
                        .iter()
                        .any(|who| who.session_id == session)
                })
            })
            .await;
        let presence = seen.presence().unwrap();
        let who = presence
            .participants
            .iter()
            .find(|who| who.session_id == session)
            .unwrap();
        assert_eq!(
            (&who.user_id[..], who.display_name.as_str()),
            (&b"ada"[..], "Ada L"),
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn with_members_only_access_nobody_joins_without_a_valid_token() {
    let options = ["--access", "members", "--room-token-secret", SECRET];
    let server = TestServer::start_with(&options, Policy::default()).await;
    assert_eq!(
        server.config().await.access,
        videocall_types::api::Access::Members
    );
    let other_key = token("another key of at least 32 bytes..", 60);
    for kind in Kind::ALL {
        for target in [
            "/lobby/ada/team".to_owned(),
            "/lobby?token=".to_owned(),
            "/lobby?token=garbage".to_owned(),
            format!("/lobby?token={other_key}"),
            format!("/lobby?token={}", token(SECRET, -60)),
        ] {
            let expected = if kind.is_webtransport() {
                Refusal::Rejected
            } else {
                Refusal::Closed(Some(CloseCode::Unauthorized.code()))
            };
            assert_eq!(
                refused(&server, kind, &target).await,
                expected,
                "{kind:?} {target}"
            );
        }
        Client::connect(
            &server,
            kind,
            &format!("/lobby?token={}", token(SECRET, 60)),
            None,
        )
        .await
        .unwrap();
    }
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let server = TestServer::start_with(&["--room-token-secret", SECRET], Policy::default()).await;
    for kind in Kind::ALL {
        let target = format!("/lobby?token={}", token(SECRET, 2));
        let mut client = Client::connect(&server, kind, &target, None).await.unwrap();
        assert_eq!(
            client.closed().await,
            Some(CloseCode::Unauthorized.code()),
            "{kind:?}"
        );
    }
}

async fn refused(server: &TestServer, kind: Kind, target: &str) -> Refusal {
    match Client::connect(server, kind, target, None).await {
        Ok(_) => panic!("{kind:?} {target} is not refused"),
        Err(refusal) => refusal,
    }
}

fn token(secret: &str, valid_for: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let valid = Duration::from_secs(valid_for.unsigned_abs());
    let claims = RoomClaims {
        sub: "ada".parse().unwrap(),
        meeting: "team".parse().unwrap(),
        name: Some("Ada L".to_owned().into()),
        exp: if valid_for < 0 {
            now - valid
        } else {
            now + valid
        }
        .as_secs(),
        can: Capabilities::default(),
    };
    secret
        .parse::<TokenSecret>()
        .unwrap()
        .sign(&claims)
        .unwrap()
}
