//! Encoding what the page captures.

mod audio;
mod video;
mod video_encoder;

use serde_json::Value;
use videocall_types::Codec;

pub(super) use audio::MicrophoneSource;
pub(super) use video::VideoSource;

use crate::{codec, support};

/// Video codecs to encode with, best first.
const VIDEO_CODECS: [Codec; 3] = [Codec::Vp9, Codec::Vp8, Codec::H264];

/// What this browser encodes.
pub(super) struct Support {
    /// Best first.
    pub(super) video: Vec<Codec>,
    /// The configuration of the microphone's encoder.
    pub(super) opus: Value,
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
        let tuned = support::encodes_audio(&codec::opus(true)).await;
        let opus = codec::opus(tuned);
        Self { video, opus }
    }
}
