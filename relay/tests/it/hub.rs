//! Members of one hub.

use std::time::{Duration, SystemTime};

use relay::duplex::Sent;
use relay::transport::{Channel, Lane};
use relay::{Admission, Dialect, JoinError, Policy, Status, metrics};
use relay_core::policy::RoomPolicy;
use videocall_types::proto::control::Presence;
use videocall_types::proto::meeting_packet::MeetingPacket;
use videocall_types::{CloseCode, PacketHeader, PacketKind, Track};

use crate::support::{Client, Got, admission, heartbeat, hub, keyframe_request, packet, probe};
use Dialect::{Native, Stock};

#[tokio::test(start_paused = true)]
async fn members_are_told_of_each_other() {
    let hub = hub(Policy::default()).await;
    let mut ada = Client::join(&hub, "standup", "ada", Native).await;
    assert_eq!(ada.next().await, Got::Assigned(ada.session));
    assert_eq!(ada.next().await, Got::Snapshot(vec![]));

    let mut bob = Client::join(&hub, "standup", "bob", Stock).await;
    assert_eq!(bob.next().await, Got::Assigned(bob.session));
    assert_eq!(bob.next().await, Got::Meeting("MEETING_STARTED".into()));
    assert_eq!(
        bob.next().await,
        Got::Meeting("PARTICIPANT_JOINED ada".into())
    );
    assert_eq!(ada.next().await, Got::News(vec!["bob".into()], vec![]));

    let bobs = bob.session;
    assert_eq!(bob.leave().await, CloseCode::Left);
    assert_eq!(ada.next().await, Got::TracksClosed(bobs));
    assert_eq!(ada.next().await, Got::News(vec![], vec![bobs]));
}

/// How long a packet takes is learned before any can pile up.
#[tokio::test(start_paused = true)]
async fn a_native_session_begins_with_a_report_behind_its_id() {
    let hub = hub(Policy::default()).await;
    for (dialect, kinds) in [
        (Native, [PacketKind::SESSION_ASSIGNED, PacketKind::REPORT]),
        (Stock, [PacketKind::SESSION_ASSIGNED, PacketKind::MEETING]),
    ] {
        let mut client = Client::join(&hub, &format!("{dialect:?}"), "ada", dialect).await;
        for kind in kinds {
            let Some(Sent::Packet(packet, lane)) = client.peer.recv().await else {
                panic!("nothing came")
            };
            let header = PacketHeader::parse(&packet.to_bytes()).unwrap();
            assert_eq!((header.kind, lane), (Ok(kind), Lane::Control));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn media_reaches_the_others_with_the_true_sender() {
    let hub = hub(Policy::default()).await;
    let mut ada = Client::join(&hub, "standup", "ada", Native).await;
    let mut bob = Client::join(&hub, "standup", "bob", Native).await;
    let mut eve = Client::join(&hub, "standup", "eve", Stock).await;
    bob.until_joined("eve").await;
    eve.until_got(&Got::Meeting("PARTICIPANT_JOINED bob".into()))
        .await;

    let session = ada.session;
    for (track, sequence) in [
        (Track::Camera, 0),
        (Track::Screen, 0),
        (Track::Microphone, 0),
        (Track::ScreenAudio, 0),
    ] {
        ada.send_media(track, sequence, true).await;
        let (got, lane) = bob.next_on_lane().await;
        assert_eq!(got, Got::Media(session, track, sequence));
        assert_eq!(
            lane,
            if track.is_audio() {
                Lane::Datagram
            } else {
                Lane::Track { session, track }
            }
        );
        if track != Track::ScreenAudio {
            assert_eq!(eve.next().await, Got::Media(session, track, sequence));
        }
    }
    // Stock clients get no datagrams from the relay.
    ada.send_media(Track::Microphone, 1, false).await;
    let (_, lane) = eve.next_on_lane().await;
    assert_eq!(
        lane,
        Lane::TrackDatagram {
            session,
            track: Track::Microphone
        }
    );

    ada.send(heartbeat(true)).await;
    assert_eq!(eve.next().await, Got::Heartbeat(session));
    assert_eq!(
        bob.until(|got| matches!(got, Got::News(..)).then(|| got.clone()))
            .await,
        Got::News(vec!["ada+cam".into()], vec![])
    );
    assert!(
        !ada.drain()
            .iter()
            .any(|got| matches!(got, Got::Media(..) | Got::Heartbeat(_)))
    );
}

#[tokio::test(start_paused = true)]
async fn large_audio_takes_the_stream() {
    let hub = hub(Policy::default()).await;
    let ada = Client::join(&hub, "standup", "ada", Native).await;
    let mut bob = Client::join(&hub, "standup", "bob", Native).await;
    bob.until_joined("ada").await;
    ada.send(crate::support::sized_media(
        Track::Microphone,
        0,
        true,
        1200,
    ))
    .await;
    let (_, lane) = bob.next_on_lane().await;
    assert_eq!(
        lane,
        Lane::Track {
            session: ada.session,
            track: Track::Microphone
        }
    );
}

#[tokio::test(start_paused = true)]
async fn meetings_are_apart() {
    let hub = hub(Policy::default()).await;
    let names = ["standup", "Standup", "stand-up", "stand_up"];
    let mut clients = Vec::new();
    for name in names {
        let mut client = Client::join(&hub, name, "ada", Native).await;
        client.next().await;
        assert_eq!(client.next().await, Got::Snapshot(vec![]));
        clients.push(client);
    }
    let [first, others @ ..] = clients.as_mut_slice() else {
        panic!("no clients")
    };
    first.send_media(Track::Camera, 0, true).await;
    for other in others {
        // An answer that comes after the media would.
        other.send(probe(1.0)).await;
        assert_eq!(other.next().await, Got::Probe(probe(1.0)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_room_ends_with_its_last_member_and_starts_anew() {
    let hub = hub(Policy::default()).await;
    for _ in 0..3 {
        let mut ada = Client::join(&hub, "standup", "ada", Native).await;
        ada.next().await;
        assert_eq!(ada.next().await, Got::Snapshot(vec![]));
        ada.leave().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_that_nobody_took_up_is_given_back() {
    let hub = hub(Policy::default()).await;
    let mut ada = Client::join(&hub, "standup", "ada", Native).await;
    let membership = hub.join(admission("standup", "bob", Native)).await.unwrap();
    let bob = membership.session();
    ada.until_joined("bob").await;
    drop(membership);
    ada.until_left(bob).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_room_refuses() {
    let room = RoomPolicy {
        max_members: 1,
        ..RoomPolicy::default()
    };
    let hub = hub(Policy {
        room,
        ..Policy::default()
    })
    .await;
    let ada = Client::join(&hub, "standup", "ada", Native).await;
    let refused = hub
        .join(admission("standup", "bob", Native))
        .await
        .unwrap_err();
    assert_eq!(
        (refused, refused.close_code()),
        (JoinError::Full, CloseCode::Full)
    );
    assert!(hub.join(admission("other", "bob", Native)).await.is_ok());
    ada.leave().await;
    assert!(hub.join(admission("standup", "bob", Native)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn probes_come_back_as_they_went() {
    let hub = hub(Policy::default()).await;
    let mut ada = Client::join(&hub, "standup", "ada", Native).await;
    let mut bob = Client::join(&hub, "standup", "bob", Native).await;
    ada.until_joined("bob").await;
    for (channel, lane) in [
        (Channel::Stream, Lane::Control),
        (Channel::Datagram, Lane::Datagram),
    ] {
        ada.peer.send(probe(1.5), channel).await;
        assert_eq!(ada.next_on_lane().await, (Got::Probe(probe(1.5)), lane));
    }
    bob.send(probe(2.0)).await;
    bob.until_got(&Got::Probe(probe(2.0))).await;
}

#[tokio::test(start_paused = true)]
async fn what_only_a_relay_may_say_is_dropped_and_counted() {
    let handle = metrics::install();
    let hub = hub(Policy::default()).await;
    let ada = Client::join(&hub, "standup", "ada", Native).await;
    let mut bob = Client::join(&hub, "standup", "bob", Stock).await;
    let mut eve = Client::join(&hub, "standup", "eve", Native).await;
    bob.until_got(&Got::Meeting("PARTICIPANT_JOINED eve".into()))
        .await;
    eve.until_joined("ada").await;
    for kind in [
        PacketKind::MEETING,
        PacketKind::SESSION_ASSIGNED,
        PacketKind::CONGESTION,
        PacketKind::NOTICE,
    ] {
        ada.send(packet(kind, &MeetingPacket::new())).await;
    }
    ada.send(packet(PacketKind::PRESENCE, &Presence::new()))
        .await;
    ada.send_media(Track::Camera, 0, true).await;
    for client in [&mut bob, &mut eve] {
        let got = client
            .until(|got| (!matches!(got, Got::News(..))).then(|| got.clone()))
            .await;
        assert_eq!(got, Got::Media(ada.session, Track::Camera, 0));
    }
    let text = handle.render();
    assert!(
        text.contains("relay_packets_dropped_total{reason=\"server_only\"} 5\n"),
        "{text}"
    );
    assert!(
        !text.contains("standup") && !text.contains("ada"),
        "ids in metrics:\n{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_late_joiner_starts_with_a_keyframe() {
    let hub = hub(Policy::default()).await;
    let mut ada = Client::join(&hub, "standup", "ada", Native).await;
    ada.send_media(Track::Camera, 0, true).await;
    ada.send_media(Track::Camera, 1, false).await;
    // The relay's answer to the probe shows that it has the frames.
    ada.send(probe(1.0)).await;
    ada.until_got(&Got::Probe(probe(1.0))).await;

    let mut bob = Client::join(&hub, "standup", "bob", Native).await;
    ada.until_got(&Got::KeyframeRequest(Track::Camera)).await;
    for (sequence, keyframe) in [(2, false), (3, true), (4, false)] {
        ada.send_media(Track::Camera, sequence, keyframe).await;
    }
    for sequence in [3, 4] {
        assert_eq!(
            bob.until(|got| matches!(got, Got::Media(..)).then(|| got.clone()))
                .await,
            Got::Media(ada.session, Track::Camera, sequence),
        );
    }
    // The next request waits until the interval of the first one is over.
    bob.send(keyframe_request(ada.session, Track::Camera)).await;
    ada.until_got(&Got::KeyframeRequest(Track::Camera)).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_with_its_credential() {
    let hub = hub(Policy::default()).await;
    let expires = Some(SystemTime::now() + Duration::from_secs(5));
    let mut ada = Client::join_as(
        &hub,
        Admission {
            expires,
            ..admission("standup", "ada", Native)
        },
    )
    .await
    .unwrap();
    let mut bob = Client::join(&hub, "standup", "bob", Native).await;
    bob.until_joined("ada").await;
    assert_eq!(ada.ended().await, CloseCode::Unauthorized);
    bob.until_left(ada.session).await;
    assert!(bob.is_connected());

    let expired = Some(SystemTime::UNIX_EPOCH);
    let mut late = Client::join_as(
        &hub,
        Admission {
            expires: expired,
            ..admission("standup", "eve", Native)
        },
    )
    .await
    .unwrap();
    assert_eq!(late.ended().await, CloseCode::Unauthorized);
}

#[tokio::test(start_paused = true)]
async fn draining_tells_everybody_to_go_elsewhere() {
    let hub = hub(Policy::default()).await;
    let mut ada = Client::join(&hub, "standup", "ada", Native).await;
    let mut bob = Client::join(&hub, "standup", "bob", Stock).await;
    assert_eq!(hub.status(), Status::Ready);
    hub.shutdown().await;
    assert_eq!(hub.status(), Status::Draining);
    assert_eq!(ada.ended().await, CloseCode::Draining);
    assert_eq!(bob.ended().await, CloseCode::Draining);
    ada.until_got(&Got::Notice("DRAIN".into())).await;
    assert!(!bob.drain().iter().any(|got| matches!(got, Got::Notice(_))));
    assert_eq!(
        hub.join(admission("standup", "eve", Native))
            .await
            .unwrap_err(),
        JoinError::Draining
    );
}

#[tokio::test(start_paused = true)]
async fn whoever_joins_a_large_room_hears_of_everyone() {
    let hub = hub(Policy::default()).await;
    let mut crowd = Vec::new();
    for n in 0..300 {
        crowd.push(Client::join(&hub, "town-hall", &format!("user-{n}"), Native).await);
    }
    let mut eve = Client::join(&hub, "town-hall", "eve", Stock).await;
    for _ in &crowd {
        eve.until(|got| match got {
            Got::Meeting(news) if news.starts_with("PARTICIPANT_JOINED") => Some(()),
            _ => None,
        })
        .await;
    }
}

#[tokio::test]
async fn a_full_process_takes_nobody_else() {
    let mut policy = Policy::default();
    policy.session.max_sessions = 1;
    let hub = hub(policy).await;
    let ada = Client::join(&hub, "standup", "ada", Native).await;
    let bob = || hub.join(admission("retro", "bob", Native));
    assert_eq!(bob().await.unwrap_err(), JoinError::Full);
    ada.leave().await;
    assert!(bob().await.is_ok());
}
