//! One WebCodecs video decoder.

use js_sys::{Object, Uint8Array};
use media_core::Input;
use media_core::frame::RemoteFrame;
use serde_json::json;
use videocall_types::Codec;
use wasm_bindgen::prelude::*;
use web_sys::{
    CodecState, EncodedVideoChunk, EncodedVideoChunkInit, EncodedVideoChunkType, VideoDecoder,
    VideoFrame,
};

use super::super::work::{Queue, Work};
use crate::error::Exception;
use crate::{codec, js};

/// Frames that may wait to be decoded. A decoder that is slower starts again at the next keyframe, because frames can't
/// be left out one by one.
const MAX_BACKLOG: u32 = 20;

pub(super) struct Decoder {
    inner: VideoDecoder,
    codec: Codec,
    _output: Closure<dyn FnMut(VideoFrame)>,
    _error: Closure<dyn FnMut(JsValue)>,
}

impl Decoder {
    /// A decoder for the track and codec of `first`.
    pub(super) fn new(first: &RemoteFrame, queue: &Queue) -> Result<Self, Exception> {
        let RemoteFrame {
            session,
            track,
            codec,
            ..
        } = *first;
        let pictures = queue.clone();
        let output = Closure::<dyn FnMut(VideoFrame)>::new(move |frame| {
            pictures.push(Work::VideoDecoded {
                session,
                track,
                frame,
            });
        });
        let errors = queue.clone();
        let error = Closure::<dyn FnMut(JsValue)>::new(move |error: JsValue| {
            tracing::warn!(error = %Exception::from(error), %session, ?track, "video decoder failed");
            errors.input(Input::DecoderFailed { session, track });
        });
        let init = Object::new();
        js::set(&init, "output", output.as_ref())?;
        js::set(&init, "error", error.as_ref())?;
        let inner = VideoDecoder::new(init.unchecked_ref())?;
        let decoder = Self {
            inner,
            codec,
            _output: output,
            _error: error,
        };
        let config =
            js::object(&json!({ "codec": codec::name(codec), "optimizeForLatency": true }))?;
        decoder.inner.configure(&config)?;
        Ok(decoder)
    }

    /// Whether it is too far behind to be of use.
    pub(super) fn is_overrun(&self) -> bool {
        self.inner.decode_queue_size() > MAX_BACKLOG
    }

    /// Whether it can take a frame of this codec. A decoder that has failed takes nothing.
    pub(super) fn takes(&self, codec: Codec) -> bool {
        self.codec == codec && self.inner.state() == CodecState::Configured
    }

    pub(super) fn decode(&self, frame: &RemoteFrame) -> Result<(), Exception> {
        let kind = if frame.keyframe {
            EncodedVideoChunkType::Key
        } else {
            EncodedVideoChunkType::Delta
        };
        let init =
            EncodedVideoChunkInit::new_with_u8_array(&Uint8Array::from(&*frame.data), 0, kind);
        init.set_timestamp_f64(frame.capture_time_us as f64);
        self.inner.decode(&EncodedVideoChunk::new(&init)?)?;
        Ok(())
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        if self.inner.state() != CodecState::Closed {
            // It fails only when it is closed already.
            let _ = self.inner.close();
        }
    }
}
