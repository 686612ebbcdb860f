//! A model of a video encoder: frames of the size and rate that it is asked for, in three temporal layers.

use bytes::Bytes;
use media_core::command::LayerEncoding;
use media_core::frame::LocalFrame;
use videocall_types::{Codec, Timestamp, Track};

/// The source gives so many pictures per second.
pub(crate) const FPS: u64 = 30;
const TEMPORAL: [u8; 4] = [0, 2, 1, 2];
/// What a frame of each temporal layer takes, in percent of the average; together they are that.
const SIZE_PERCENT: [u64; 3] = [160, 100, 70];
/// A keyframe takes so many times what the average frame does.
const KEYFRAME: u64 = 4;

pub(crate) struct Encoder {
    pub(crate) layer: LayerEncoding,
    force: bool,
    /// Since the last keyframe.
    frames: usize,
}

impl Encoder {
    pub(crate) fn new(layer: LayerEncoding) -> Self {
        Self {
            layer,
            force: true,
            frames: 0,
        }
    }

    /// It goes on like this.
    pub(crate) fn with(self, layer: LayerEncoding) -> Self {
        Self { layer, ..self }
    }

    pub(crate) fn force(&mut self) {
        self.force = true;
    }

    /// Encodes picture number `picture`, if it is one of this layer's.
    pub(crate) fn encode(
        &mut self,
        track: Track,
        picture: u64,
        now: Timestamp,
    ) -> Option<LocalFrame> {
        let fps = u64::from(self.layer.encoding.max_fps).min(FPS);
        if !picture.is_multiple_of(FPS / fps) {
            return None;
        }
        let keyframe = std::mem::take(&mut self.force);
        if keyframe {
            self.frames = 0;
        }
        let temporal_layer = TEMPORAL[self.frames % TEMPORAL.len()];
        self.frames += 1;
        let average = u64::from(self.layer.encoding.bitrate) / 8 / fps;
        let size = if keyframe {
            average * KEYFRAME
        } else {
            average * SIZE_PERCENT[usize::from(temporal_layer)] / 100
        };
        Some(LocalFrame {
            track,
            codec: Codec::Vp9,
            keyframe,
            spatial_layer: self.layer.spatial_layer,
            temporal_layer,
            capture_time_us: now.as_micros(),
            duration_us: 1_000_000 / fps,
            audio_level: 127,
            data: Bytes::from(vec![0; size as usize]),
        })
    }
}
