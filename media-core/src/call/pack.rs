//! Frames and states into packets. What others receive is what a public 6.x client sends, plus the routing header.

use bytes::Bytes;
use protobuf::MessageField;
use videocall_types::proto::control::KeyframeRequest;
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::proto::media_packet::{
    AudioMetadata, HeartbeatMetadata, MediaPacket, VideoCodec, VideoMetadata,
};
use videocall_types::{
    Codec, LayerSet, Packet, PacketKind, Redundancy, Resume, Routing, SessionId, Timestamp, Track,
    Wishes,
};

use super::heartbeat::MediaState;
use crate::frame::LocalFrame;

const AUDIO_SAMPLE_RATE: f32 = 48_000.0;

/// Where a frame stands in its track.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// In its layer.
    pub(super) sequence: u64,
    /// How far back the newest frame is that it refers to.
    pub(super) reference: u32,
    /// The layers of the track that are sent.
    pub(super) layers: LayerSet,
}

/// A frame of ours, with the `earlier` ones that it repeats. The relay stamps who we are.
pub(super) fn media(frame: LocalFrame, place: Place, earlier: Vec<Bytes>) -> Packet {
    let sequence = place.sequence;
    let routing = Routing {
        spatial_layer: frame.spatial_layer,
        temporal_layer: frame.temporal_layer,
        capture_time_us: frame.capture_time_us,
        audio_level: frame.audio_level.min(127),
        codec: Some(frame.codec),
        reference: place.reference,
        layers: place.layers,
        ..Routing::new(frame.track, sequence, frame.keyframe)
    };
    let mut media = MediaPacket::new();
    media.media_type = match frame.track {
        Track::Camera => MediaType::VIDEO,
        Track::Microphone | Track::ScreenAudio => MediaType::AUDIO,
        Track::Screen => MediaType::SCREEN,
    }
    .into();
    media.frame_type = if frame.keyframe { "key" } else { "delta" }.into();
    media.duration = frame.duration_us as f64;
    if frame.track.is_audio() {
        media.timestamp = frame.capture_time_us as f64 / 1000.0;
        media.audio_metadata = MessageField::some(audio_metadata(sequence));
    } else {
        media.timestamp = frame.capture_time_us as f64;
        media.video_metadata = MessageField::some(video_metadata(sequence, frame.codec));
    }
    media.data = frame.data;
    media.earlier = earlier;
    Packet::media(b"", None, &routing, serialize(&media))
}

/// What we publish.
pub(super) fn heartbeat(state: MediaState, now: Timestamp) -> Packet {
    let mut metadata = HeartbeatMetadata::new();
    metadata.video_enabled = state.camera;
    metadata.audio_enabled = state.microphone;
    metadata.screen_enabled = state.screen;
    metadata.is_speaking = state.speaking;
    let mut media = MediaPacket::new();
    media.media_type = MediaType::HEARTBEAT.into();
    media.timestamp = as_millis(now);
    media.heartbeat_metadata = MessageField::some(metadata);
    unrouted(&media)
}

/// A round-trip probe that carries `now`.
pub(super) fn probe(now: Timestamp) -> Packet {
    let mut media = MediaPacket::new();
    media.media_type = MediaType::RTT.into();
    media.timestamp = as_millis(now);
    unrouted(&media)
}

/// "Send me a key frame of this track."
pub(super) fn keyframe_request(session: SessionId, track: Track) -> Packet {
    let mut request = KeyframeRequest::new();
    request.session_id = session.get();
    request.track = track.to_wire().into();
    control(PacketKind::KEYFRAME_REQUEST, &request)
}

/// What of others we show.
pub(super) fn wishes(wishes: &Wishes) -> Packet {
    control(PacketKind::WISHES, &wishes.to_wire())
}

/// How often we need to be sent what we hear.
pub(super) fn redundancy(redundancy: &Redundancy) -> Packet {
    control(PacketKind::REDUNDANCY, &redundancy.to_wire())
}

/// Lets us in, into a session of before if there is one.
pub(super) fn enter(resume: Option<&Resume>) -> Packet {
    control(PacketKind::ENTER, &Resume::to_wire(resume))
}

fn control(kind: PacketKind, message: &impl protobuf::Message) -> Packet {
    Packet::new(kind, b"", None, b"", serialize(message))
}

fn unrouted(media: &MediaPacket) -> Packet {
    control(PacketKind::MEDIA, media)
}

fn as_millis(time: Timestamp) -> f64 {
    time.as_micros() as f64 / 1000.0
}

fn audio_metadata(sequence: u64) -> AudioMetadata {
    let mut metadata = AudioMetadata::new();
    metadata.audio_number_of_channels = 1;
    metadata.audio_sample_rate = AUDIO_SAMPLE_RATE;
    metadata.sequence = sequence;
    metadata
}

fn video_metadata(sequence: u64, codec: Codec) -> VideoMetadata {
    let mut metadata = VideoMetadata::new();
    metadata.sequence = sequence;
    metadata.codec = match codec {
        Codec::Vp8 => VideoCodec::VP8,
        Codec::Vp9 => VideoCodec::VP9_PROFILE0_LEVEL10_8BIT,
        Codec::Av1 | Codec::H264 | Codec::Opus => VideoCodec::VIDEO_CODEC_UNSPECIFIED,
    }
    .into();
    metadata
}

/// Only a message over 2 GiB can't be serialized.
fn serialize(message: &impl protobuf::Message) -> Bytes {
    message.write_to_bytes().unwrap_or_default().into()
}
