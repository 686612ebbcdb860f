//! How much of each video track anybody shows, and what publishers were told of it.

use std::collections::BTreeMap;
use std::time::Duration;

use videocall_types::wishes::FULL_HEIGHT;
use videocall_types::{SessionId, Timestamp, Track, Wishes};

use crate::forward::TrackId;

/// The wishes of many receivers together.
#[derive(Debug, Default)]
pub(crate) struct Union {
    /// Receivers that want what they do not name.
    open: usize,
    named: BTreeMap<(SessionId, Track), Named>,
}

#[derive(Debug, Default)]
struct Named {
    height: u32,
    /// Receivers that name it and want what they do not name.
    open: usize,
}

impl Union {
    /// Adds the wishes of one receiver. `own`: its session, whose tracks it does not get, whatever it wishes.
    pub(crate) fn add(&mut self, wishes: &Wishes, own: Option<SessionId>) {
        self.open += usize::from(wishes.others);
        for (key, height) in &wishes.shown {
            if Some(key.0) != own {
                let named = self.named.entry(*key).or_default();
                named.height = named.height.max(*height);
                named.open += usize::from(wishes.others);
            }
        }
    }

    /// What all want of a track, besides its publisher if that is one of them; see [`Wishes::height`].
    pub(crate) fn height(&self, track: &TrackId, publisher: Option<&Wishes>) -> Option<u32> {
        let open = self.open - usize::from(publisher.is_some_and(|wishes| wishes.others));
        match self.named.get(&(track.session, track.track)) {
            Some(named) if named.open >= open => Some(named.height),
            None if open == 0 => None,
            Some(_) | None => Some(FULL_HEIGHT),
        }
    }

    /// As the wishes of one receiver, about the tracks of sessions that `counts`.
    pub(crate) fn to_wishes(&self, counts: impl Fn(SessionId) -> bool) -> Wishes {
        let named = self.named.iter();
        Wishes {
            shown: named
                .filter(|((session, _), named)| counts(*session) && named.open >= self.open)
                .map(|(key, named)| (*key, named.height))
                .collect(),
            others: self.open > 0,
        }
    }
}

/// What publishers were told. More is told at once, less only when it lasts: a picture that is hidden for a moment shall
/// not need a keyframe.
#[derive(Debug)]
pub(crate) struct Demand {
    hold: Duration,
    /// `None`: nobody shows it. A track that is not here was never told of: its publisher sends all of it.
    told: BTreeMap<TrackId, Option<u32>>,
    review_at: Option<Timestamp>,
}

impl Demand {
    pub(crate) const fn new(hold: Duration) -> Self {
        Self {
            hold,
            told: BTreeMap::new(),
            review_at: None,
        }
    }

    /// Something has changed that may lower the demand.
    pub(crate) fn doubt(&mut self, now: Timestamp) {
        self.review_at.get_or_insert(now + self.hold);
    }

    /// When to compare what was told with what is wanted.
    pub(crate) const fn poll_timeout(&self) -> Option<Timestamp> {
        self.review_at
    }

    /// Whether that time has come. It comes once.
    pub(crate) fn is_due(&mut self, now: Timestamp) -> bool {
        self.review_at.take_if(|at| *at <= now).is_some()
    }

    /// Whether a publisher was told that nobody shows the track.
    pub(crate) fn is_paused(&self, track: &TrackId) -> bool {
        matches!(self.told.get(track), Some(None))
    }

    /// Somebody wants so much of it. True: the publisher has to be told.
    pub(crate) fn raise(&mut self, track: TrackId, height: u32) -> bool {
        match self.told.get(&track) {
            Some(told) if *told < Some(height) => {
                self.told.insert(track, Some(height));
                true
            }
            Some(_) | None => false,
        }
    }

    /// So much of it is wanted in all. True: the publisher has to be told.
    pub(crate) fn set(&mut self, track: TrackId, height: Option<u32>) -> bool {
        let told = self.told.insert(track, height);
        told.unwrap_or(Some(FULL_HEIGHT)) != height
    }

    /// `session` has left.
    pub(crate) fn forget(&mut self, session: SessionId) {
        self.told.retain(|track, _| track.session != session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: SessionId = SessionId::new(1).unwrap();
    const BOB: SessionId = SessionId::new(2).unwrap();

    const fn camera(session: SessionId) -> TrackId {
        TrackId {
            session,
            track: Track::Camera,
        }
    }

    fn shows(others: bool, shown: &[(SessionId, u32)]) -> Wishes {
        let shown = shown.iter();
        Wishes {
            shown: shown
                .map(|(session, height)| ((*session, Track::Camera), *height))
                .collect(),
            others,
        }
    }

    #[test]
    fn the_largest_picture_counts() {
        let mut union = Union::default();
        union.add(&shows(false, &[(ADA, 180), (BOB, 180)]), None);
        union.add(&shows(false, &[(ADA, 720)]), None);
        assert_eq!(union.height(&camera(ADA), None), Some(720));
        assert_eq!(union.height(&camera(BOB), None), Some(180));
        assert_eq!(
            union.to_wishes(|session| session == BOB),
            shows(false, &[(BOB, 180)])
        );
    }

    #[test]
    fn who_wants_what_is_not_named_wants_all_of_that() {
        let mut union = Union::default();
        let open = shows(true, &[(ADA, 180)]);
        union.add(&open, Some(BOB));
        assert_eq!(union.height(&camera(ADA), None), Some(180));
        // Bob is the only one.
        assert_eq!(union.height(&camera(BOB), Some(&open)), None);
        union.add(&Wishes::everything(), None);
        assert_eq!(union.height(&camera(ADA), None), Some(FULL_HEIGHT));
        assert_eq!(union.height(&camera(BOB), Some(&open)), Some(FULL_HEIGHT));
        assert_eq!(union.to_wishes(|_| true), Wishes::everything());
    }

    #[test]
    fn nobody_asks_for_the_own_picture() {
        let mut union = Union::default();
        union.add(&shows(false, &[(ADA, 720)]), Some(ADA));
        assert_eq!(union.height(&camera(ADA), None), None);
    }

    #[test]
    fn only_what_changes_is_told() {
        let mut demand = Demand::new(Duration::from_secs(1));
        let track = camera(ADA);
        assert!(!demand.raise(track, 720), "it sends all already");
        assert!(demand.set(track, Some(180)));
        assert!(!demand.set(track, Some(180)));
        assert!(!demand.raise(track, 180));
        assert!(demand.set(track, None) && demand.is_paused(&track));
        assert!(demand.raise(track, 180) && !demand.is_paused(&track));
        demand.forget(ADA);
        assert!(!demand.set(track, Some(FULL_HEIGHT)));
    }

    #[test]
    fn a_review_comes_once_and_not_later_for_another_doubt() {
        let at = Timestamp::from_millis;
        let mut demand = Demand::new(Duration::from_secs(1));
        demand.doubt(at(0));
        demand.doubt(at(900));
        assert_eq!(demand.poll_timeout(), Some(at(1_000)));
        assert!(!demand.is_due(at(999)));
        assert!(demand.is_due(at(1_000)) && !demand.is_due(at(1_000)));
    }
}
