//! What this browser can do. Everything that differs between browsers is probed here.

use std::collections::BTreeMap;
use std::fmt;

use js_sys::Promise;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use videocall_types::{Codec, Track};
use wasm_bindgen::convert::FromWasmAbi;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AudioDecoder, AudioEncoder, VideoDecoder, VideoEncoder};

use crate::{codec, js};

const VIDEO_CODECS: [Codec; 4] = [Codec::Vp9, Codec::Vp8, Codec::Av1, Codec::H264];

/// Something that taking part needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// The page comes over https or from localhost; without it browsers hide most of the rest.
    SecureContext,
    /// WebCodecs for video.
    VideoCodecs,
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

/// What the engine's Worker has, for which the page can't look.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct InWorker {
    /// It gets pictures of a track as a stream.
    pub(crate) track_processor: bool,
    /// It was given an Opus of ours, because it has none.
    pub(crate) opus_in_wasm: bool,
}

/// Only for the engine.
pub(crate) fn in_worker() -> InWorker {
    InWorker {
        track_processor: has_track_processor(),
        opus_in_wasm: ["AudioEncoder", "AudioDecoder"]
            .iter()
            .any(|name| js::get(&js::get(&js_sys::global(), name), "inWasm").is_truthy()),
    }
}

/// Whether this browser has what a call needs or may use, by name. Only for the page.
pub(crate) async fn probe(in_worker: InWorker) -> BTreeMap<String, bool> {
    let mut found = BTreeMap::new();
    let mut note = |name: &str, there| found.insert(name.to_owned(), there);
    note("web_transport", js::has_global("WebTransport"));
    note("audio_worklet", js::has_global("AudioWorkletNode"));
    note("share_screen", can_share_screen());
    note("track_processor", has_track_processor());
    note("track_processor_in_worker", in_worker.track_processor);
    note("video_frame_callback", has_video_frame_callback());
    note("speaker_of_context", contexts_choose_speaker());
    note("speaker_of_element", elements_choose_speaker());
    note(
        "encode_opus",
        encodes_audio(&codec::opus(Track::Microphone, false)).await,
    );
    note(
        "encode_opus_dtx",
        encodes_audio(&codec::opus(Track::Microphone, true)).await,
    );
    note("decode_opus", decodes_audio().await);
    note("opus_in_wasm", in_worker.opus_in_wasm);
    for codec in VIDEO_CODECS {
        let name = format!("{codec:?}").to_lowercase();
        let (plain, layered) = (None, Some(codec::TEMPORAL_LAYERS));
        note(&format!("encode_{name}"), encodes_video(codec, plain).await);
        note(
            &format!("encode_{name}_l1t3"),
            encodes_video(codec, layered).await,
        );
        note(&format!("decode_{name}"), decodes_video(codec).await);
    }
    found
}

/// Processor cores, as far as the browser tells.
pub(crate) fn cores() -> u32 {
    let navigator = js::get(&js_sys::global(), "navigator");
    let cores = js::get(&navigator, "hardwareConcurrency").as_f64();
    cores.map_or(2, |cores| cores as u32)
}

/// Whether cameras can be encoded with this codec in real time, in layers of this scalability mode. Also for the engine.
pub(crate) async fn encodes_video(codec: Codec, mode: Option<&str>) -> bool {
    let mut config = json!({
        "codec": codec::name(codec), "width": 1280, "height": 720, "bitrate": 1_500_000, "framerate": 30,
        "latencyMode": "realtime",
    });
    if let (Some(mode), Some(config)) = (mode, config.as_object_mut()) {
        config.insert("scalabilityMode".to_owned(), json!(mode));
    }
    js::has_global("VideoEncoder") && accepts(&config, VideoEncoder::is_config_supported).await
}

async fn decodes_video(codec: Codec) -> bool {
    let config = json!({ "codec": codec::name(codec) });
    js::has_global("VideoDecoder") && accepts(&config, VideoDecoder::is_config_supported).await
}

/// Whether microphones can be encoded like that. Also for the engine.
pub(crate) async fn encodes_audio(config: &Value) -> bool {
    js::has_global("AudioEncoder") && accepts(config, AudioEncoder::is_config_supported).await
}

async fn decodes_audio() -> bool {
    let config = codec::opus_decoder();
    js::has_global("AudioDecoder") && accepts(&config, AudioDecoder::is_config_supported).await
}

/// Whether a codec of the browser, which is asked by `ask`, accepts a configuration.
async fn accepts<C: JsCast, A: JsCast + FromWasmAbi + 'static>(
    config: &Value,
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
    contexts_choose_speaker() || elements_choose_speaker()
}

/// All sound of a context can.
pub(crate) fn contexts_choose_speaker() -> bool {
    prototype_has("AudioContext", "setSinkId")
}

fn elements_choose_speaker() -> bool {
    prototype_has("HTMLMediaElement", "setSinkId")
}

/// Pictures of a track come as a stream. Also for the engine.
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
