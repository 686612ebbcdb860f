//! One captured video track, from pictures to frames.

use std::collections::BTreeMap;

use bytes::Bytes;
use gloo::timers::callback::Interval;
use media_core::Input;
use media_core::capture::{CaptureClock, CodecChoice, ContentRate, Pace, is_backed_up};
use media_core::command::LayerEncoding;
use media_core::frame::LocalFrame;
use videocall_types::{Codec, Timestamp, Track};
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    EncodedVideoChunk, EncodedVideoChunkType, ReadableStream, VideoFrame, VideoFrameInit,
};

use super::super::reader::Reader;
use super::super::work::{Queue, Work};
use super::VideoCodecs;
use super::layer::LayerEncoder;
use crate::error::Exception;

/// How often a shared screen is looked at for having stopped changing, in milliseconds.
const STILL_CHECK_MS: u32 = 50;
/// The level that says nothing.
const NO_LEVEL: u8 = 127;

pub(crate) struct VideoSource {
    track: Track,
    queue: Queue,
    reader: Option<Reader>,
    codecs: VideoCodecs,
    choice: CodecChoice,
    /// By number. While all rest, pictures are not encoded.
    layers: BTreeMap<u8, LayerEncoder>,
    clock: CaptureClock,
    content: ContentRate,
    /// Of the last picture; 0 before the first.
    height: u32,
    /// The last picture of a screen, which gives a new one only when it changes.
    kept: Option<Kept>,
    _still_check: Option<Interval>,
}

/// A picture for later.
struct Kept {
    frame: VideoFrame,
    at: Timestamp,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.frame.close();
    }
}

impl VideoSource {
    /// Pictures come from `stream`, or else through [`picture`](Self::picture).
    pub(crate) fn new(
        track: Track,
        stream: Option<ReadableStream>,
        codecs: VideoCodecs,
        queue: Queue,
    ) -> Result<Self, Exception> {
        let reader = stream.map(|stream| Reader::new(&stream)).transpose()?;
        if let Some(reader) = reader.clone() {
            spawn_local(read_pictures(reader, track, queue.clone()));
        }
        let checks = queue.clone();
        let still_check = (track == Track::Screen)
            .then(|| Interval::new(STILL_CHECK_MS, move || checks.push(Work::Still(track))));
        Ok(Self {
            track,
            queue,
            reader,
            choice: CodecChoice::new(codecs.best_first.clone()),
            codecs,
            layers: BTreeMap::new(),
            clock: CaptureClock::default(),
            content: ContentRate::default(),
            height: 0,
            kept: None,
            _still_check: still_check,
        })
    }

    /// Encodes these layers from now on. One that was not encoded before begins with a keyframe.
    pub(crate) fn configure(&mut self, layers: &[LayerEncoding]) {
        for (number, layer) in &mut self.layers {
            if layers.iter().all(|wanted| wanted.spatial_layer != *number) {
                layer.rest();
            }
        }
        let kept = self.kept.as_ref().map(|kept| kept.at);
        for layer in layers {
            self.layers
                .entry(layer.spatial_layer)
                .or_insert_with(|| LayerEncoder::new(self.track, layer.spatial_layer))
                .configure(layer.encoding, kept);
        }
    }

    pub(crate) fn force_keyframe(&mut self, spatial_layer: u8) {
        if let Some(layer) = self.layers.get_mut(&spatial_layer) {
            layer.force_keyframe();
        }
    }

    /// Encodes a captured picture if there is need and room for it; `waiting` bytes have not been sent yet. False if
    /// nothing can encode it any more.
    pub(crate) fn picture(&mut self, frame: &VideoFrame, waiting: u64, now: Timestamp) -> bool {
        let device_us = frame.timestamp() as i64;
        self.clock.observe(device_us, now);
        let captured = self.clock.map(device_us).unwrap_or(now);
        self.tell_size(frame);
        let mut max_fps = u32::MAX;
        if self.track == Track::Screen {
            let frame = frame.clone();
            self.kept = frame.ok().map(|frame| Kept { frame, at: now });
            max_fps = self.content.picture(captured);
        }
        let bitrate = self.layers.values().map(LayerEncoder::bitrate);
        let is_backed_up = is_backed_up(waiting, bitrate.sum());
        self.encode(frame, now, |layer| {
            layer.takes(captured, max_fps, is_backed_up, now)
        })
    }

    /// Encodes the last picture again if that is due. False as for [`picture`](Self::picture).
    pub(crate) fn still(&mut self, now: Timestamp) -> bool {
        let is_due = |layer: &mut LayerEncoder| layer.needs_again(now);
        if !self.layers.values_mut().any(is_due) {
            return true;
        }
        let Some(frame) = self.kept.as_ref().and_then(|kept| kept.repeated(now).ok()) else {
            return true;
        };
        let encoded = self.encode(&frame, now, |layer| layer.takes_again(now));
        frame.close();
        encoded
    }

    /// The frame in a chunk that the encoder of a layer made.
    pub(crate) fn encoded(
        &mut self,
        origin: Origin,
        chunk: &EncodedVideoChunk,
        now: Timestamp,
    ) -> Result<LocalFrame, Exception> {
        let timestamp = chunk.timestamp();
        self.measure(origin.spatial_layer, timestamp, now);
        let mut data = vec![0; chunk.byte_length() as usize];
        chunk.copy_to_with_u8_slice(&mut data)?;
        Ok(LocalFrame {
            track: self.track,
            codec: origin.codec,
            keyframe: chunk.type_() == EncodedVideoChunkType::Key,
            spatial_layer: origin.spatial_layer,
            temporal_layer: origin.temporal_layer,
            capture_time_us: self.clock.map(timestamp as i64).unwrap_or(now).as_micros(),
            duration_us: chunk.duration().unwrap_or(0.0) as u64,
            audio_level: NO_LEVEL,
            data: Bytes::from(data),
        })
    }

    /// Goes on with the next codec. False if there is none.
    pub(crate) fn encoder_failed(&mut self, codec: Codec) -> bool {
        let present = self.choice.codec() == Some(codec);
        if present {
            self.layers.values_mut().for_each(LayerEncoder::reset);
        }
        !present || self.choice.failed()
    }

    /// Gives a picture to the layers that take it.
    fn encode(
        &mut self,
        frame: &VideoFrame,
        now: Timestamp,
        mut takes: impl FnMut(&mut LayerEncoder) -> bool,
    ) -> bool {
        let Some(codec) = self.choice.codec() else {
            return true;
        };
        let has_temporal_layers =
            self.track == Track::Camera && self.codecs.with_temporal_layers.contains(&codec);
        let mut failed = false;
        for layer in self.layers.values_mut() {
            if takes(layer)
                && let Err(error) =
                    layer.encode(frame, (codec, has_temporal_layers), &self.queue, now)
            {
                tracing::warn!(%error, ?codec, "picture can't be encoded");
                failed = true;
            }
        }
        !failed || self.encoder_failed(codec)
    }

    fn tell_size(&mut self, frame: &VideoFrame) {
        let height = frame.display_width().min(frame.display_height());
        if self.height != height {
            self.height = height;
            self.queue.input(Input::PictureSize {
                track: self.track,
                height,
            });
        }
    }

    /// Tells the choice of codec how long a picture took.
    fn measure(&mut self, spatial_layer: u8, timestamp: f64, now: Timestamp) {
        let Some(layer) = self.layers.get_mut(&spatial_layer) else {
            return;
        };
        let took = layer.encoded(timestamp, now);
        match self.choice.encoded(took, layer.interval()) {
            Pace::Good => {}
            Pace::NextCodec => {
                tracing::info!(track = ?self.track, codec = ?self.choice.codec(), "encoder is too slow: next codec");
            }
            Pace::TooSlow => self.queue.input(Input::EncodersTooSlow(self.track)),
        }
    }
}

/// Where a chunk comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) codec: Codec,
    pub(crate) spatial_layer: u8,
    pub(crate) temporal_layer: u8,
}

impl Kept {
    /// The same picture at the present time: an encoder takes no picture twice.
    fn repeated(&self, now: Timestamp) -> Result<VideoFrame, Exception> {
        let waited = (now - self.at).as_micros() as f64;
        let init = VideoFrameInit::new();
        init.set_timestamp_f64(self.frame.timestamp() + waited);
        Ok(VideoFrame::new_with_video_frame_and_video_frame_init(
            &self.frame,
            &init,
        )?)
    }
}

impl Drop for VideoSource {
    fn drop(&mut self) {
        if let Some(reader) = &self.reader {
            reader.cancel();
        }
    }
}

async fn read_pictures(reader: Reader, track: Track, queue: Queue) {
    while let Ok(Some(frame)) = reader.next().await {
        queue.push(Work::Picture { track, frame });
    }
}
