//! Packets as clients send them.

use bytes::Bytes;
use protobuf::{EnumOrUnknown, Message as _, MessageField};
use videocall_types::proto::control::KeyframeRequest;
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::proto::media_packet::{
    AudioMetadata, HeartbeatMetadata, MediaPacket, VideoCodec, VideoMetadata,
};
use videocall_types::proto::packet_wrapper::PacketWrapper;
use videocall_types::{Codec, Packet, PacketKind, Redundancy, Resume, Routing, SessionId, Track};

/// What a forger writes into the identity fields.
pub const FORGED_USER: &[u8] = b"mallory";
/// As [`FORGED_USER`].
pub const FORGED_SESSION: u64 = 4711;

/// A packet of any type, known or not, with forged identity.
#[must_use]
pub fn wrapper(kind: i32, data: impl Into<Bytes>) -> Bytes {
    let mut wrapper = PacketWrapper::new();
    wrapper.packet_type = EnumOrUnknown::from_i32(kind);
    wrapper.user_id = Bytes::from_static(FORGED_USER);
    wrapper.session_id = FORGED_SESSION;
    wrapper.data = data.into();
    wrapper.write_to_bytes().unwrap().into()
}

/// Media without a routing header, as stock clients send it.
#[must_use]
pub fn stock_media(media: &MediaPacket) -> Bytes {
    wrapper(
        protobuf::Enum::value(&PacketKind::MEDIA),
        media.write_to_bytes().unwrap(),
    )
}

/// Media with a routing header, as native clients send it.
#[must_use]
pub fn native_media(media: &MediaPacket, routing: &Routing) -> Bytes {
    let session = SessionId::new(FORGED_SESSION);
    Packet::media(
        FORGED_USER,
        session,
        routing,
        media.write_to_bytes().unwrap().into(),
    )
    .to_bytes()
}

/// One encoded frame of `track`.
#[must_use]
pub fn frame(track: Track, sequence: u64, key: bool, payload: &[u8]) -> MediaPacket {
    let mut media = MediaPacket::new();
    media.user_id = Bytes::from_static(FORGED_USER);
    media.data = Bytes::copy_from_slice(payload);
    media.frame_type = if key { "key" } else { "delta" }.to_owned();
    media.timestamp = sequence as f64 * 33_000.0;
    if track.is_audio() {
        media.media_type = MediaType::AUDIO.into();
        media.audio_metadata = MessageField::some(AudioMetadata {
            sequence,
            ..Default::default()
        });
    } else {
        media.media_type = if track == Track::Screen {
            MediaType::SCREEN
        } else {
            MediaType::VIDEO
        }
        .into();
        let codec = VideoCodec::VP9_PROFILE0_LEVEL10_8BIT.into();
        media.video_metadata = MessageField::some(VideoMetadata {
            sequence,
            codec,
            ..Default::default()
        });
    }
    media
}

/// The routing header of [`frame`].
#[must_use]
pub fn routing(track: Track, sequence: u64, key: bool) -> Routing {
    Routing {
        capture_time_us: sequence * 33_000,
        audio_level: if track.is_audio() { 40 } else { 0 },
        codec: Some(if track.is_audio() {
            Codec::Opus
        } else {
            Codec::Vp9
        }),
        ..Routing::new(track, sequence, key)
    }
}

/// What a client publishes at the moment.
#[must_use]
pub fn heartbeat(camera: bool, microphone: bool, screen: bool) -> Bytes {
    let mut media = MediaPacket::new();
    media.media_type = MediaType::HEARTBEAT.into();
    media.heartbeat_metadata = MessageField::some(HeartbeatMetadata {
        video_enabled: camera,
        audio_enabled: microphone,
        screen_enabled: screen,
        ..Default::default()
    });
    stock_media(&media)
}

/// A round-trip probe that is told from others by `stamp`.
#[must_use]
pub fn probe(stamp: u64) -> Bytes {
    let mut media = MediaPacket::new();
    media.media_type = MediaType::RTT.into();
    media.timestamp = stamp as f64;
    stock_media(&media)
}

/// What a client says that enters late.
#[must_use]
pub fn enter(resume: Option<&Resume>) -> Bytes {
    let enter = Resume::to_wire(resume).write_to_bytes().unwrap();
    Packet::new(PacketKind::ENTER, b"", None, b"", enter.into()).to_bytes()
}

/// A stock client's request for a keyframe of `user`'s camera.
#[must_use]
pub fn stock_keyframe_request(user: &str) -> Bytes {
    let mut media = MediaPacket::new();
    media.media_type = MediaType::KEYFRAME_REQUEST.into();
    media.user_id = Bytes::copy_from_slice(user.as_bytes());
    media.data = Bytes::from_static(b"VIDEO");
    stock_media(&media)
}

/// A native client lacks so many earlier frames of `session`'s microphone.
#[must_use]
pub fn redundancy(session: SessionId, frames: u8) -> Bytes {
    let redundancy = Redundancy {
        frames: [((session, Track::Microphone), frames)].into(),
    };
    wrapper(
        protobuf::Enum::value(&PacketKind::REDUNDANCY),
        redundancy.to_wire().write_to_bytes().unwrap(),
    )
}

/// A native client's request for a keyframe.
#[must_use]
pub fn native_keyframe_request(session: SessionId, track: Track) -> Bytes {
    let mut request = KeyframeRequest::new();
    request.session_id = session.get();
    request.track = track.to_wire().into();
    wrapper(
        protobuf::Enum::value(&PacketKind::KEYFRAME_REQUEST),
        request.write_to_bytes().unwrap(),
    )
}
