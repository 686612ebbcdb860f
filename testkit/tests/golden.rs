//! The bytes of every kind of packet, pinned: other implementations and older versions must read them.
//!
//! `fixtures/*.hex` is what each packet is on the wire. A change there is a change of the protocol.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;

use bytes::Bytes;
use protobuf::{Message, MessageField};
use testkit::packets;
use videocall_types::proto::control::notice::Reason;
use videocall_types::proto::control::{
    Demand, KeyframeRequest, MediaState, Notice, Participant, Presence, Report, Speakers,
};
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::proto::media_packet::{HeartbeatMetadata, MediaPacket};
use videocall_types::proto::meeting_packet::MeetingPacket;
use videocall_types::proto::meeting_packet::meeting_packet::MeetingEventType;
use videocall_types::proto::packet_wrapper::PacketWrapper;
use videocall_types::wishes::FULL_HEIGHT;
use videocall_types::{
    LayerSet, Packet, PacketHeader, PacketKind, Redundancy, Resume, ResumeSecret, Routing,
    SessionId, Track, TrackDemand, Wishes,
};

const USER: &[u8] = b"ada";
const SESSION: u64 = 0x0123_4567_89ab_cdef;

#[test]
fn session_assigned() {
    pin(
        "session_assigned",
        PacketKind::SESSION_ASSIGNED,
        None,
        Bytes::new(),
    );
    pin(
        "native_session_assigned",
        PacketKind::SESSION_ASSIGNED,
        None,
        resume().secret.to_bytes(),
    );
}

fn resume() -> Resume {
    Resume {
        session: SessionId::new(SESSION).unwrap(),
        secret: ResumeSecret::new(*b"0123456789abcdef"),
    }
}

#[test]
fn entering_late() {
    let enter = Resume::to_wire(Some(&resume()));
    pin_message("enter", PacketKind::ENTER, None, &enter);
}

#[test]
fn media_of_the_public_generation() {
    for (name, track, key) in [
        ("stock_video", Track::Camera, true),
        ("stock_audio", Track::Microphone, true),
        ("stock_screen", Track::Screen, false),
    ] {
        pin_message(
            name,
            PacketKind::MEDIA,
            None,
            &packets::frame(track, 300, key, b"frame"),
        );
    }
}

#[test]
fn media_with_a_routing_header() {
    for (name, track, key) in [
        ("native_video", Track::Camera, true),
        ("native_audio", Track::Microphone, true),
        ("native_screen", Track::Screen, false),
        ("native_screen_audio", Track::ScreenAudio, true),
    ] {
        let routing = Routing {
            spatial_layer: 2,
            temporal_layer: 1,
            discardable: !key,
            reference: 2,
            layers: LayerSet::from_bits(0b111),
            ..packets::routing(track, 300, key)
        };
        pin_message(
            name,
            PacketKind::MEDIA,
            Some(routing),
            &packets::frame(track, 300, key, b"frame"),
        );
    }
}

#[test]
fn sound_with_earlier_frames() {
    let mut media = packets::frame(Track::Microphone, 300, true, b"frame");
    media.earlier = [&b"before"[..], b"and before"]
        .map(Bytes::from_static)
        .into();
    let routing = packets::routing(Track::Microphone, 300, true);
    pin_message(
        "native_audio_with_earlier_frames",
        PacketKind::MEDIA,
        Some(routing),
        &media,
    );
}

#[test]
fn heartbeat_probe_and_keyframe_request_of_the_public_generation() {
    let mut media = MediaPacket::new();
    media.media_type = MediaType::HEARTBEAT.into();
    media.timestamp = 1_700_000_000_000.0;
    media.heartbeat_metadata = MessageField::some(HeartbeatMetadata {
        video_enabled: true,
        screen_enabled: true,
        is_speaking: true,
        ..Default::default()
    });
    pin_message("stock_heartbeat", PacketKind::MEDIA, None, &media);

    let mut media = MediaPacket::new();
    media.media_type = MediaType::RTT.into();
    media.timestamp = 1_700_000_000_000.5;
    pin_message("stock_rtt", PacketKind::MEDIA, None, &media);

    let mut media = MediaPacket::new();
    media.media_type = MediaType::KEYFRAME_REQUEST.into();
    media.user_id = Bytes::from_static(b"grace");
    media.data = Bytes::from_static(b"VIDEO");
    pin_message("stock_keyframe_request", PacketKind::MEDIA, None, &media);
}

#[test]
fn meeting_event() {
    let mut event = MeetingPacket::new();
    event.event_type = MeetingEventType::PARTICIPANT_JOINED.into();
    event.room_id = "team".to_owned();
    event.target_user_id = Bytes::from_static(b"grace");
    event.session_id = 7;
    event.display_name = Bytes::from_static("Grace Höpper".as_bytes());
    pin_message("meeting", PacketKind::MEETING, None, &event);
}

#[test]
fn opaque_packets() {
    for (name, kind) in [
        ("rsa_pub_key", PacketKind::RSA_PUB_KEY),
        ("aes_key", PacketKind::AES_KEY),
        ("connection", PacketKind::CONNECTION),
        ("diagnostics", PacketKind::DIAGNOSTICS),
        ("health", PacketKind::HEALTH),
        ("congestion", PacketKind::CONGESTION),
    ] {
        pin(name, kind, None, Bytes::from_static(&[0, 1, 0xfe, 0xff]));
    }
}

#[test]
fn control() {
    let mut request = KeyframeRequest::new();
    request.session_id = 7;
    request.track = Track::Screen.to_wire().into();
    request.spatial_layer = 1;
    pin_message(
        "keyframe_request",
        PacketKind::KEYFRAME_REQUEST,
        None,
        &request,
    );

    let mut presence = Presence::new();
    presence.snapshot = true;
    presence.participants.push(Participant {
        session_id: 7,
        user_id: Bytes::from_static(b"grace"),
        display_name: "Grace Höpper".to_owned(),
        state: MessageField::some(MediaState {
            camera: true,
            screen: true,
            ..Default::default()
        }),
        ..Default::default()
    });
    presence.left = vec![8, 9];
    pin_message("presence", PacketKind::PRESENCE, None, &presence);

    let mut speakers = Speakers::new();
    speakers.session_ids = vec![9, 7];
    pin_message("speakers", PacketKind::SPEAKERS, None, &speakers);

    let seven = SessionId::new(7).unwrap();
    let wishes = Wishes {
        shown: [
            ((seven, Track::Camera), 180),
            ((seven, Track::Screen), FULL_HEIGHT),
        ]
        .into(),
        others: true,
    };
    pin_message("wishes", PacketKind::WISHES, None, &wishes.to_wire());

    let mut demand = Demand::new();
    let tracks = [
        (Track::Camera, LayerSet::from_bits(0b101)),
        (Track::Screen, LayerSet::EMPTY),
    ];
    demand.tracks = tracks
        .map(|(track, layers)| TrackDemand { track, layers }.to_wire())
        .into();
    pin_message("demand", PacketKind::DEMAND, None, &demand);

    let mut report = Report::new();
    report.time_us = 1_000_000;
    report.echo_time_us = 900_000;
    report.echo_arrival_us = 950_000;
    report.received_bytes = 300;
    report.limit_bps = 500_000;
    pin_message("report", PacketKind::REPORT, None, &report);
    pin(
        "padding",
        PacketKind::PADDING,
        None,
        Bytes::from_static(&[0; 3]),
    );

    let redundancy = Redundancy {
        frames: [((seven, Track::Microphone), 2)].into(),
    };
    pin_message(
        "redundancy",
        PacketKind::REDUNDANCY,
        None,
        &redundancy.to_wire(),
    );

    let mut notice = Notice::new();
    notice.reason = Reason::DRAIN.into();
    notice.retry_after_ms = 250;
    pin_message("notice", PacketKind::NOTICE, None, &notice);
}

/// Every fixture belongs to a test.
#[test]
fn nothing_is_left_over() {
    let source = include_str!("golden.rs");
    for file in std::fs::read_dir(fixtures()).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(
            source.contains(&format!("\"{name}\"")),
            "{name}.hex is not used"
        );
    }
}

fn pin_message<M: Message + std::fmt::Debug>(
    name: &str,
    kind: PacketKind,
    routing: Option<Routing>,
    message: &M,
) {
    let bytes = pin(
        name,
        kind,
        routing,
        message.write_to_bytes().unwrap().into(),
    );
    let data = PacketHeader::parse(&bytes).unwrap().data;
    assert_eq!(
        &M::parse_from_tokio_bytes(&data).unwrap(),
        message,
        "{name}"
    );
}

/// Checks that a packet is exactly its fixture and that the fixture is read as that packet, by our reader and by the
/// generated code. Returns the fixture.
fn pin(name: &str, kind: PacketKind, routing: Option<Routing>, data: Bytes) -> Bytes {
    let session = SessionId::new(SESSION);
    let header = routing
        .map(|routing| routing.to_wire().write_to_bytes().unwrap())
        .unwrap_or_default();
    let packet = Packet::new(kind, USER, session, &header, data.clone()).to_bytes();
    let path = fixtures().join(format!("{name}.hex"));
    let fixture = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(to_hex(&packet), fixture.trim_end(), "{}", path.display());

    let parsed = PacketHeader::parse(&packet).unwrap();
    assert_eq!(parsed.kind, Ok(kind), "{name}");
    assert_eq!(
        (&parsed.user_id[..], parsed.session_id),
        (USER, session),
        "{name}"
    );
    assert_eq!(parsed.data, data, "{name}");
    assert_eq!(
        Routing::parse(&parsed.routing).filter(|_| routing.is_some()),
        routing,
        "{name}"
    );

    let wrapper = PacketWrapper::parse_from_tokio_bytes(&packet).unwrap();
    assert_eq!(wrapper.packet_type.enum_value(), Ok(kind), "{name}");
    assert_eq!(
        (&wrapper.user_id[..], wrapper.session_id, &wrapper.data),
        (USER, SESSION, &data),
        "{name}"
    );
    assert_eq!(wrapper.routing.is_some(), routing.is_some(), "{name}");
    packet
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn fixtures() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
}
