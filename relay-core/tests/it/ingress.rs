//! What bytes from a client or another relay are.

use crate::support::{
    forwarded, heartbeat, identity, media, media_packet, packet, routing, session, stock,
    video_packet, wishes,
};
use proptest::prelude::*;
use protobuf::Message as _;
use relay_core::ingress::{Inbound, KeyframeTarget, entry, from_client, from_relay};
use relay_core::{Content, DropReason, TrackId};
use videocall_types::limits::{MAX_CONTROL_BYTES, MAX_PACKET_BYTES};
use videocall_types::proto::control::{Enter, KeyframeRequest};
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::proto::media_packet::{AudioMetadata, VideoCodec};
use videocall_types::proto::packet_wrapper::PacketWrapper;
use videocall_types::proto::routing as wire;
use videocall_types::{
    Bytes, Codec, Packet, PacketHeader, PacketKind, Resume, ResumeSecret, Routing, Track,
};

fn client(bytes: &Bytes) -> Result<Inbound, DropReason> {
    from_client(bytes, &identity(7))
}

fn content(bytes: &Bytes) -> Content {
    forwarded(bytes, 7).content
}

#[test]
fn every_packet_type_is_allowed_in_its_direction_only() {
    let body = Bytes::from_static(b"\xff");
    for raw in 0..=255i32 {
        let mut wrapper = PacketWrapper::new();
        wrapper.packet_type = protobuf::EnumOrUnknown::from_i32(raw);
        wrapper.data = body.clone();
        let bytes: Bytes = wrapper.write_to_bytes().unwrap().into();
        let outcome = client(&bytes);
        match raw {
            1..=5 => assert!(matches!(outcome, Ok(Inbound::Forward(_))), "{raw}"),
            6 | 39 => assert_eq!(outcome, Ok(Inbound::Consumed)),
            7..=9 | 33 | 34 | 36 | 41 => assert_eq!(outcome, Err(DropReason::ServerOnly), "{raw}"),
            32 | 35 | 37 | 40 => assert_eq!(outcome, Err(DropReason::Malformed)),
            38 => assert_eq!(outcome, Ok(Inbound::Consumed)),
            _ => assert_eq!(outcome, Err(DropReason::UnknownKind), "{raw}"),
        }
    }
}

#[test]
fn the_sender_is_who_the_relay_says() {
    let header = routing(Track::Camera, 3, true);
    let claimed = Packet::media(
        b"mallory",
        Some(session(666)),
        &header,
        Bytes::from_static(b"frame"),
    );
    let forward = forwarded(&claimed.to_bytes(), 7);
    assert_eq!(
        (forward.source, forward.content),
        (Some(session(7)), Content::Media(header))
    );
    let stamped = PacketHeader::parse(&forward.packet.to_bytes()).unwrap();
    assert_eq!(
        (stamped.session_id, stamped.user_id.as_ref()),
        (Some(session(7)), b"u7".as_slice())
    );
    assert_eq!(Routing::parse(&stamped.routing), Some(header));
    assert_eq!(stamped.data, "frame");
}

#[test]
fn the_routing_header_goes_on_byte_for_byte() {
    let mut header = routing(Track::Microphone, 3, false)
        .to_wire()
        .write_to_bytes()
        .unwrap();
    // Field 99, which this version does not know.
    header.extend_from_slice(&[0x98, 0x06, 0x01]);
    let packet = Packet::new(
        PacketKind::MEDIA,
        b"",
        None,
        &header,
        Bytes::from_static(b"x"),
    );
    let forward = forwarded(&packet.to_bytes(), 7);
    assert_eq!(
        PacketHeader::parse(&forward.packet.to_bytes())
            .unwrap()
            .routing,
        header
    );
}

#[test]
fn a_bad_routing_header_is_malformed() {
    let mut out_of_range = wire::RoutingHeader::new();
    out_of_range.track = wire::Track::MICROPHONE.into();
    out_of_range.audio_level = 128;
    for header in [
        b"\xff".to_vec(),
        b"\x10\x01".to_vec(),
        out_of_range.write_to_bytes().unwrap(),
    ] {
        let packet = Packet::new(PacketKind::MEDIA, b"", None, &header, Bytes::new());
        assert_eq!(
            client(&packet.to_bytes()),
            Err(DropReason::Malformed),
            "{header:?}"
        );
    }
}

#[test]
fn stock_video_gets_a_header() {
    let mut media = video_packet(MediaType::VIDEO, 41, true);
    media.timestamp = 1_234_567.9;
    media.video_metadata.mut_or_insert_default().codec =
        VideoCodec::VP9_PROFILE0_LEVEL10_8BIT.into();
    let expected = Routing {
        capture_time_us: 1_234_567,
        codec: Some(Codec::Vp9),
        ..routing(Track::Camera, 41, true)
    };
    let forward = forwarded(&stock(&media), 7);
    assert_eq!(forward.content, Content::Media(expected));
    let header = PacketHeader::parse(&forward.packet.to_bytes()).unwrap();
    assert_eq!(Routing::parse(&header.routing), Some(expected));
    assert_eq!(header.data, media.write_to_bytes().unwrap());
    assert_eq!(
        content(&stock(&video_packet(MediaType::SCREEN, 2, false))),
        Content::Media(routing(Track::Screen, 2, false))
    );
}

#[test]
fn stock_audio_gets_a_header() {
    let audio = |timestamp: f64, own: Option<u64>| {
        let mut media = video_packet(MediaType::AUDIO, 5, true);
        media.timestamp = timestamp;
        media.audio_metadata = own
            .map(|sequence| {
                let mut metadata = AudioMetadata::new();
                metadata.sequence = sequence;
                metadata
            })
            .into();
        match content(&stock(&media)) {
            Content::Media(routing) => (
                routing.track,
                routing.sequence,
                routing.capture_time_us,
                routing.codec,
            ),
            other => panic!("{other:?}"),
        }
    };
    // Milliseconds since the epoch, and microseconds.
    assert_eq!(
        audio(1.7e12, Some(9)),
        (
            Track::Microphone,
            9,
            1_700_000_000_000_000,
            Some(Codec::Opus)
        )
    );
    assert_eq!(
        audio(1.7e15, None),
        (
            Track::Microphone,
            5,
            1_700_000_000_000_000,
            Some(Codec::Opus)
        )
    );
    assert_eq!(audio(f64::NAN, None).2, 0);
    assert_eq!(audio(-5.0, None).2, 0);
    assert_eq!(audio(f64::INFINITY, None).2, u64::MAX);
}

#[test]
fn stock_media_that_can_not_be_read_goes_on_without_a_header() {
    let mut no_sequence = media_packet(MediaType::VIDEO);
    no_sequence.frame_type = "key".into();
    for bytes in [
        packet(PacketKind::MEDIA, Bytes::from_static(b"\xff\xffciphertext")),
        packet(PacketKind::MEDIA, Bytes::new()),
        stock(&no_sequence),
    ] {
        let forward = forwarded(&bytes, 7);
        assert_eq!(forward.content, Content::StockOnly);
        assert!(
            PacketHeader::parse(&forward.packet.to_bytes())
                .unwrap()
                .routing
                .is_empty()
        );
    }
}

#[test]
fn heartbeats_and_probes_are_recognised() {
    let Content::Heartbeat { state, speaking } = heartbeat(7, true, true).content else {
        panic!("no heartbeat")
    };
    assert!(state.camera && speaking && !state.microphone && !state.screen);
    assert_eq!(
        client(&stock(&media_packet(MediaType::RTT))),
        Ok(Inbound::Probe)
    );
    assert_eq!(
        client(&packet(PacketKind::HEALTH, Bytes::from_static(b"\xff"))),
        Ok(Inbound::Consumed)
    );
}

#[test]
fn wishes_are_read_and_go_no_further() {
    let shown = wishes(true, &[(3, 180)]);
    let data = shown.to_wire().write_to_bytes().unwrap();
    let read = client(&packet(PacketKind::WISHES, data.into()));
    assert_eq!(read, Ok(Inbound::Wishes(shown)));
}

#[test]
fn keyframe_requests_of_both_dialects() {
    let native = |session: u64, track: wire::Track| {
        let mut request = KeyframeRequest::new();
        request.session_id = session;
        request.track = track.into();
        client(&packet(
            PacketKind::KEYFRAME_REQUEST,
            request.write_to_bytes().unwrap().into(),
        ))
    };
    let target = KeyframeTarget::Track(TrackId {
        session: session(3),
        track: Track::Screen,
    });
    assert_eq!(
        native(3, wire::Track::SCREEN),
        Ok(Inbound::KeyframeRequest(target))
    );
    assert_eq!(native(0, wire::Track::SCREEN), Err(DropReason::Malformed));
    assert_eq!(
        native(3, wire::Track::MICROPHONE),
        Err(DropReason::Malformed)
    );
    assert_eq!(
        native(3, wire::Track::TRACK_UNSPECIFIED),
        Err(DropReason::Malformed)
    );

    let stock = |user: &'static [u8], data: &'static [u8]| {
        let mut request = media_packet(MediaType::KEYFRAME_REQUEST);
        request.user_id = Bytes::from_static(user);
        request.data = Bytes::from_static(data);
        client(&stock(&request))
    };
    let target = |track| {
        Ok(Inbound::KeyframeRequest(KeyframeTarget::User(
            "bob".parse().unwrap(),
            track,
        )))
    };
    assert_eq!(stock(b"bob", b"VIDEO"), target(Track::Camera));
    assert_eq!(stock(b"bob", b"SCREEN"), target(Track::Screen));
    assert_eq!(stock(b"", b"VIDEO"), Err(DropReason::Malformed));
    assert_eq!(stock(b"a b", b"VIDEO"), Err(DropReason::Malformed));
}

#[test]
fn sizes_are_bounded_also_after_stamping() {
    let control = packet(PacketKind::DIAGNOSTICS, vec![0; MAX_CONTROL_BYTES].into());
    assert_eq!(client(&control), Err(DropReason::TooLarge));
    let routed = |len: usize| {
        Packet::media(
            b"",
            None,
            &routing(Track::Camera, 0, true),
            vec![0; len].into(),
        )
        .to_bytes()
    };
    let overhead = routed(MAX_PACKET_BYTES / 2).len() - MAX_PACKET_BYTES / 2;
    let largest = routed(MAX_PACKET_BYTES - overhead);
    assert_eq!(largest.len(), MAX_PACKET_BYTES);
    // What comes in just fits, but not with the sender on it.
    assert_eq!(client(&largest), Err(DropReason::TooLarge));
    assert!(client(&routed(MAX_PACKET_BYTES - overhead - 100)).is_ok());
    assert_eq!(
        client(&vec![0; MAX_PACKET_BYTES + 1].into()),
        Err(DropReason::TooLarge)
    );
}

#[test]
fn what_a_relay_stamped_is_read_the_same_by_the_next() {
    for forward in [media(7, Track::Camera, 3, true), heartbeat(7, true, false)] {
        let bytes = forward.packet.to_bytes();
        let read = from_relay(bytes.clone()).unwrap();
        assert_eq!(
            (read.source, read.content),
            (forward.source, forward.content)
        );
        assert_eq!(read.packet.to_bytes(), bytes);
    }
    for kind in [
        PacketKind::MEETING,
        PacketKind::PRESENCE,
        PacketKind::HEALTH,
        PacketKind::KEYFRAME_REQUEST,
        PacketKind::WISHES,
        PacketKind::DEMAND,
        PacketKind::ENTER,
    ] {
        let bytes = Packet::new(kind, b"u7", Some(session(7)), b"", Bytes::new()).to_bytes();
        assert_eq!(from_relay(bytes), Err(DropReason::ServerOnly), "{kind:?}");
    }
    assert_eq!(
        from_relay(packet(PacketKind::MEDIA, Bytes::new())),
        Err(DropReason::Malformed)
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused_or_stamped(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let bytes = Bytes::from(bytes);
        if let Ok(Inbound::Forward(forward)) = client(&bytes) {
            let header = PacketHeader::parse(&forward.packet.to_bytes()).unwrap();
            prop_assert_eq!(header.session_id, Some(session(7)));
            prop_assert_eq!(header.user_id.as_ref(), b"u7");
        }
        let _ = from_relay(bytes);
    }

    #[test]
    fn a_cut_packet_never_panics(cut in 0..200usize, flip: u8) {
        for whole in [media(7, Track::Camera, 3, true).packet.to_bytes(), stock(&video_packet(MediaType::VIDEO, 1, true))] {
            let mut bytes = whole.slice(..cut.min(whole.len())).to_vec();
            if let Some(last) = bytes.last_mut() {
                *last ^= flip;
            }
            let bytes = Bytes::from(bytes);
            let _ = client(&bytes);
            let _ = from_relay(bytes);
        }
    }
}

#[test]
fn whoever_enters_late_says_so_first() {
    let resume = Resume {
        session: session(7),
        secret: ResumeSecret::new([3; 16]),
    };
    let enter = |wire: Enter| {
        let data = wire.write_to_bytes().unwrap().into();
        entry(&Packet::new(PacketKind::ENTER, b"", None, b"", data).to_bytes())
    };
    assert_eq!(enter(Resume::to_wire(Some(&resume))), Ok(Some(resume)));
    assert_eq!(enter(Resume::to_wire(None)), Ok(None));
    assert_eq!(
        entry(&packet(PacketKind::HEALTH, Bytes::new())),
        Err(DropReason::Malformed)
    );
    assert_eq!(
        entry(&packet(PacketKind::ENTER, Bytes::from_static(b"\xff"))),
        Err(DropReason::Malformed)
    );
}
