//! One WebCodecs video encoder.

use media_core::capture::Size;
use media_core::command::VideoEncoding;
use serde_json::json;
use videocall_types::{Codec, Track};
use wasm_bindgen::prelude::*;
use web_sys::{
    CodecState, EncodedVideoChunk, VideoEncoder, VideoEncoderConfig, VideoEncoderEncodeOptions,
    VideoFrame,
};

use super::super::work::{Queue, Work};
use super::video::Origin;
use crate::error::Exception;
use crate::{codec, js};

/// How one layer of a track is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) track: Track,
    pub(super) spatial_layer: u8,
    pub(super) codec: Codec,
    pub(super) has_temporal_layers: bool,
    pub(super) size: Size,
    pub(super) encoding: VideoEncoding,
}

pub(super) struct Encoder {
    inner: VideoEncoder,
    settings: Settings,
    _output: Closure<dyn FnMut(EncodedVideoChunk, JsValue)>,
    _error: Closure<dyn FnMut(JsValue)>,
}

impl Encoder {
    pub(super) fn new(settings: Settings, queue: &Queue) -> Result<Self, Exception> {
        let Settings {
            track,
            spatial_layer,
            codec,
            ..
        } = settings;
        let chunks = queue.clone();
        let output = Closure::<dyn FnMut(EncodedVideoChunk, JsValue)>::new(
            move |chunk, metadata: JsValue| {
                let layer = js::get(&js::get(&metadata, "svc"), "temporalLayerId");
                let origin = Origin {
                    codec,
                    spatial_layer,
                    temporal_layer: layer.as_f64().unwrap_or(0.0) as u8,
                };
                chunks.push(Work::VideoChunk {
                    track,
                    origin,
                    chunk,
                });
            },
        );
        let errors = queue.clone();
        let error = Closure::<dyn FnMut(JsValue)>::new(move |error: JsValue| {
            tracing::warn!(error = %Exception::from(error), ?track, ?codec, "video encoder failed");
            errors.push(Work::VideoEncoderFailed { track, codec });
        });
        let init = js_sys::Object::new();
        js::set(&init, "output", output.as_ref())?;
        js::set(&init, "error", error.as_ref())?;
        let inner = VideoEncoder::new(init.unchecked_ref())?;
        let encoder = Self {
            inner,
            settings,
            _output: output,
            _error: error,
        };
        encoder.inner.configure(&config(&settings)?)?;
        Ok(encoder)
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes everything but the codec.
    pub(super) fn reconfigure(&mut self, settings: Settings) -> Result<(), Exception> {
        self.inner.configure(&config(&settings)?)?;
        self.settings = settings;
        Ok(())
    }

    pub(super) fn encode(&self, frame: &VideoFrame, keyframe: bool) -> Result<(), Exception> {
        let options = VideoEncoderEncodeOptions::new();
        options.set_key_frame(keyframe);
        Ok(self.inner.encode_with_options(frame, &options)?)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        if self.inner.state() != CodecState::Closed {
            // It fails only when it is closed already.
            let _ = self.inner.close();
        }
    }
}

fn config(settings: &Settings) -> Result<VideoEncoderConfig, Exception> {
    let Settings {
        track,
        codec,
        size,
        encoding,
        ..
    } = settings;
    // Annex B: frames carry what a decoder must know, as those of the other codecs do. Without a scalability mode there is
    // one layer; not every browser takes the name of that mode.
    let mut config = json!({
        "codec": codec::name(*codec),
        "avc": { "format": "annexb" },
        "width": size.width,
        "height": size.height,
        "bitrate": encoding.bitrate,
        "framerate": encoding.max_fps,
        "latencyMode": "realtime",
        "contentHint": if *track == Track::Screen { "detail" } else { "motion" },
    });
    if let (true, Some(config)) = (settings.has_temporal_layers, config.as_object_mut()) {
        config.insert("scalabilityMode".to_owned(), json!(codec::TEMPORAL_LAYERS));
    }
    js::object(&config)
}
