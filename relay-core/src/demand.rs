//! Which layers of each video track anybody gets, and what publishers were told of it.

use std::collections::BTreeMap;
use std::time::Duration;

use videocall_types::{Interest, LayerSet, SessionId, Timestamp, Track};

use crate::forward::TrackId;

/// The interest of many receivers together.
#[derive(Debug, Default)]
pub(crate) struct Union {
    /// Receivers that want what they do not name.
    open: usize,
    named: BTreeMap<(SessionId, Track), Named>,
}

#[derive(Debug, Default)]
struct Named {
    layers: LayerSet,
    /// Receivers that name it and want what they do not name.
    open: usize,
}

impl Union {
    /// Adds the interest of one receiver. `own`: its session, whose tracks it does not get, whatever it wishes.
    pub(crate) fn add(&mut self, interest: &Interest, own: Option<SessionId>) {
        self.open += usize::from(interest.others);
        for (key, layers) in &interest.tracks {
            if Some(key.0) != own {
                let named = self.named.entry(*key).or_default();
                named.layers = named.layers.union(*layers);
                named.open += usize::from(interest.others);
            }
        }
    }

    /// What all want of a track, besides its publisher. `publisher_is_open`: that is one of them and wants what it does not name.
    pub(crate) fn layers(&self, track: &TrackId, publisher_is_open: bool) -> LayerSet {
        let open = self.open - usize::from(publisher_is_open);
        let nobody = Named::default();
        let named = self.named.get(&(track.session, track.track));
        named.unwrap_or(&nobody).wanted(track.track, open)
    }

    /// As the interest of one receiver, in the tracks of sessions that `counts`.
    pub(crate) fn to_interest(&self, counts: impl Fn(SessionId) -> bool) -> Interest {
        let named = self.named.iter();
        Interest {
            tracks: named
                .filter(|((session, _), _)| counts(*session))
                .map(|(key, named)| (*key, named.wanted(key.1, self.open)))
                .filter(|(_, layers)| !layers.is_empty() || self.open > 0)
                .collect(),
            others: self.open > 0,
        }
    }
}

impl Named {
    /// What all want of it, so many of whom want what they do not name.
    fn wanted(&self, track: Track, open: usize) -> LayerSet {
        if self.open < open {
            self.layers.union(LayerSet::full(track))
        } else {
            self.layers
        }
    }
}

/// What publishers were told. More is told at once, less only when it lasts: a picture that is hidden for a moment shall
/// not need a keyframe.
#[derive(Debug)]
pub(crate) struct Demand {
    hold: Duration,
    /// A track that is not here was never told of: its publisher sends the largest layer.
    told: BTreeMap<TrackId, LayerSet>,
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

    /// Somebody wants these layers. Returns what the publisher has to be told, if that is more than before.
    pub(crate) fn raise(&mut self, track: TrackId, layers: LayerSet) -> Option<LayerSet> {
        let told = self.told(&track);
        if told.covers(layers) {
            return None;
        }
        let layers = told.union(layers);
        self.told.insert(track, layers);
        Some(layers)
    }

    /// These layers are wanted in all. True: the publisher has to be told.
    pub(crate) fn set(&mut self, track: TrackId, layers: LayerSet) -> bool {
        let before = self.told(&track);
        self.told.insert(track, layers);
        before != layers
    }

    /// `session` has left.
    pub(crate) fn forget(&mut self, session: SessionId) {
        self.told.retain(|track, _| track.session != session);
    }

    fn told(&self, track: &TrackId) -> LayerSet {
        let told = self.told.get(track).copied();
        told.unwrap_or_else(|| LayerSet::full(track.track))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use videocall_types::demand::EVERYTHING;

    const ADA: SessionId = SessionId::new(1).unwrap();
    const BOB: SessionId = SessionId::new(2).unwrap();
    const FULL: u32 = 0b1000;

    const fn camera(session: SessionId) -> TrackId {
        TrackId {
            session,
            track: Track::Camera,
        }
    }

    fn wants(others: bool, tracks: &[(SessionId, u32)]) -> Interest {
        let tracks = tracks.iter();
        Interest {
            tracks: tracks
                .map(|(session, bits)| ((*session, Track::Camera), LayerSet::from_bits(*bits)))
                .collect(),
            others,
        }
    }

    #[test]
    fn every_layer_counts_that_somebody_gets() {
        let mut union = Union::default();
        union.add(&wants(false, &[(ADA, 0b1), (BOB, 0b1)]), None);
        union.add(&wants(false, &[(ADA, 0b100)]), None);
        assert_eq!(union.layers(&camera(ADA), false).bits(), 0b101);
        assert_eq!(union.layers(&camera(BOB), false).bits(), 0b1);
        assert_eq!(
            union.to_interest(|session| session == BOB),
            wants(false, &[(BOB, 0b1)])
        );
    }

    #[test]
    fn who_wants_what_is_not_named_wants_all_of_that() {
        let mut union = Union::default();
        let open = wants(true, &[(ADA, 0b1)]);
        union.add(&open, Some(BOB));
        assert_eq!(union.layers(&camera(ADA), false).bits(), 0b1);
        assert!(
            union.layers(&camera(BOB), true).is_empty(),
            "Bob is the only one"
        );
        assert_eq!(union.to_interest(|_| true), open);
        union.add(&EVERYTHING, None);
        assert_eq!(union.layers(&camera(ADA), false).bits(), FULL | 0b1);
        assert_eq!(union.layers(&camera(BOB), true).bits(), FULL);
        assert_eq!(
            union.to_interest(|_| true),
            wants(true, &[(ADA, FULL | 0b1)])
        );
    }

    #[test]
    fn nobody_asks_for_the_own_picture() {
        let mut union = Union::default();
        union.add(&wants(false, &[(ADA, 0b1)]), Some(ADA));
        assert!(union.layers(&camera(ADA), false).is_empty());
    }

    #[test]
    fn a_connection_that_does_not_carry_a_track_is_no_interest_in_it() {
        let mut union = Union::default();
        union.add(&wants(true, &[(ADA, 0)]), None);
        assert!(union.layers(&camera(ADA), false).is_empty());
        assert_eq!(union.to_interest(|_| true), wants(true, &[(ADA, 0)]));
    }

    #[test]
    fn only_what_changes_is_told() {
        let bits = LayerSet::from_bits;
        let mut demand = Demand::new(Duration::from_secs(1));
        let track = camera(ADA);
        assert_eq!(
            demand.raise(track, bits(FULL)),
            None,
            "it sends that already"
        );
        assert_eq!(demand.raise(track, bits(0b1)), Some(bits(FULL | 0b1)));
        assert!(demand.set(track, bits(0b1)));
        assert!(!demand.set(track, bits(0b1)));
        assert_eq!(demand.raise(track, bits(0b1)), None);
        assert!(demand.set(track, LayerSet::EMPTY));
        assert_eq!(demand.raise(track, bits(0b10)), Some(bits(0b10)));
        demand.forget(ADA);
        assert!(!demand.set(track, bits(FULL)));
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
