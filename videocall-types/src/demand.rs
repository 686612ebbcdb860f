//! What publishers and other relays hear of the video that is shown.

use std::collections::BTreeMap;

use crate::id::SessionId;
use crate::layers::LayerSet;
use crate::proto::{bus, control};
use crate::routing::Track;

/// The layers of a published track that anybody gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackDemand {
    /// Which track.
    pub track: Track,
    /// Its layers; empty: nobody shows it. A publisher without one of them sends the next smaller one.
    pub layers: LayerSet,
}

impl TrackDemand {
    /// Reads what a relay says. `None` if it is about no video.
    #[must_use]
    pub fn from_wire(demand: &control::TrackDemand) -> Option<Self> {
        let track = Track::from_wire(demand.track.enum_value().ok()?)?;
        (!track.is_audio()).then_some(Self {
            track,
            layers: LayerSet::from_bits(demand.layers),
        })
    }

    /// The wire message.
    #[must_use]
    pub fn to_wire(self) -> control::TrackDemand {
        let mut demand = control::TrackDemand::new();
        demand.track = self.track.to_wire().into();
        demand.layers = self.layers.bits();
        demand
    }
}

/// The video that the members of one relay get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interest {
    /// Layers by track.
    pub tracks: BTreeMap<(SessionId, Track), LayerSet>,
    /// Tracks that are not named are wanted as well, in full.
    pub others: bool,
}

/// Of a relay that has said nothing.
pub static EVERYTHING: Interest = Interest {
    tracks: BTreeMap::new(),
    others: true,
};

impl Interest {
    /// The layers of a track that are wanted.
    #[must_use]
    pub fn layers(&self, session: SessionId, track: Track) -> LayerSet {
        match self.tracks.get(&(session, track)) {
            Some(layers) => *layers,
            None if self.others => LayerSet::full(track),
            None => LayerSet::EMPTY,
        }
    }

    /// Reads what another relay says. What this version can't read is not wanted.
    #[must_use]
    pub fn from_wire(message: &bus::Interest) -> Self {
        let read = |named: &bus::TrackInterest| {
            let track = Track::from_wire(named.track.enum_value().ok()?)?;
            let session = SessionId::new(named.session_id)?;
            (!track.is_audio()).then_some(((session, track), LayerSet::from_bits(named.layers)))
        };
        Self {
            tracks: message.tracks.iter().filter_map(read).collect(),
            others: message.others,
        }
    }

    /// The wire message.
    #[must_use]
    pub fn to_wire(&self) -> bus::Interest {
        let write = |((session, track), layers): (&(SessionId, Track), &LayerSet)| {
            let mut named = bus::TrackInterest::new();
            named.session_id = session.get();
            named.track = track.to_wire().into();
            named.layers = layers.bits();
            named
        };
        let mut message = bus::Interest::new();
        message.tracks = self.tracks.iter().map(write).collect();
        message.others = self.others;
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demand_is_read_as_it_was_written() {
        for layers in [LayerSet::EMPTY, LayerSet::only(2), LayerSet::from_bits(5)] {
            let demand = TrackDemand {
                track: Track::Camera,
                layers,
            };
            assert_eq!(TrackDemand::from_wire(&demand.to_wire()), Some(demand));
        }
        assert_eq!(TrackDemand::from_wire(&control::TrackDemand::new()), None);
    }

    #[test]
    fn interest_is_read_as_it_was_written() {
        let ada = SessionId::new(1).unwrap();
        let interest = Interest {
            tracks: [((ada, Track::Camera), LayerSet::from_bits(5))].into(),
            others: false,
        };
        assert_eq!(Interest::from_wire(&interest.to_wire()), interest);
        assert_eq!(interest.layers(ada, Track::Camera).bits(), 5);
        assert!(interest.layers(ada, Track::Screen).is_empty());
        assert_eq!(EVERYTHING.layers(ada, Track::Screen), LayerSet::only(1));
    }
}
