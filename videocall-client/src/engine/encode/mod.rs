//! Encoding what the page captures.

mod audio;
mod video;
mod video_encoder;

use serde_json::{Value, json};
use videocall_types::{Codec, Track};
use web_sys::AudioEncoder;

pub(super) use audio::SoundSource;
pub(super) use video::VideoSource;

use crate::{codec, support};

/// Video codecs to encode with, best first.
const VIDEO_CODECS: [Codec; 2] = [Codec::Vp9, Codec::Vp8];

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
            if support::encodes_video(codec).await {
                video.push(codec);
            }
        }
        if video.is_empty() {
            tracing::error!("this browser encodes no video codec that we know");
        }
        let voice = opus(Track::Microphone, true);
        let opus_tuned = support::accepts(&voice, AudioEncoder::is_config_supported).await;
        Self { video, opus_tuned }
    }

    /// The configuration of a sound's encoder.
    pub(super) fn opus(&self, track: Track) -> Value {
        opus(track, self.opus_tuned)
    }
}

/// `tuned`: with options that not every browser knows.
fn opus(track: Track, tuned: bool) -> Value {
    // No in-band FEC: no browser's decoder can use it, and it costs quality.
    let (bitrate, options) = if track == Track::Microphone {
        let voice = json!({ "frameDuration": 20_000, "usedtx": true, "application": "voip", "signal": "voice" });
        (32_000, voice)
    } else {
        let music = json!({ "frameDuration": 20_000, "usedtx": false, "application": "audio", "signal": "music" });
        (64_000, music)
    };
    json!({
        "codec": codec::name(Codec::Opus), "sampleRate": 48_000, "numberOfChannels": 1, "bitrate": bitrate,
        "opus": if tuned { options } else { json!({}) },
    })
}
