//! A captured sound, from samples to frames. `audio-worklet/processor.js` defines the messages.

use std::collections::VecDeque;

use bytes::Bytes;
use gloo::events::EventListener;
use js_sys::{Float32Array, Object};
use media_core::capture::{CaptureClock, SpeakingDetector, audio_level};
use media_core::frame::LocalFrame;
use serde_json::{Value, json};
use videocall_types::{Timestamp, Track};
use wasm_bindgen::prelude::*;
use web_sys::{AudioData, AudioEncoder, CodecState, EncodedAudioChunk, MessageEvent, MessagePort};

use super::super::work::{Queue, Work};
use crate::error::Exception;
use crate::js;

/// Length of a captured frame, in microseconds.
const FRAME_US: i64 = 20_000;
/// More frames never wait for the encoder, unless it hangs.
const MAX_GIVEN: usize = 50;

pub(crate) struct SoundSource {
    track: Track,
    port: MessagePort,
    encoder: AudioEncoder,
    clock: CaptureClock,
    speaking: SpeakingDetector,
    /// RMS of the last frame.
    level: f32,
    /// Times of the last frames given to the encoder, in microseconds of the audio device, newest last.
    given: VecDeque<i64>,
    _samples: EventListener,
    _output: Closure<dyn FnMut(EncodedAudioChunk)>,
    _error: Closure<dyn FnMut(JsValue)>,
}

impl SoundSource {
    /// Encodes what comes out of `port` with this WebCodecs configuration.
    pub(crate) fn new(
        track: Track,
        port: MessagePort,
        config: &Value,
        queue: &Queue,
    ) -> Result<Self, Exception> {
        let chunks = queue.clone();
        let output = Closure::<dyn FnMut(EncodedAudioChunk)>::new(move |chunk| {
            chunks.push(Work::AudioChunk { track, chunk })
        });
        let errors = queue.clone();
        let error = Closure::<dyn FnMut(JsValue)>::new(move |error: JsValue| {
            tracing::error!(error = %Exception::from(error), "audio encoder failed");
            errors.push(Work::SourceFailed(track));
        });
        let init = Object::new();
        js::set(&init, "output", output.as_ref())?;
        js::set(&init, "error", error.as_ref())?;
        let encoder = AudioEncoder::new(init.unchecked_ref())?;
        encoder.configure(&js::object(config)?)?;
        let sounds = queue.clone();
        let samples = EventListener::new(&port, "message", move |event| {
            let frame = event.unchecked_ref::<MessageEvent>().data();
            if let (Some(time_us), Some(level)) = (
                js::get(&frame, "time").as_f64(),
                js::get(&frame, "level").as_f64(),
            ) {
                let samples = js::get(&frame, "samples").unchecked_into();
                sounds.push(Work::Sound {
                    track,
                    samples,
                    time_us,
                    level: level as f32,
                });
            }
        });
        port.start();
        Ok(Self {
            track,
            port,
            encoder,
            clock: CaptureClock::default(),
            speaking: SpeakingDetector::default(),
            level: 0.0,
            given: VecDeque::new(),
            _samples: samples,
            _output: output,
            _error: error,
        })
    }

    /// Encodes a captured frame. `Some` when the person starts or stops to speak.
    pub(crate) fn sound(
        &mut self,
        samples: &Float32Array,
        time_us: f64,
        level: f32,
        now: Timestamp,
    ) -> Result<Option<bool>, Exception> {
        // A frame can't arrive before its last sample.
        let time = time_us as i64;
        self.clock.observe(time.saturating_add(FRAME_US), now);
        self.level = level;
        self.given.push_back(time);
        if self.given.len() > MAX_GIVEN {
            self.given.pop_front();
        }
        let init: JsValue = js::object(&json!({
            "format": "f32-planar", "sampleRate": 48_000, "numberOfChannels": 1, "numberOfFrames": samples.length(),
            "timestamp": time_us,
        }))?;
        js::set(&init, "data", samples)?;
        let data = AudioData::new(init.unchecked_ref())?;
        let encoded = self.encoder.encode(&data);
        data.close();
        encoded?;
        // What a screen plays is nobody who speaks.
        let speaking = self.track == Track::Microphone;
        Ok(speaking
            .then(|| self.speaking.observe(level, now))
            .flatten())
    }

    /// The frame in a chunk that the encoder made.
    pub(crate) fn encoded(
        &self,
        chunk: &EncodedAudioChunk,
        now: Timestamp,
    ) -> Result<LocalFrame, Exception> {
        let mut data = vec![0; chunk.byte_length() as usize];
        chunk.copy_to_with_u8_slice(&mut data)?;
        let captured = self.last_encoded().and_then(|time| self.clock.map(time));
        Ok(LocalFrame::sound(
            self.track,
            captured.unwrap_or(now).as_micros(),
            chunk.duration().unwrap_or(0.0) as u64,
            audio_level(self.level),
            Bytes::from(data),
        ))
    }

    /// When the frame that the encoder has just taken was captured. The chunk doesn't say it: Chromium counts on without
    /// the frames that DTX leaves out.
    fn last_encoded(&self) -> Option<i64> {
        let waiting = self.encoder.encode_queue_size() as usize;
        self.given.iter().rev().nth(waiting).copied()
    }

    /// RMS of the last frame, 0 to 1.
    pub(crate) fn level(&self) -> f32 {
        self.level
    }

    /// Whether the person spoke until now.
    pub(crate) fn stop(mut self) -> bool {
        self.speaking.stop().is_some()
    }
}

impl Drop for SoundSource {
    fn drop(&mut self) {
        self.port.close();
        if self.encoder.state() != CodecState::Closed {
            // It fails only when it is closed already.
            let _ = self.encoder.close();
        }
    }
}
