//! What this browser can do. Everything that differs between browsers is probed here.

use std::collections::BTreeMap;
use std::fmt;

use js_sys::Promise;
use serde_json::json;
use videocall_types::Codec;
use wasm_bindgen::convert::FromWasmAbi;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{VideoDecoder, VideoEncoder};

use crate::{codec, js};

const VIDEO_CODECS: [Codec; 4] = [Codec::Vp9, Codec::Vp8, Codec::Av1, Codec::H264];

/// Something that taking part needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// The page comes over https or from localhost; without it browsers hide most of the rest.
    SecureContext,
    /// WebCodecs for video.
    VideoCodecs,
    /// WebCodecs for audio.
    AudioCodecs,
    /// Audio processing beside the page.
    AudioWorklet,
    /// Drawing in a Worker.
    OffscreenCanvas,
    /// A way to get single pictures of a camera.
    VideoCapture,
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SecureContext => "a secure connection (https)",
            Self::VideoCodecs => "video codecs (WebCodecs)",
            Self::AudioCodecs => "audio codecs (WebCodecs)",
            Self::AudioWorklet => "AudioWorklet",
            Self::OffscreenCanvas => "OffscreenCanvas",
            Self::VideoCapture => "video frame capture",
        })
    }
}

/// What this browser lacks to take part; empty: nothing. Only for the page.
#[must_use]
pub fn missing() -> Vec<Feature> {
    let secure = web_sys::window().is_some_and(|window| window.is_secure_context());
    if !secure {
        // The others would be reported for the same reason.
        return vec![Feature::SecureContext];
    }
    let needs = [
        (
            Feature::VideoCodecs,
            js::has_global("VideoEncoder") && js::has_global("VideoDecoder"),
        ),
        (
            Feature::AudioCodecs,
            js::has_global("AudioEncoder") && js::has_global("AudioDecoder"),
        ),
        (Feature::AudioWorklet, js::has_global("AudioWorkletNode")),
        (
            Feature::OffscreenCanvas,
            prototype_has("HTMLCanvasElement", "transferControlToOffscreen"),
        ),
        (
            Feature::VideoCapture,
            has_track_processor() || has_video_frame_callback(),
        ),
    ];
    needs
        .into_iter()
        .filter(|(_, there)| !there)
        .map(|(feature, _)| feature)
        .collect()
}

/// What a bug report tells of this browser: whether it has what a call needs or may use, by name. Only for the page.
pub async fn probe() -> BTreeMap<String, bool> {
    let features = [
        ("web_transport", js::has_global("WebTransport")),
        ("audio_worklet", js::has_global("AudioWorkletNode")),
        ("track_processor", has_track_processor()),
        ("share_screen", can_share_screen()),
        ("choose_speaker", can_choose_speaker()),
    ];
    let mut found: BTreeMap<String, bool> = features
        .into_iter()
        .map(|(name, there)| (name.to_owned(), there))
        .collect();
    for codec in VIDEO_CODECS {
        let name = format!("{codec:?}").to_lowercase();
        found.insert(format!("encode_{name}"), encodes_video(codec).await);
        found.insert(format!("decode_{name}"), decodes_video(codec).await);
    }
    found
}

/// Whether cameras can be encoded with this codec in real time. Also for the engine.
pub(crate) async fn encodes_video(codec: Codec) -> bool {
    let config = json!({
        "codec": codec::name(codec), "width": 1280, "height": 720, "bitrate": 1_500_000, "framerate": 30,
        "latencyMode": "realtime",
    });
    accepts(&config, VideoEncoder::is_config_supported).await
}

async fn decodes_video(codec: Codec) -> bool {
    let config = json!({ "codec": codec::name(codec) });
    accepts(&config, VideoDecoder::is_config_supported).await
}

/// Whether a codec of the browser, which is asked by `ask`, accepts a configuration.
pub(crate) async fn accepts<C: JsCast, A: JsCast + FromWasmAbi + 'static>(
    config: &serde_json::Value,
    ask: impl FnOnce(&C) -> Promise<A>,
) -> bool {
    let Ok(config) = js::object(config) else {
        return false;
    };
    let answer = JsFuture::from(ask(&config)).await;
    answer.is_ok_and(|answer| js::get(answer.as_ref(), "supported").is_truthy())
}

/// A screen can be shared. Phones can't.
#[must_use]
pub fn can_share_screen() -> bool {
    prototype_has("MediaDevices", "getDisplayMedia")
}

/// Sound can go to a chosen speaker.
#[must_use]
pub fn can_choose_speaker() -> bool {
    prototype_has("AudioContext", "setSinkId")
}

/// The page gets pictures of a track as a stream.
pub(crate) fn has_track_processor() -> bool {
    js::has_global("MediaStreamTrackProcessor")
}

fn has_video_frame_callback() -> bool {
    prototype_has("HTMLVideoElement", "requestVideoFrameCallback")
}

fn prototype_has(class: &str, member: &str) -> bool {
    let class = js::get(&js_sys::global(), class);
    // Reading an accessor of a prototype throws, so that the key is looked for instead.
    !class.is_undefined()
        && js_sys::Reflect::has(&js::get(&class, "prototype"), &JsValue::from_str(member))
            == Ok(true)
}
