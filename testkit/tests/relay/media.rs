//! Media between every kind of sender and receiver.

use testkit::client::Channel;
use testkit::packets::{self, FORGED_SESSION, FORGED_USER};
use testkit::{Client, Kind, TestServer};
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::{Codec, PacketKind, Track};

#[tokio::test]
async fn every_kind_of_client_sees_and_hears_every_other() {
    let server = TestServer::start().await;
    for from in Kind::ALL {
        for to in Kind::ALL {
            let meeting = format!("{from:?}-{to:?}");
            let mut receiver = Client::join(&server, to, "grace", &meeting).await;
            let mut sender = Client::join(&server, from, "ada", &meeting).await;
            for (track, kind) in [
                (Track::Camera, MediaType::VIDEO),
                (Track::Microphone, MediaType::AUDIO),
                (Track::Screen, MediaType::SCREEN),
            ] {
                let payload = format!("{track:?} of {from:?}");
                sender.send_frame(track, 7, true, payload.as_bytes()).await;
                let seen = receiver.wait_for_payload(payload.as_bytes()).await;
                // The relay's word, whatever the sender has written.
                assert_eq!(&seen.header.user_id[..], b"ada", "{meeting}");
                assert_eq!(seen.header.session_id, Some(sender.session()), "{meeting}");
                let media = seen.media().unwrap();
                assert_eq!(media.media_type, kind.into(), "{meeting}");
                assert_eq!(media.frame_type, "key");
                let routing = seen.routing().expect("stock media gets a header");
                assert_eq!(
                    (routing.track, routing.sequence, routing.keyframe),
                    (track, 7, true),
                    "{meeting}"
                );
                let codec = if track.is_audio() {
                    Codec::Opus
                } else {
                    Codec::Vp9
                };
                assert_eq!(routing.codec, Some(codec), "{meeting}");
                let channel = match (to, track) {
                    (Kind::WsStock | Kind::WsNative, _) => Channel::Message,
                    (Kind::WtNative, Track::Microphone) => Channel::Datagram,
                    (Kind::WtStock | Kind::WtNative, _) => Channel::Stream,
                };
                assert_eq!(seen.channel, channel, "{meeting} {track:?}");
            }
        }
    }
}

#[tokio::test]
async fn datagrams_reach_everybody() {
    let server = TestServer::start().await;
    for from in [Kind::WtStock, Kind::WtNative] {
        let meeting = format!("{from:?}");
        let mut sender = Client::join(&server, from, "ada", &meeting).await;
        let mut receivers = Vec::new();
        for to in Kind::ALL {
            receivers.push(Client::join(&server, to, "grace", &meeting).await);
        }
        let media = packets::frame(Track::Microphone, 1, true, b"sound");
        let packet = if from.is_native() {
            packets::native_media(&media, &packets::routing(Track::Microphone, 1, true))
        } else {
            packets::stock_media(&media)
        };
        if !from.is_native() {
            sender.webtransport().send_datagram(b"ping");
        }
        sender.webtransport().send_datagram(&packet);
        for receiver in &mut receivers {
            let seen = receiver.wait_for_payload(b"sound").await;
            assert_eq!(seen.header.session_id, Some(sender.session()));
        }
        assert_eq!(
            server
                .metric("relay_packets_dropped_total{reason=\"malformed\"}")
                .await,
            0
        );
    }
}

#[tokio::test]
async fn a_frame_of_many_packets_arrives_whole_and_in_order() {
    let server = TestServer::start().await;
    let large = vec![7; 300_000];
    for from in Kind::ALL {
        for to in Kind::ALL {
            let meeting = format!("{from:?}-{to:?}");
            let mut receiver = Client::join(&server, to, "grace", &meeting).await;
            let mut sender = Client::join(&server, from, "ada", &meeting).await;
            sender.send_frame(Track::Camera, 0, true, &large).await;
            for sequence in 1..20 {
                sender
                    .send_frame(Track::Camera, sequence, false, b"delta")
                    .await;
            }
            for sequence in 0..20 {
                let seen = receiver
                    .wait_for(|seen| seen.media_of(MediaType::VIDEO).is_some())
                    .await;
                assert_eq!(seen.routing().unwrap().sequence, sequence, "{meeting}");
                if sequence == 0 {
                    assert_eq!(seen.media().unwrap().data, large, "{meeting}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_probe_comes_back_as_it_was_sent_and_to_nobody_else() {
    let server = TestServer::start().await;
    for kind in Kind::ALL {
        let meeting = format!("{kind:?}");
        let mut other = Client::join(&server, Kind::WsStock, "grace", &meeting).await;
        let mut client = Client::join(&server, kind, "ada", &meeting).await;
        let probe = packets::probe(123_456);
        client.send(probe.clone()).await;
        let echo = client
            .wait_for(|seen| seen.media_of(MediaType::RTT).is_some())
            .await;
        assert_eq!(echo.bytes, probe, "{kind:?}");
        if kind.is_webtransport() {
            assert_eq!(echo.channel, Channel::Stream);
            client.webtransport().send_datagram(&probe);
            let echo = client
                .wait_for(|seen| seen.media_of(MediaType::RTT).is_some())
                .await;
            assert_eq!((echo.bytes, echo.channel), (probe, Channel::Datagram));
        }
        client.send_frame(Track::Camera, 0, true, b"after").await;
        let seen = other
            .until(|seen| seen.media().is_some_and(|media| media.data == "after"))
            .await;
        assert!(
            seen.iter()
                .all(|seen| seen.media_of(MediaType::RTT).is_none()),
            "{kind:?}: {seen:?}"
        );
    }
}

#[tokio::test]
async fn what_only_a_relay_may_say_is_dropped_and_counted() {
    let server = TestServer::start().await;
    let server_only = [
        PacketKind::MEETING,
        PacketKind::SESSION_ASSIGNED,
        PacketKind::CONGESTION,
        PacketKind::PRESENCE,
        PacketKind::NOTICE,
        PacketKind::DEMAND,
        PacketKind::SPEAKERS,
    ];
    for kind in Kind::ALL {
        let meeting = format!("{kind:?}");
        let mut stock = Client::join(&server, Kind::WsStock, "grace", &meeting).await;
        let mut native = Client::join(&server, Kind::WtNative, "heidi", &meeting).await;
        let mut forger = Client::join(&server, kind, "mallory", &meeting).await;
        // They know of each other: from here on presence is silent.
        for client in [&mut stock, &mut native, &mut forger] {
            client.send_frame(Track::Camera, 0, true, b"hello").await;
        }
        stock.wait_for_payload(b"hello").await;
        let dropped = server
            .metric("relay_packets_dropped_total{reason=\"server_only\"}")
            .await;
        let unknown = server
            .metric("relay_packets_dropped_total{reason=\"unknown_kind\"}")
            .await;
        for packet in server_only {
            forger
                .send(packets::wrapper(
                    protobuf::Enum::value(&packet),
                    &b"forged"[..],
                ))
                .await;
        }
        for unknown in [0, 10, 31, 42, 255] {
            forger.send(packets::wrapper(unknown, &b"forged"[..])).await;
        }
        forger.send_frame(Track::Camera, 1, false, b"after").await;
        for client in [&mut stock, &mut native] {
            let seen = client
                .until(|seen| seen.media().is_some_and(|media| media.data == "after"))
                .await;
            assert!(
                seen.iter().all(|seen| seen.header.data != "forged"),
                "{kind:?}: {seen:?}"
            );
        }
        let count = server_only.len() as u64;
        server
            .wait_for_metric(
                "relay_packets_dropped_total{reason=\"server_only\"}",
                dropped + count,
            )
            .await;
        server
            .wait_for_metric(
                "relay_packets_dropped_total{reason=\"unknown_kind\"}",
                unknown + 5,
            )
            .await;
    }
}

#[tokio::test]
async fn packets_of_the_public_generation_reach_its_clients_with_the_true_sender() {
    let server = TestServer::start().await;
    for kind in Kind::ALL {
        let meeting = format!("{kind:?}");
        let mut stock = Client::join(&server, Kind::WtStock, "grace", &meeting).await;
        let mut sender = Client::join(&server, kind, "ada", &meeting).await;
        for packet in [
            PacketKind::RSA_PUB_KEY,
            PacketKind::AES_KEY,
            PacketKind::CONNECTION,
            PacketKind::DIAGNOSTICS,
        ] {
            sender
                .send(packets::wrapper(
                    protobuf::Enum::value(&packet),
                    &b"opaque"[..],
                ))
                .await;
            let seen = stock.wait_for(|seen| seen.is(packet)).await;
            assert_eq!(seen.header.data, &b"opaque"[..]);
            assert_eq!(
                (&seen.header.user_id[..], seen.header.session_id),
                (&b"ada"[..], Some(sender.session()))
            );
            assert!(seen.header.user_id != FORGED_USER);
            assert!(seen.header.session_id.unwrap().get() != FORGED_SESSION);
        }
    }
}

#[tokio::test]
async fn meetings_are_apart_however_alike_their_names_are() {
    let server = TestServer::start().await;
    let meetings = ["a_b", "A_B", "a-b", "ab", "a_b_"];
    let mut members = Vec::new();
    for (index, meeting) in meetings.iter().enumerate() {
        let kind = Kind::ALL[index % Kind::ALL.len()];
        let mut speaker = Client::join(&server, kind, "ada", meeting).await;
        let mut listener = Client::join(&server, kind, "grace", meeting).await;
        speaker.fence().await;
        listener.fence().await;
        members.push((speaker, listener));
    }
    for ((speaker, _), meeting) in members.iter_mut().zip(meetings) {
        speaker
            .send_frame(Track::Camera, 0, true, meeting.as_bytes())
            .await;
    }
    for ((_, listener), meeting) in members.iter_mut().zip(meetings) {
        let seen = listener
            .wait_for(|seen| seen.media_of(MediaType::VIDEO).is_some())
            .await;
        assert_eq!(seen.media().unwrap().data, meeting.as_bytes());
    }
    // All five have been routed by now, so that a stray one would be here.
    for (_, listener) in &mut members {
        let seen = listener.fence().await;
        assert!(
            seen.iter()
                .all(|seen| seen.media_of(MediaType::VIDEO).is_none()),
            "{seen:?}"
        );
    }
}
