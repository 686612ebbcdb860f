//! How many earlier frames the packets of a sound shall repeat.

use std::collections::BTreeMap;

use crate::id::SessionId;
use crate::limits::{MAX_REDUNDANCY, MAX_WISHES};
use crate::proto::control as wire;
use crate::routing::Track;

/// Earlier frames in each packet, by track: 1 to [`MAX_REDUNDANCY`]. What is not named needs none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redundancy {
    /// By track.
    pub frames: BTreeMap<(SessionId, Track), u8>,
}

impl Redundancy {
    /// Reads what a client says. `None` if it is not valid: no sound, nobody's track, or more than [`MAX_WISHES`].
    #[must_use]
    pub fn from_wire(message: &wire::Redundancy) -> Option<Self> {
        if message.tracks.len() > MAX_WISHES {
            return None;
        }
        let tracks = message.tracks.iter().map(read_track);
        tracks.collect::<Option<_>>().map(Self::without_zeros)
    }

    /// Reads what a relay says. What this version can't read needs none.
    #[must_use]
    pub fn from_relay(message: &wire::Redundancy) -> Self {
        Self::without_zeros(message.tracks.iter().filter_map(read_track).collect())
    }

    /// The wire message.
    #[must_use]
    pub fn to_wire(&self) -> wire::Redundancy {
        let track = |((session, track), frames): (&(SessionId, Track), &u8)| {
            let mut message = wire::TrackRedundancy::new();
            message.session_id = session.get();
            message.track = track.to_wire().into();
            message.frames = u32::from(*frames);
            message
        };
        let mut message = wire::Redundancy::new();
        message.tracks = self.frames.iter().map(track).collect();
        message
    }

    fn without_zeros(mut frames: BTreeMap<(SessionId, Track), u8>) -> Self {
        frames.retain(|_, frames| *frames > 0);
        Self { frames }
    }
}

fn read_track(message: &wire::TrackRedundancy) -> Option<((SessionId, Track), u8)> {
    let track = Track::from_wire(message.track.enum_value().ok()?)?;
    let session = SessionId::new(message.session_id)?;
    let frames = u8::try_from(message.frames).map_or(MAX_REDUNDANCY, |n| n.min(MAX_REDUNDANCY));
    track.is_audio().then_some(((session, track), frames))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: SessionId = SessionId::new(1).unwrap();

    #[test]
    fn it_is_read_as_it_was_written() {
        let redundancy = Redundancy {
            frames: [
                ((ADA, Track::Microphone), 2),
                ((ADA, Track::ScreenAudio), 1),
            ]
            .into(),
        };
        let wire = redundancy.to_wire();
        assert_eq!(Redundancy::from_wire(&wire), Some(redundancy.clone()));
        assert_eq!(Redundancy::from_relay(&wire), redundancy);
    }

    #[test]
    fn nobody_gets_more_than_there_is_and_pictures_none() {
        let message = |track: Track, frames| {
            let mut one = wire::TrackRedundancy::new();
            one.session_id = 1;
            one.track = track.to_wire().into();
            one.frames = frames;
            let mut message = wire::Redundancy::new();
            message.tracks = vec![one];
            message
        };
        let read = |frames| {
            let read = Redundancy::from_wire(&message(Track::Microphone, frames)).unwrap();
            read.frames.get(&(ADA, Track::Microphone)).copied()
        };
        assert_eq!([0, 1, 300].map(read), [None, Some(1), Some(MAX_REDUNDANCY)]);
        assert_eq!(Redundancy::from_wire(&message(Track::Camera, 1)), None);
        let mut many = message(Track::Microphone, 1);
        many.tracks = vec![many.tracks[0].clone(); MAX_WISHES + 1];
        assert_eq!(Redundancy::from_wire(&many), None);
    }
}
