//! The engine's one queue. Callbacks of the browser only put work into it, so that the engine is never re-entered.

use futures_channel::mpsc::UnboundedSender;
use js_sys::Float32Array;
use media_core::Input;
use videocall_types::{Codec, SessionId, Track};
use wasm_bindgen::JsValue;
use web_sys::{AudioData, EncodedAudioChunk, EncodedVideoChunk, VideoFrame};

use super::decode::Place;
use super::encode::Origin;
use super::playout::Played;
use crate::protocol::ToEngine;

/// Something for the engine to do.
pub(super) enum Work {
    /// The page said something, with this object.
    Page(ToEngine, JsValue),
    /// Something happened that is the call's business.
    Call(Input),
    /// The moment of the call's next timeout may have come.
    Timer,
    /// A picture was captured.
    Picture { track: Track, frame: VideoFrame },
    /// It is time to look whether the track's picture has stopped changing.
    Still(Track),
    /// A picture was encoded.
    VideoChunk {
        track: Track,
        origin: Origin,
        chunk: EncodedVideoChunk,
    },
    /// A video encoder gave up.
    VideoEncoderFailed { track: Track, codec: Codec },
    /// A frame of sound was captured; `time_us` on the audio device's clock, `level` as RMS.
    Sound {
        track: Track,
        samples: Float32Array,
        time_us: f64,
        level: f32,
    },
    /// A frame of sound was encoded.
    AudioChunk {
        track: Track,
        chunk: EncodedAudioChunk,
    },
    /// A captured track can't be encoded any more.
    SourceFailed(Track),
    /// A picture was decoded.
    VideoDecoded {
        session: SessionId,
        track: Track,
        frame: VideoFrame,
    },
    /// The picture of a track that was being drawn is drawn.
    Drawn { session: SessionId, track: Track },
    /// A frame of sound was decoded.
    AudioDecoded {
        session: SessionId,
        track: Track,
        place: Place,
        data: AudioData,
    },
    /// How the audible tracks are played.
    Played(Vec<Played>),
}

/// Puts work into the queue.
#[derive(Clone)]
pub(super) struct Queue(UnboundedSender<Work>);

impl Queue {
    pub(super) fn new(sender: UnboundedSender<Work>) -> Self {
        Self(sender)
    }

    pub(super) fn push(&self, work: Work) {
        // The receiver lives as long as the worker.
        let _ = self.0.unbounded_send(work);
    }

    pub(super) fn input(&self, input: Input) {
        self.push(Work::Call(input));
    }
}
