//! Encoding what the page captures.

mod audio;
mod video;
mod video_encoder;

use serde_json::Value;
use videocall_types::{Codec, Track};

pub(super) use audio::SoundSource;
pub(super) use video::VideoSource;

use crate::{codec, support};

/// Video codecs to encode with, best first.
const VIDEO_CODECS: [Codec; 3] = [Codec::Vp9, Codec::Vp8, Codec::H264];

/// What this browser encodes.
pub(super) struct Support {
    /// Best first.
    pub(super) video: Vec<Codec>,
    /// Whether the Opus encoder takes options that not every browser knows.
    opus_tuned: bool,
}

impl Support {
    /// Asks the browser.
    pub(super) async fn probe() -> Self {
        let mut video = Vec::new();
        for codec in VIDEO_CODECS {
            if support::encodes_video(codec, None).await {
                video.push(codec);
            }
        }
        if video.is_empty() {
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
