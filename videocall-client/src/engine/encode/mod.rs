//! Encoding what the page captures.

mod audio;
mod video;
mod video_encoder;

use serde_json::{Value, json};
use videocall_types::Codec;
use web_sys::AudioEncoder;

pub(super) use audio::MicrophoneSource;
pub(super) use video::VideoSource;

use crate::{codec, support};

/// Video codecs to encode with, best first.
const VIDEO_CODECS: [Codec; 2] = [Codec::Vp9, Codec::Vp8];

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
            if support::encodes_video(codec).await {
                video.push(codec);
            }
        }
        if video.is_empty() {
            tracing::error!("this browser encodes no video codec that we know");
        }
        let tuned = support::accepts(&opus(true), AudioEncoder::is_config_supported).await;
        let opus = opus(tuned);
        Self { video, opus }
    }
}

/// `tuned`: with options that not every browser knows.
fn opus(tuned: bool) -> Value {
    // No in-band FEC: no browser's decoder can use it, and it costs quality.
    let options = json!({ "frameDuration": 20_000, "usedtx": true, "application": "voip", "signal": "voice" });
    json!({
        "codec": codec::name(Codec::Opus), "sampleRate": 48_000, "numberOfChannels": 1, "bitrate": 32_000,
        "opus": if tuned { options } else { json!({}) },
    })
}
