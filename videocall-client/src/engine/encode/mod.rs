//! Encoding what the page captures.

mod audio;
mod layer;
mod video;
mod video_encoder;

use serde_json::Value;
use videocall_types::{Codec, Track};

pub(super) use audio::SoundSource;
pub(super) use video::{Origin, VideoSource};

use crate::{codec, support};

/// Video codecs to encode with, best first.
const VIDEO_CODECS: [Codec; 3] = [Codec::Vp9, Codec::Vp8, Codec::H264];

/// What this browser encodes pictures with.
#[derive(Clone, Debug, Default)]
pub(super) struct VideoCodecs {
    pub(super) best_first: Vec<Codec>,
    /// Those that make temporal layers.
    pub(super) with_temporal_layers: Vec<Codec>,
}

/// What this browser encodes.
pub(super) struct Support {
    pub(super) video: VideoCodecs,
    /// Whether the Opus encoder takes options that not every browser knows.
    opus_tuned: bool,
}

impl Support {
    /// Asks the browser.
    pub(super) async fn probe() -> Self {
        let mut video = VideoCodecs::default();
        for codec in VIDEO_CODECS {
            if support::encodes_video(codec, None).await {
                video.best_first.push(codec);
            }
            if support::encodes_video(codec, Some(codec::TEMPORAL_LAYERS)).await {
                video.with_temporal_layers.push(codec);
            }
        }
        if video.best_first.is_empty() {
            tracing::error!("this browser encodes no video codec that we know");
        }
        let opus_tuned = support::encodes_audio(&codec::opus(Track::Microphone, true)).await;
        Self { video, opus_tuned }
    }

    /// The configuration of a sound's encoder.
    pub(super) fn opus(&self, track: Track) -> Value {
        codec::opus(track, self.opus_tuned)
    }
}
