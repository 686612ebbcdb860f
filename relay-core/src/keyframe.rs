//! Merging of keyframe requests, so that a publisher is asked once for many receivers.

use std::collections::BTreeMap;
use std::time::Duration;

use videocall_types::{LayerSet, SessionId, Timestamp};

use crate::forward::{LayerId, TrackId};

/// Lets one request per layer and interval through. One that is held back goes out when the interval ends, unless a
/// keyframe has passed by then.
#[derive(Debug)]
pub struct KeyframeRequests {
    interval: Duration,
    asked: BTreeMap<LayerId, Timestamp>,
    held_back: BTreeMap<LayerId, Timestamp>,
}

impl KeyframeRequests {
    /// No requests yet.
    #[must_use]
    pub const fn new(interval: Duration) -> Self {
        Self {
            interval,
            asked: BTreeMap::new(),
            held_back: BTreeMap::new(),
        }
    }

    /// Somebody needs a keyframe of `layer`. True: ask for it now.
    pub fn request(&mut self, layer: LayerId, now: Timestamp) -> bool {
        match self.asked.get(&layer).map(|asked| *asked + self.interval) {
            Some(free) if free > now => {
                self.held_back.insert(layer, free);
                false
            }
            _ => {
                self.asked.insert(layer, now);
                self.held_back.remove(&layer);
                true
            }
        }
    }

    /// A keyframe of `layer` was forwarded.
    pub fn passed(&mut self, layer: LayerId) {
        self.held_back.remove(&layer);
    }

    /// Of `track`, these layers are sent and no others.
    pub fn sent(&mut self, track: TrackId, layers: LayerSet) {
        self.held_back
            .retain(|held, _| held.track != track || layers.contains(held.spatial_layer));
    }

    /// `session` has left.
    pub fn forget(&mut self, session: SessionId) {
        self.asked.retain(|layer, _| layer.track.session != session);
        self.held_back
            .retain(|layer, _| layer.track.session != session);
    }

    /// When [`due`](Self::due) has something.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.held_back.values().min().copied()
    }

    /// A layer whose held-back request goes out now.
    pub fn due(&mut self, now: Timestamp) -> Option<LayerId> {
        let layer = *self.held_back.iter().find(|(_, free)| **free <= now)?.0;
        self.held_back.remove(&layer);
        self.asked.insert(layer, now);
        Some(layer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use videocall_types::Track;

    const LAYER: LayerId = LayerId {
        track: TrackId {
            session: SessionId::new(1).unwrap(),
            track: Track::Camera,
        },
        spatial_layer: 0,
    };

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_request_that_is_held_back_goes_out_once() {
        let mut requests = KeyframeRequests::new(Duration::from_millis(300));
        assert!(requests.request(LAYER, at(0)));
        assert!(!requests.request(LAYER, at(10)));
        assert!(!requests.request(LAYER, at(299)));
        assert_eq!(requests.poll_timeout(), Some(at(300)));
        assert_eq!(requests.due(at(299)), None);
        assert_eq!(requests.due(at(300)), Some(LAYER));
        assert_eq!(requests.due(at(300)), None);
        assert_eq!(requests.poll_timeout(), None);
        assert!(!requests.request(LAYER, at(301)));
    }

    #[test]
    fn a_keyframe_that_passes_settles_it() {
        let mut requests = KeyframeRequests::new(Duration::from_millis(300));
        requests.request(LAYER, at(0));
        requests.request(LAYER, at(10));
        requests.passed(LAYER);
        assert_eq!(requests.poll_timeout(), None);
        assert!(requests.request(LAYER, at(300)));
    }

    #[test]
    fn layers_do_not_share_an_interval() {
        let mut requests = KeyframeRequests::new(Duration::from_millis(300));
        assert!(requests.request(LAYER, at(0)));
        assert!(requests.request(
            LayerId {
                spatial_layer: 1,
                ..LAYER
            },
            at(0)
        ));
        requests.forget(LAYER.track.session);
        assert!(requests.request(LAYER, at(1)));
    }
}
