//! Decoding what others send.

mod audio;
mod video;

pub(super) use audio::{Place, samples};

use std::collections::BTreeMap;

use media_core::Input;
use media_core::frame::RemoteFrame;
use videocall_types::{SessionId, Track};

use super::work::Queue;
use crate::error::Exception;

enum Decoder {
    Video(video::Decoder),
    Audio(audio::Decoder),
}

/// One decoder for each track of each session.
pub(super) struct Decoders {
    queue: Queue,
    tracks: BTreeMap<(SessionId, Track), Decoder>,
}

impl Decoders {
    pub(super) fn new(queue: Queue) -> Self {
        Self {
            queue,
            tracks: BTreeMap::new(),
        }
    }

    /// Gives a frame to its decoder, which is made when there is none that can take it. If that fails, there is no
    /// decoder any more, and the input is what the call must be told before it gives the next frame.
    pub(super) fn decode(&mut self, frame: &RemoteFrame) -> Option<Input> {
        let error = self.try_decode(frame).err()?;
        let RemoteFrame { session, track, .. } = *frame;
        tracing::warn!(%error, %session, ?track, "frame can't be decoded");
        self.close(session, track);
        Some(Input::DecoderFailed { session, track })
    }

    /// Whether what was decoded of this track is still wanted.
    pub(super) fn is_open(&self, session: SessionId, track: Track) -> bool {
        self.tracks.contains_key(&(session, track))
    }

    pub(super) fn close(&mut self, session: SessionId, track: Track) {
        self.tracks.remove(&(session, track));
    }

    fn try_decode(&mut self, frame: &RemoteFrame) -> Result<(), Exception> {
        let key = (frame.session, frame.track);
        if self
            .tracks
            .get(&key)
            .is_none_or(|decoder| !decoder.takes(frame))
        {
            let decoder = if frame.track.is_audio() {
                Decoder::Audio(audio::Decoder::new(frame, &self.queue)?)
            } else {
                Decoder::Video(video::Decoder::new(frame, &self.queue)?)
            };
            self.tracks.insert(key, decoder);
        }
        match self.tracks.get(&key) {
            Some(Decoder::Video(decoder)) if decoder.is_overrun() => Err(Exception {
                name: "Overrun".to_owned(),
                message: "pictures come faster than they are decoded".to_owned(),
            }),
            Some(Decoder::Video(decoder)) => decoder.decode(frame),
            Some(Decoder::Audio(decoder)) => decoder.decode(frame),
            None => Ok(()),
        }
    }
}

impl Decoder {
    fn takes(&self, frame: &RemoteFrame) -> bool {
        match self {
            Self::Video(decoder) => decoder.takes(frame.codec),
            Self::Audio(decoder) => decoder.takes(frame.codec),
        }
    }
}
