//! One simulcast layer of a captured track: which pictures its encoder gets, and when it makes a keyframe.

use std::collections::VecDeque;
use std::time::Duration;

use media_core::capture::{Cadence, Size, Still, fit};
use media_core::command::VideoEncoding;
use videocall_types::{Codec, Timestamp, Track};
use web_sys::VideoFrame;

use super::super::work::Queue;
use super::video_encoder::{Encoder, Settings};
use crate::error::Exception;

/// Pictures that the encoder may have at a time; the next one is left out, so that the delay stays small.
const MAX_IN_ENCODER: usize = 2;
/// The encoder may leave pictures out. One that has not come back after this time was.
const LEFT_OUT_AFTER: Duration = Duration::from_secs(1);
/// A keyframe comes at least so often, for receivers whose request got lost.
const KEYFRAME_INTERVAL: Duration = Duration::from_secs(10);

pub(super) struct LayerEncoder {
    track: Track,
    spatial_layer: u8,
    /// `None`: it rests.
    encoding: Option<VideoEncoding>,
    cadence: Cadence,
    encoder: Option<Encoder>,
    keyframe_due: Timestamp,
    /// Timestamps of pictures that the encoder has, and since when.
    encoding_since: VecDeque<(f64, Timestamp)>,
    last_output: Timestamp,
    still: Still,
}

impl LayerEncoder {
    pub(super) fn new(track: Track, spatial_layer: u8) -> Self {
        Self {
            track,
            spatial_layer,
            encoding: None,
            cadence: Cadence::default(),
            encoder: None,
            keyframe_due: Timestamp::ZERO,
            encoding_since: VecDeque::new(),
            last_output: Timestamp::ZERO,
            still: Still::default(),
        }
    }

    /// Bits per second; 0 while it rests.
    pub(super) fn bitrate(&self) -> u32 {
        self.encoding.map_or(0, |encoding| encoding.bitrate)
    }

    /// Encodes like this from now on. `kept`: when the last picture came, which it must encode, after a rest, if no newer one
    /// comes.
    pub(super) fn configure(&mut self, encoding: VideoEncoding, kept: Option<Timestamp>) {
        if let (None, Some(at)) = (self.encoding, kept) {
            self.still.picture(false, at);
        }
        self.encoding = Some(encoding);
    }

    /// Encodes nothing until it is configured again.
    pub(super) fn rest(&mut self) {
        self.encoding = None;
        // The rest shall not count as a slow source.
        self.cadence = Cadence::default();
    }

    pub(super) const fn force_keyframe(&mut self) {
        self.keyframe_due = Timestamp::ZERO;
    }

    /// The next picture goes to a new encoder.
    pub(super) fn reset(&mut self) {
        self.encoder = None;
    }

    /// How far apart the pictures are that it gets.
    pub(super) fn interval(&self) -> Duration {
        self.cadence.interval()
    }

    /// Whether to encode the picture that was captured at this moment, of a source that is worth `max_fps` pictures per
    /// second. `is_backed_up`: the network does not take more.
    pub(super) fn takes(
        &mut self,
        captured: Timestamp,
        max_fps: u32,
        is_backed_up: bool,
        now: Timestamp,
    ) -> bool {
        let Some(encoding) = self.encoding else {
            return false;
        };
        let takes = self.cadence.keep(captured, encoding.max_fps.min(max_fps))
            && !is_backed_up
            && !self.is_busy(now);
        self.still.picture(takes, now);
        takes
    }

    /// Whether the last picture must be encoded again.
    pub(super) fn needs_again(&mut self, now: Timestamp) -> bool {
        self.encoding.is_some()
            && self.still.is_due(now >= self.keyframe_due, now)
            && !self.is_busy(now)
    }

    /// The same; then it is.
    pub(super) fn takes_again(&mut self, now: Timestamp) -> bool {
        let takes = self.needs_again(now);
        if takes {
            self.still.repeated(now >= self.keyframe_due, now);
        }
        takes
    }

    pub(super) fn encode(
        &mut self,
        frame: &VideoFrame,
        (codec, has_temporal_layers): (Codec, bool),
        queue: &Queue,
        now: Timestamp,
    ) -> Result<(), Exception> {
        let Some(encoding) = self.encoding else {
            return Ok(());
        };
        let picture = Size {
            width: frame.display_width(),
            height: frame.display_height(),
        };
        let settings = Settings {
            track: self.track,
            spatial_layer: self.spatial_layer,
            codec,
            has_temporal_layers,
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
                self.encoder.insert(Encoder::new(settings, queue)?)
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

    /// A picture came out of the encoder: how long it took, without the time that it waited for the one before.
    pub(super) fn encoded(&mut self, timestamp: f64, now: Timestamp) -> Duration {
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
        took
    }

    fn is_busy(&mut self, now: Timestamp) -> bool {
        self.encoding_since
            .retain(|(_, since)| now - *since < LEFT_OUT_AFTER);
        self.encoding_since.len() >= MAX_IN_ENCODER
    }
}
