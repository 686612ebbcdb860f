//! Packets as a relay sends them.

use bytes::Bytes;
use media_core::frame::LocalFrame;
use protobuf::Message as _;
use protobuf::MessageField;
use videocall_types::proto::control::notice::Reason;
use videocall_types::proto::control::{
    Demand, KeyframeRequest, MediaState, Notice, Participant, Presence, Speakers,
};
use videocall_types::proto::media_packet::MediaPacket;
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::{
    Codec, LayerSet, Packet, PacketKind, ResumeSecret, Routing, SessionId, Track, TrackDemand,
};

pub(crate) fn assigned(session: u64) -> Bytes {
    Packet::new(
        PacketKind::SESSION_ASSIGNED,
        b"",
        SessionId::new(session),
        b"",
        Bytes::new(),
    )
    .to_bytes()
}

/// As `assigned`, by a relay that lets the session be resumed.
pub(crate) fn resumable(session: u64) -> Bytes {
    let secret = ResumeSecret::new([session as u8; 16]);
    Packet::new(
        PacketKind::SESSION_ASSIGNED,
        b"",
        SessionId::new(session),
        b"",
        secret.to_bytes(),
    )
    .to_bytes()
}

/// The relay stops.
pub(crate) fn drain(retry_after_ms: u32) -> Bytes {
    let mut notice = Notice::new();
    notice.reason = Reason::DRAIN.into();
    notice.retry_after_ms = retry_after_ms;
    let payload = notice.write_to_bytes().unwrap();
    Packet::new(PacketKind::NOTICE, b"", None, b"", payload.into()).to_bytes()
}

pub(crate) fn presence(snapshot: bool, participants: Vec<Participant>, left: &[u64]) -> Bytes {
    let mut presence = Presence::new();
    presence.snapshot = snapshot;
    presence.participants = participants;
    presence.left = left.to_vec();
    let payload = presence.write_to_bytes().unwrap();
    Packet::new(PacketKind::PRESENCE, b"", None, b"", payload.into()).to_bytes()
}

pub(crate) fn speakers(sessions: &[u64]) -> Bytes {
    let mut speakers = Speakers::new();
    speakers.session_ids = sessions.to_vec();
    let payload = speakers.write_to_bytes().unwrap();
    Packet::new(PacketKind::SPEAKERS, b"", None, b"", payload.into()).to_bytes()
}

/// Somebody who publishes `tracks`.
pub(crate) fn participant(session: u64, user: &str, tracks: &[Track]) -> Participant {
    let mut state = MediaState::new();
    state.camera = tracks.contains(&Track::Camera);
    state.microphone = tracks.contains(&Track::Microphone);
    state.screen = tracks.contains(&Track::Screen);
    let mut participant = Participant::new();
    participant.session_id = session;
    participant.user_id = user.to_owned().into();
    participant.display_name = user.into();
    participant.state = MessageField::some(state);
    participant
}

/// A frame of a track that has 30 frames a second (50 for sound) since the start of the sender's clock.
pub(crate) fn frame(session: u64, track: Track, sequence: u64, keyframe: bool) -> Bytes {
    let interval = if track.is_audio() { 20_000 } else { 33_333 };
    frame_at(
        session,
        track,
        sequence,
        keyframe,
        sequence.wrapping_mul(interval),
    )
}

pub(crate) fn frame_at(
    session: u64,
    track: Track,
    sequence: u64,
    keyframe: bool,
    capture_time_us: u64,
) -> Bytes {
    let codec = if track.is_audio() {
        Codec::Opus
    } else {
        Codec::Vp9
    };
    encoded(session, track, codec, sequence, keyframe, capture_time_us)
}

pub(crate) fn encoded(
    session: u64,
    track: Track,
    codec: Codec,
    sequence: u64,
    keyframe: bool,
    capture_time_us: u64,
) -> Bytes {
    let routing = Routing {
        capture_time_us,
        audio_level: 127,
        codec: Some(codec),
        ..Routing::new(track, sequence, keyframe || track.is_audio())
    };
    routed(session, &routing)
}

/// A frame with this header.
pub(crate) fn routed(session: u64, routing: &Routing) -> Bytes {
    let mut media = MediaPacket::new();
    media.media_type = match routing.track {
        Track::Camera => MediaType::VIDEO,
        Track::Microphone | Track::ScreenAudio => MediaType::AUDIO,
        Track::Screen => MediaType::SCREEN,
    }
    .into();
    media.data = Bytes::from_static(b"chunk");
    let payload = media.write_to_bytes().unwrap();
    Packet::media(
        b"somebody",
        SessionId::new(session),
        routing,
        payload.into(),
    )
    .to_bytes()
}

/// What a publisher gets when somebody needs a keyframe.
pub(crate) fn keyframe_wanted(track: Track, layer: u8) -> Bytes {
    let mut request = KeyframeRequest::new();
    request.session_id = 1;
    request.track = track.to_wire().into();
    request.spatial_layer = layer.into();
    let payload = request.write_to_bytes().unwrap();
    Packet::new(PacketKind::KEYFRAME_REQUEST, b"", None, b"", payload.into()).to_bytes()
}

/// What a publisher gets when others show more or less of its tracks: layers as bits.
pub(crate) fn demand(tracks: &[(Track, u32)]) -> Bytes {
    let mut demand = Demand::new();
    demand.tracks = tracks
        .iter()
        .map(|(track, bits)| {
            TrackDemand {
                track: *track,
                layers: LayerSet::from_bits(*bits),
            }
            .to_wire()
        })
        .collect();
    let payload = demand.write_to_bytes().unwrap();
    Packet::new(PacketKind::DEMAND, b"", None, b"", payload.into()).to_bytes()
}

/// What a local encoder made.
pub(crate) fn local(track: Track, keyframe: bool, capture_time_us: u64) -> LocalFrame {
    LocalFrame {
        track,
        codec: if track.is_audio() {
            Codec::Opus
        } else {
            Codec::Vp9
        },
        keyframe,
        // The largest layer of what the camera gives.
        spatial_layer: match track {
            Track::Camera => 2,
            Track::Screen => 1,
            Track::Microphone | Track::ScreenAudio => 0,
        },
        temporal_layer: 0,
        capture_time_us,
        duration_us: 0,
        audio_level: 127,
        data: Bytes::from_static(b"chunk"),
    }
}
