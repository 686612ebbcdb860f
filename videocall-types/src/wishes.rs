//! Which video tracks a receiver shows.

use std::collections::BTreeMap;

use crate::id::SessionId;
use crate::limits::MAX_WISHES;
use crate::proto::control as wire;
use crate::routing::Track;

/// Rows of pixels: as many as there are.
pub const FULL_HEIGHT: u32 = u32::MAX;

/// The video tracks that a receiver shows, each with the rows of pixels that it takes on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// Heights by track; [`FULL_HEIGHT`] where it is unknown.
    pub shown: BTreeMap<(SessionId, Track), u32>,
    /// Tracks that are not named are wanted as well, in full.
    pub others: bool,
}

impl Wishes {
    /// Of a receiver that has said nothing.
    #[must_use]
    pub const fn everything() -> Self {
        Self {
            shown: BTreeMap::new(),
            others: true,
        }
    }

    /// Of nobody.
    #[must_use]
    pub const fn nothing() -> Self {
        Self {
            shown: BTreeMap::new(),
            others: false,
        }
    }

    /// Rows of pixels that are wanted of a track; `None`: nothing of it.
    #[must_use]
    pub fn height(&self, session: SessionId, track: Track) -> Option<u32> {
        let named = self.shown.get(&(session, track)).copied();
        named.or(self.others.then_some(FULL_HEIGHT))
    }

    /// Whether anything of a track is wanted.
    #[must_use]
    pub fn want(&self, session: SessionId, track: Track) -> bool {
        self.others || self.shown.contains_key(&(session, track))
    }

    /// Reads what a client says. `None` if it is not valid: sound, nobody's track, or more than [`MAX_WISHES`].
    #[must_use]
    pub fn from_wire(message: &wire::Wishes) -> Option<Self> {
        if message.shown.len() > MAX_WISHES {
            return None;
        }
        Some(Self {
            shown: message.shown.iter().map(read_wish).collect::<Option<_>>()?,
            others: message.others,
        })
    }

    /// The wire message.
    #[must_use]
    pub fn to_wire(&self) -> wire::Wishes {
        let wish = |((session, track), height): (&(SessionId, Track), &u32)| {
            let mut wish = wire::Wish::new();
            wish.session_id = session.get();
            wish.track = track.to_wire().into();
            wish.height = to_wire_height(*height);
            wish
        };
        let mut message = wire::Wishes::new();
        message.shown = self.shown.iter().map(wish).collect();
        message.others = self.others;
        message
    }
}

fn read_wish(wish: &wire::Wish) -> Option<((SessionId, Track), u32)> {
    let track = Track::from_wire(wish.track.enum_value().ok()?)?;
    let session = SessionId::new(wish.session_id)?;
    (!track.is_audio()).then_some(((session, track), from_wire_height(wish.height)))
}

const fn from_wire_height(height: u32) -> u32 {
    if height == 0 { FULL_HEIGHT } else { height }
}

const fn to_wire_height(height: u32) -> u32 {
    if height == FULL_HEIGHT { 0 } else { height }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: SessionId = SessionId::new(1).unwrap();
    const BOB: SessionId = SessionId::new(2).unwrap();

    #[test]
    fn wishes_are_read_as_they_were_written() {
        let wishes = Wishes {
            shown: [
                ((ADA, Track::Camera), 180),
                ((BOB, Track::Screen), FULL_HEIGHT),
            ]
            .into(),
            others: false,
        };
        assert_eq!(Wishes::from_wire(&wishes.to_wire()), Some(wishes.clone()));
        assert_eq!(wishes.height(ADA, Track::Camera), Some(180));
        assert_eq!(wishes.height(ADA, Track::Screen), None);
        let open = Wishes {
            others: true,
            ..wishes
        };
        assert_eq!(open.height(ADA, Track::Camera), Some(180));
        assert_eq!(open.height(ADA, Track::Screen), Some(FULL_HEIGHT));
    }

    #[test]
    fn what_is_no_video_of_anybody_is_not_wished_for() {
        let message = |session_id, track: Track| {
            let mut wish = wire::Wish::new();
            wish.session_id = session_id;
            wish.track = track.to_wire().into();
            let mut wishes = wire::Wishes::new();
            wishes.shown = vec![wish];
            wishes
        };
        assert!(Wishes::from_wire(&message(1, Track::Camera)).is_some());
        assert_eq!(Wishes::from_wire(&message(0, Track::Camera)), None);
        assert_eq!(Wishes::from_wire(&message(1, Track::Microphone)), None);
        let mut many = message(1, Track::Camera);
        many.shown = vec![many.shown[0].clone(); MAX_WISHES + 1];
        assert_eq!(Wishes::from_wire(&many), None);
    }
}
