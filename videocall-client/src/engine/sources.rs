//! What the page captures and the call publishes.

use std::collections::BTreeMap;

use js_sys::Float32Array;
use media_core::Input;
use media_core::command::LayerEncoding;
use videocall_types::{Codec, Track};
use web_sys::{EncodedAudioChunk, EncodedVideoChunk, MessagePort, VideoFrame};

use super::clock::now;
use super::encode::{Origin, SoundSource, Support, VideoSource};
use super::intake::Intake;
use super::work::{Queue, Work};
use crate::error::Exception;

/// The captured tracks with their encoders. What they make goes into the queue.
pub(super) struct Sources {
    queue: Queue,
    support: Support,
    sounds: BTreeMap<Track, SoundSource>,
    videos: BTreeMap<Track, VideoSource>,
    intakes: BTreeMap<Track, Intake>,
    /// As last told, for tracks that are captured later.
    encodings: BTreeMap<Track, Vec<LayerEncoding>>,
}

impl Sources {
    pub(super) fn new(support: Support, queue: Queue) -> Self {
        Self {
            queue,
            support,
            sounds: BTreeMap::new(),
            videos: BTreeMap::new(),
            intakes: BTreeMap::new(),
            encodings: BTreeMap::new(),
        }
    }

    pub(super) fn video_on(&mut self, track: Track, intake: Intake) -> Result<(), Exception> {
        let codecs = self.support.video.clone();
        if codecs.best_first.is_empty() {
            self.queue.push(Work::SourceFailed(track));
        }
        let mut video = intake
            .stream()
            .and_then(|stream| VideoSource::new(track, stream, codecs, self.queue.clone()))
            .inspect_err(|_| self.queue.push(Work::SourceFailed(track)))?;
        if let Some(encoding) = self.encodings.get(&track) {
            video.configure(encoding);
        }
        self.videos.insert(track, video);
        self.intakes.insert(track, intake);
        self.queue.input(Input::Publishing { track, on: true });
        Ok(())
    }

    pub(super) fn video_off(&mut self, track: Track) {
        self.videos.remove(&track);
        self.intakes.remove(&track);
        self.queue.input(Input::Publishing { track, on: false });
    }

    pub(super) fn configure(&mut self, track: Track, layers: Vec<LayerEncoding>) {
        if let Some(video) = self.videos.get_mut(&track) {
            video.configure(&layers);
        }
        self.encodings.insert(track, layers);
    }

    pub(super) fn force_keyframe(&mut self, track: Track, spatial_layer: u8) {
        if let Some(video) = self.videos.get_mut(&track) {
            video.force_keyframe(spatial_layer);
        }
    }

    /// A captured picture; `waiting` bytes have not been sent yet.
    pub(super) fn picture(&mut self, track: Track, frame: &VideoFrame, waiting: u64) {
        if let Some(video) = self.videos.get_mut(&track)
            && !video.picture(frame, waiting, now())
        {
            self.queue.push(Work::SourceFailed(track));
        }
        frame.close();
    }

    /// The track's picture may have stopped changing.
    pub(super) fn still(&mut self, track: Track) {
        if let Some(video) = self.videos.get_mut(&track)
            && !video.still(now())
        {
            self.queue.push(Work::SourceFailed(track));
        }
    }

    pub(super) fn video_chunk(
        &mut self,
        track: Track,
        origin: Origin,
        chunk: &EncodedVideoChunk,
    ) -> Result<(), Exception> {
        if let Some(video) = self.videos.get_mut(&track) {
            let frame = video.encoded(origin, chunk, now())?;
            self.queue.input(Input::FrameEncoded(frame));
        }
        Ok(())
    }

    pub(super) fn video_encoder_failed(&mut self, track: Track, codec: Codec) {
        if let Some(video) = self.videos.get_mut(&track)
            && !video.encoder_failed(codec)
        {
            self.queue.push(Work::SourceFailed(track));
        }
    }

    pub(super) fn sound_on(&mut self, track: Track, port: MessagePort) -> Result<(), Exception> {
        let config = self.support.opus(track);
        let sound = SoundSource::new(track, port, &config, &self.queue)
            .inspect_err(|_| self.queue.push(Work::SourceFailed(track)))?;
        self.stop_sound(track);
        self.sounds.insert(track, sound);
        self.queue.input(Input::Publishing { track, on: true });
        Ok(())
    }

    pub(super) fn sound_off(&mut self, track: Track) {
        self.stop_sound(track);
        self.queue.input(Input::Publishing { track, on: false });
    }

    pub(super) fn sound(
        &mut self,
        track: Track,
        samples: &Float32Array,
        time_us: f64,
        level: f32,
    ) -> Result<(), Exception> {
        if let Some(sound) = self.sounds.get_mut(&track)
            && let Some(speaking) = sound.sound(samples, time_us, level, now())?
        {
            self.queue.input(Input::Speaking(speaking));
        }
        Ok(())
    }

    pub(super) fn audio_chunk(
        &mut self,
        track: Track,
        chunk: &EncodedAudioChunk,
    ) -> Result<(), Exception> {
        if let Some(sound) = self.sounds.get(&track) {
            let frame = sound.encoded(chunk, now())?;
            self.queue.input(Input::FrameEncoded(frame));
        }
        Ok(())
    }

    /// RMS from 0 to 1; `None` while it is off.
    pub(super) fn microphone_level(&self) -> Option<f32> {
        let microphone = self.sounds.get(&Track::Microphone);
        microphone.map(SoundSource::level)
    }

    fn stop_sound(&mut self, track: Track) {
        let spoke = self.sounds.remove(&track).is_some_and(SoundSource::stop);
        if spoke {
            self.queue.input(Input::Speaking(false));
        }
    }
}
