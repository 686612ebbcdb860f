//! Encoded frames: the currency between the steps.

use bytes::Bytes;
use videocall_types::{Codec, SessionId, Track};

/// A frame that a local encoder made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalFrame {
    /// The source.
    pub track: Track,
    /// How it is encoded.
    pub codec: Codec,
    /// Decodable on its own. Audio always is.
    pub keyframe: bool,
    /// Simulcast layer, 0 is the smallest.
    pub spatial_layer: u8,
    /// Temporal layer, 0 is the base.
    pub temporal_layer: u8,
    /// Capture time in microseconds on the sender's clock.
    pub capture_time_us: u64,
    /// In microseconds; 0 if unknown.
    pub duration_us: u64,
    /// RFC 6464 level, 0 (loudest) to 127 (silence) in -dBov. 127 for video.
    pub audio_level: u8,
    /// The chunk.
    pub data: Bytes,
}

impl LocalFrame {
    /// A frame of sound.
    #[must_use]
    pub const fn sound(
        track: Track,
        capture_time_us: u64,
        duration_us: u64,
        audio_level: u8,
        data: Bytes,
    ) -> Self {
        Self {
            track,
            codec: Codec::Opus,
            keyframe: true,
            spatial_layer: 0,
            temporal_layer: 0,
            capture_time_us,
            duration_us,
            audio_level,
            data,
        }
    }
}

/// A frame of another participant, in decoding order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteFrame {
    /// Who sent it.
    pub session: SessionId,
    /// The source.
    pub track: Track,
    /// How it is encoded; a change means a new decoder.
    pub codec: Codec,
    /// Decodable on its own. Audio always is.
    pub keyframe: bool,
    /// Simulcast layer, 0 is the smallest.
    pub spatial_layer: u8,
    /// +1 for each frame of the track and layer.
    pub sequence: u64,
    /// How far back in `sequence` the newest frame is that this one refers to.
    pub reference: u32,
    /// Capture time in microseconds on the sender's clock.
    pub capture_time_us: u64,
    /// The chunk.
    pub data: Bytes,
    /// Of sound: the frames right before this one, the newest first, in case that they have not come.
    pub earlier: Vec<Bytes>,
}
