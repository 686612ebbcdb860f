//! Codecs as WebCodecs names them.

use serde_json::{Value, json};
use videocall_types::{Codec, Track};

/// The scalability mode with one spatial and three temporal layers.
pub(crate) const TEMPORAL_LAYERS: &str = "L1T3";

/// The codec string for configurations.
pub(crate) const fn name(codec: Codec) -> &'static str {
    match codec {
        Codec::Vp8 => "vp8",
        Codec::Vp9 => "vp09.00.10.08",
        Codec::Av1 => "av01.0.08M.08",
        // Level 4.0, which has room for 1080 rows.
        Codec::H264 => "avc1.42E028",
        Codec::Opus => "opus",
    }
}

/// The configuration of a sound's encoder. `tuned`: with options that not every browser knows.
pub(crate) fn opus(track: Track, tuned: bool) -> Value {
    // No in-band FEC: no browser's decoder can use it, and it costs quality.
    let (bitrate, options) = if track == Track::Microphone {
        let voice = json!({ "frameDuration": 20_000, "usedtx": true, "application": "voip", "signal": "voice" });
        (32_000, voice)
    } else {
        let music = json!({ "frameDuration": 20_000, "usedtx": false, "application": "audio", "signal": "music" });
        (64_000, music)
    };
    json!({
        "codec": name(Codec::Opus), "sampleRate": 48_000, "numberOfChannels": 1, "bitrate": bitrate,
        "opus": if tuned { options } else { json!({}) },
    })
}

/// The configuration of a decoder for a microphone.
pub(crate) fn opus_decoder() -> Value {
    json!({ "codec": name(Codec::Opus), "sampleRate": 48_000, "numberOfChannels": 1 })
}
