//! The routing header as plain values.

use protobuf::Message as _;
use serde::{Deserialize, Serialize};

use crate::layers::LayerSet;
use crate::proto::routing as wire;

/// One media source of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Track {
    /// Video of the person.
    Camera,
    /// Sound of the person.
    Microphone,
    /// Video of a shared screen.
    Screen,
    /// Sound of a shared screen.
    ScreenAudio,
}

impl Track {
    /// Every track.
    pub const ALL: [Self; 4] = [
        Self::Camera,
        Self::Microphone,
        Self::Screen,
        Self::ScreenAudio,
    ];

    /// Whether it is sound.
    #[must_use]
    pub const fn is_audio(self) -> bool {
        matches!(self, Self::Microphone | Self::ScreenAudio)
    }

    /// The track of a wire value.
    #[must_use]
    pub const fn from_wire(track: wire::Track) -> Option<Self> {
        match track {
            wire::Track::TRACK_UNSPECIFIED => None,
            wire::Track::CAMERA => Some(Self::Camera),
            wire::Track::MICROPHONE => Some(Self::Microphone),
            wire::Track::SCREEN => Some(Self::Screen),
            wire::Track::SCREEN_AUDIO => Some(Self::ScreenAudio),
        }
    }

    /// The value on the wire.
    #[must_use]
    pub const fn to_wire(self) -> wire::Track {
        match self {
            Self::Camera => wire::Track::CAMERA,
            Self::Microphone => wire::Track::MICROPHONE,
            Self::Screen => wire::Track::SCREEN,
            Self::ScreenAudio => wire::Track::SCREEN_AUDIO,
        }
    }
}

/// How a frame is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Codec {
    /// RFC 6386.
    Vp8,
    /// Profile 0, 8 bit.
    Vp9,
    /// Main profile.
    Av1,
    /// Annex B byte stream.
    H264,
    /// RFC 6716, 48 kHz.
    Opus,
}

impl Codec {
    /// The codec of a wire value.
    #[must_use]
    pub const fn from_wire(codec: wire::Codec) -> Option<Self> {
        match codec {
            wire::Codec::CODEC_UNSPECIFIED => None,
            wire::Codec::CODEC_VP8 => Some(Self::Vp8),
            wire::Codec::CODEC_VP9 => Some(Self::Vp9),
            wire::Codec::CODEC_AV1 => Some(Self::Av1),
            wire::Codec::CODEC_H264 => Some(Self::H264),
            wire::Codec::CODEC_OPUS => Some(Self::Opus),
        }
    }

    /// The value on the wire.
    #[must_use]
    pub const fn to_wire(self) -> wire::Codec {
        match self {
            Self::Vp8 => wire::Codec::CODEC_VP8,
            Self::Vp9 => wire::Codec::CODEC_VP9,
            Self::Av1 => wire::Codec::CODEC_AV1,
            Self::H264 => wire::Codec::CODEC_H264,
            Self::Opus => wire::Codec::CODEC_OPUS,
        }
    }
}

/// What a relay needs to know of a media packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Routing {
    /// The media source.
    pub track: Track,
    /// Simulcast layer, 0 is the smallest.
    pub spatial_layer: u8,
    /// Temporal layer, 0 is the base.
    pub temporal_layer: u8,
    /// Decodable on its own.
    pub keyframe: bool,
    /// No later frame refers to this one.
    pub discardable: bool,
    /// +1 for each frame of the track and spatial layer.
    pub sequence: u64,
    /// Capture time in microseconds on the sender's clock.
    pub capture_time_us: u64,
    /// RFC 6464 level, 0 (loudest) to 127 (silence) in -dBov.
    pub audio_level: u8,
    /// How the frame is encoded; `None` if the sender does not say.
    pub codec: Option<Codec>,
    /// How far back in `sequence` the newest frame is that this one refers to, at least 1. Says nothing of a keyframe.
    pub reference: u32,
    /// The spatial layers of the track that are sent at present.
    pub layers: LayerSet,
}

const FLAG_KEYFRAME: u32 = 1;
const FLAG_DISCARDABLE: u32 = 2;

impl Routing {
    /// Of a frame that refers to the one before it, of a track with one layer.
    #[must_use]
    pub const fn new(track: Track, sequence: u64, keyframe: bool) -> Self {
        Self {
            track,
            spatial_layer: 0,
            temporal_layer: 0,
            keyframe,
            discardable: false,
            sequence,
            capture_time_us: 0,
            audio_level: 0,
            codec: None,
            reference: 1,
            layers: LayerSet::only(0),
        }
    }

    /// Reads a serialized `RoutingHeader`. `None` if it can't be read, names no track or has a value out of range.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let header = wire::RoutingHeader::parse_from_bytes(bytes).ok()?;
        let track = Track::from_wire(header.track.enum_value().ok()?)?;
        let spatial_layer = u8::try_from(header.spatial_layer).ok()?;
        let own = LayerSet::only(spatial_layer);
        if own.is_empty() {
            return None;
        }
        Some(Self {
            track,
            spatial_layer,
            temporal_layer: u8::try_from(header.temporal_layer).ok()?,
            keyframe: header.flags & FLAG_KEYFRAME != 0,
            discardable: header.flags & FLAG_DISCARDABLE != 0,
            sequence: header.sequence,
            capture_time_us: header.capture_time_us,
            audio_level: u8::try_from(header.audio_level)
                .ok()
                .filter(|level| *level <= 127)?,
            codec: header.codec.enum_value().ok().and_then(Codec::from_wire),
            reference: header.reference.max(1),
            layers: LayerSet::from_bits(header.layers).union(own),
        })
    }

    /// The wire message.
    #[must_use]
    pub fn to_wire(&self) -> wire::RoutingHeader {
        let mut header = wire::RoutingHeader::new();
        header.track = self.track.to_wire().into();
        header.spatial_layer = self.spatial_layer.into();
        header.temporal_layer = self.temporal_layer.into();
        header.flags = if self.keyframe { FLAG_KEYFRAME } else { 0 }
            | if self.discardable {
                FLAG_DISCARDABLE
            } else {
                0
            };
        header.sequence = self.sequence;
        header.capture_time_us = self.capture_time_us;
        header.audio_level = self.audio_level.into();
        header.codec = self
            .codec
            .map_or(wire::Codec::CODEC_UNSPECIFIED, Codec::to_wire)
            .into();
        // What is usual is not written.
        if self.reference != 1 {
            header.reference = self.reference;
        }
        if self.layers != LayerSet::only(self.spatial_layer) {
            header.layers = self.layers.bits();
        }
        header
    }
}
