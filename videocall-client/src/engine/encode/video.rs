//! One captured video track, from pictures to frames.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use gloo::timers::callback::Interval;
use media_core::capture::{
    Cadence, CaptureClock, CodecChoice, ContentRate, Size, Still, fit, is_backed_up,
};
use media_core::command::VideoEncoding;
use media_core::frame::LocalFrame;
use videocall_types::{Codec, Timestamp, Track};
use wasm_bindgen_futures::spawn_local;
use web_sys::{
    EncodedVideoChunk, EncodedVideoChunkType, ReadableStream, VideoFrame, VideoFrameInit,
};

use super::super::reader::Reader;
use super::super::work::{Queue, Work};
use super::video_encoder::{Encoder, Settings};
use crate::error::Exception;

/// Pictures that the encoder may have at a time; the next one is left out, so that the delay stays small.
const MAX_IN_ENCODER: usize = 2;
/// The encoder may leave pictures out. One that has not come back after this time was.
const LEFT_OUT_AFTER: Duration = Duration::from_secs(1);
/// A keyframe comes at least so often, for receivers whose request got lost.
const KEYFRAME_INTERVAL: Duration = Duration::from_secs(10);
/// How often a shared screen is looked at for having stopped changing, in milliseconds.
const STILL_CHECK_MS: u32 = 50;
/// The level that says nothing.
const NO_LEVEL: u8 = 127;

pub(crate) struct VideoSource {
    track: Track,
    queue: Queue,
    reader: Option<Reader>,
    choice: CodecChoice,
    /// `None`: pictures are not encoded.
    encoding: Option<VideoEncoding>,
    cadence: Cadence,
    clock: CaptureClock,
    encoder: Option<Encoder>,
    keyframe_due: Timestamp,
    /// Timestamps of pictures that the encoder has, and since when.
    encoding_since: VecDeque<(f64, Timestamp)>,
    last_output: Timestamp,
    content: ContentRate,
    still: Still,
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
        codecs: Vec<Codec>,
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
            content: ContentRate::default(),
            still: Still::default(),
            kept: None,
            _still_check: still_check,
            choice: CodecChoice::new(codecs),
            encoding: None,
            cadence: Cadence::default(),
            clock: CaptureClock::default(),
            encoder: None,
            keyframe_due: Timestamp::ZERO,
            encoding_since: VecDeque::new(),
            last_output: Timestamp::ZERO,
        })
    }

    pub(crate) fn configure(&mut self, encoding: VideoEncoding) {
        self.encoding = Some(encoding);
    }

    /// Encodes nothing until it is configured again.
    pub(crate) fn pause(&mut self) {
        self.encoding = None;
        // The pause shall not count as a slow source.
        self.cadence = Cadence::default();
    }

    pub(crate) fn force_keyframe(&mut self) {
        self.keyframe_due = Timestamp::ZERO;
    }

    /// Encodes a captured picture if there is need and room for it; `waiting` bytes have not been sent yet. False if
    /// nothing can encode it any more.
    pub(crate) fn picture(&mut self, frame: &VideoFrame, waiting: u64, now: Timestamp) -> bool {
        let device_us = frame.timestamp() as i64;
        self.clock.observe(device_us, now);
        let captured = self.clock.map(device_us).unwrap_or(now);
        let mut max_fps = u32::MAX;
        if self.track == Track::Screen {
            let frame = frame.clone();
            self.kept = frame.ok().map(|frame| Kept { frame, at: now });
            max_fps = self.content.picture(captured);
        }
        let fits = self.encoding.is_some_and(|encoding| {
            self.cadence.keep(captured, encoding.max_fps.min(max_fps))
                && !is_backed_up(waiting, encoding.bitrate)
        });
        let encode = fits && !self.is_busy(now);
        self.still.picture(encode, now);
        !encode || self.try_encode(frame, now)
    }

    /// Encodes the last picture again if that is due. False as for [`picture`](Self::picture).
    pub(crate) fn still(&mut self, now: Timestamp) -> bool {
        let keyframe = now >= self.keyframe_due;
        let wanted = self.encoding.is_some() && self.still.is_due(keyframe, now);
        if !wanted || self.is_busy(now) {
            return true;
        }
        let Some(frame) = self.kept.as_ref().and_then(|kept| kept.repeated(now).ok()) else {
            return true;
        };
        self.still.repeated(keyframe, now);
        let encoded = self.try_encode(&frame, now);
        frame.close();
        encoded
    }

    fn try_encode(&mut self, frame: &VideoFrame, now: Timestamp) -> bool {
        let (Some(encoding), Some(codec)) = (self.encoding, self.choice.codec()) else {
            return true;
        };
        match self.encode(frame, codec, encoding, now) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, ?codec, "picture can't be encoded");
                self.encoder_failed(codec)
            }
        }
    }

    /// The frame in a chunk that the encoder made.
    pub(crate) fn encoded(
        &mut self,
        codec: Codec,
        temporal_layer: u8,
        chunk: &EncodedVideoChunk,
        now: Timestamp,
    ) -> Result<LocalFrame, Exception> {
        let timestamp = chunk.timestamp();
        self.measure(timestamp, now);
        let mut data = vec![0; chunk.byte_length() as usize];
        chunk.copy_to_with_u8_slice(&mut data)?;
        Ok(LocalFrame {
            track: self.track,
            codec,
            keyframe: chunk.type_() == EncodedVideoChunkType::Key,
            temporal_layer,
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
            self.encoder = None;
        }
        !present || self.choice.failed()
    }

    fn encode(
        &mut self,
        frame: &VideoFrame,
        codec: Codec,
        encoding: VideoEncoding,
        now: Timestamp,
    ) -> Result<(), Exception> {
        let picture = Size {
            width: frame.display_width(),
            height: frame.display_height(),
        };
        let settings = Settings {
            track: self.track,
            codec,
            size: fit(picture, encoding.max_height),
            encoding,
        };
        let encoder = match self.encoder.take() {
            Some(encoder) if *encoder.settings() == settings => self.encoder.insert(encoder),
            Some(mut encoder) if encoder.settings().codec == codec => {
                if encoder.settings().size != settings.size {
                    self.keyframe_due = now;
                }
                encoder.reconfigure(settings)?;
                self.encoder.insert(encoder)
            }
            _ => {
                self.keyframe_due = now;
                self.encoding_since.clear();
                self.encoder.insert(Encoder::new(settings, &self.queue)?)
            }
        };
        let keyframe = now >= self.keyframe_due;
        encoder.encode(frame, keyframe)?;
        self.encoding_since.push_back((frame.timestamp(), now));
        if keyframe {
            self.keyframe_due = now + KEYFRAME_INTERVAL;
        }
        Ok(())
    }

    fn is_busy(&mut self, now: Timestamp) -> bool {
        self.encoding_since
            .retain(|(_, since)| now - *since < LEFT_OUT_AFTER);
        self.encoding_since.len() >= MAX_IN_ENCODER
    }

    /// Tells the choice of codec how long a picture took, without the time that it waited for the one before.
    fn measure(&mut self, timestamp: f64, now: Timestamp) {
        let mut submitted = self.encoding_since.iter();
        let took = match submitted.position(|(picture, _)| *picture == timestamp) {
            // Pictures before this one were left out.
            Some(index) => self
                .encoding_since
                .drain(..=index)
                .next_back()
                .map_or(LEFT_OUT_AFTER, |(_, since)| {
                    now - since.max(self.last_output)
                }),
            None => LEFT_OUT_AFTER,
        };
        self.last_output = now;
        if self.choice.encoded(took, self.cadence.interval()) {
            tracing::info!(track = ?self.track, codec = ?self.choice.codec(), "encoder is too slow: next codec");
        }
    }
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
