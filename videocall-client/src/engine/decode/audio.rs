//! One WebCodecs audio decoder.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Float32Array, Object, Uint8Array};
use media_core::Input;
use media_core::frame::RemoteFrame;
use serde_json::json;
use videocall_types::Codec;
use wasm_bindgen::prelude::*;
use web_sys::{
    AudioData, AudioDecoder, CodecState, EncodedAudioChunk, EncodedAudioChunkInit,
    EncodedAudioChunkType,
};

use super::super::work::{Queue, Work};
use crate::error::Exception;
use crate::{codec, js};

pub(super) struct Decoder {
    inner: AudioDecoder,
    codec: Codec,
    /// The frames that are being decoded. Not all browsers keep timestamps across gaps.
    pending: Rc<RefCell<VecDeque<Place>>>,
    _output: Closure<dyn FnMut(AudioData)>,
    _error: Closure<dyn FnMut(JsValue)>,
}

/// Where a frame belongs in its track; see the fields of [`RemoteFrame`].
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) sequence: u64,
    pub(crate) capture_time_us: u64,
    /// So many later frames come with this one once more.
    pub(crate) repeats: usize,
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
        let pending = Rc::<RefCell<VecDeque<Place>>>::default();
        let (sounds, places) = (queue.clone(), pending.clone());
        let output = Closure::<dyn FnMut(AudioData)>::new(move |data: AudioData| {
            let place = places.borrow_mut().pop_front();
            match place {
                Some(place) => sounds.push(Work::AudioDecoded {
                    session,
                    track,
                    place,
                    data,
                }),
                None => data.close(),
            }
        });
        let errors = queue.clone();
        let error = Closure::<dyn FnMut(JsValue)>::new(move |error: JsValue| {
            tracing::warn!(error = %Exception::from(error), %session, ?track, "audio decoder failed");
            errors.input(Input::DecoderFailed { session, track });
        });
        let init = Object::new();
        js::set(&init, "output", output.as_ref())?;
        js::set(&init, "error", error.as_ref())?;
        let inner = AudioDecoder::new(init.unchecked_ref())?;
        let decoder = Self {
            inner,
            codec,
            pending,
            _output: output,
            _error: error,
        };
        decoder
            .inner
            .configure(&js::object(&codec::opus_decoder())?)?;
        Ok(decoder)
    }

    /// Whether it can take a frame of this codec. A decoder that has failed takes nothing.
    pub(super) fn takes(&self, codec: Codec) -> bool {
        self.codec == codec && self.inner.state() == CodecState::Configured
    }

    pub(super) fn decode(&self, frame: &RemoteFrame) -> Result<(), Exception> {
        let data = Uint8Array::from(&*frame.data);
        let init = EncodedAudioChunkInit::new_with_u8_array(&data, 0, EncodedAudioChunkType::Key);
        init.set_timestamp_f64(frame.capture_time_us as f64);
        self.inner.decode(&EncodedAudioChunk::new(&init)?)?;
        self.pending.borrow_mut().push_back(Place {
            sequence: frame.sequence,
            capture_time_us: frame.capture_time_us,
            repeats: frame.earlier.len(),
        });
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

/// The samples of decoded sound, mixed down to one channel.
pub(crate) fn samples(data: &AudioData) -> Result<Float32Array, Exception> {
    let channels = data.number_of_channels();
    let mixed = plane(data, 0)?;
    if channels > 1 {
        let mut sum = mixed.to_vec();
        for channel in 1..channels {
            sum.iter_mut()
                .zip(plane(data, channel)?.to_vec())
                .for_each(|(sum, sample)| *sum += sample);
        }
        sum.iter_mut().for_each(|sample| *sample /= channels as f32);
        mixed.copy_from(&sum);
    }
    Ok(mixed)
}

fn plane(data: &AudioData, channel: u32) -> Result<Float32Array, Exception> {
    let samples = Float32Array::new_with_length(data.number_of_frames());
    let options = js::object(&json!({ "planeIndex": channel, "format": "f32-planar" }))?;
    data.copy_to_with_buffer_source(&samples, &options)?;
    Ok(samples)
}
