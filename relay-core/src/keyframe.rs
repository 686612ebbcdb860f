//! Merging of keyframe requests, so that a publisher is asked once for many receivers.

use std::collections::BTreeMap;
use std::time::Duration;

use videocall_types::{SessionId, Timestamp};

use crate::forward::TrackId;

/// Lets one request per track and interval through. One that is held back goes out when the interval ends, unless a
/// keyframe has passed by then.
#[derive(Debug)]
pub struct KeyframeRequests {
    interval: Duration,
    asked: BTreeMap<TrackId, Timestamp>,
    held_back: BTreeMap<TrackId, Timestamp>,
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

    /// Somebody needs a keyframe of `track`. True: ask for it now.
    pub fn request(&mut self, track: TrackId, now: Timestamp) -> bool {
        match self.asked.get(&track).map(|asked| *asked + self.interval) {
            Some(free) if free > now => {
                self.held_back.insert(track, free);
                false
            }
            _ => {
                self.asked.insert(track, now);
                self.held_back.remove(&track);
                true
            }
        }
    }

    /// A keyframe of `track` was forwarded.
    pub fn passed(&mut self, track: TrackId) {
        self.held_back.remove(&track);
    }

    /// `session` has left.
    pub fn forget(&mut self, session: SessionId) {
        self.asked.retain(|track, _| track.session != session);
        self.held_back.retain(|track, _| track.session != session);
    }

    /// When [`due`](Self::due) has something.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.held_back.values().min().copied()
    }

    /// A track whose held-back request goes out now.
    pub fn due(&mut self, now: Timestamp) -> Option<TrackId> {
        let track = *self.held_back.iter().find(|(_, free)| **free <= now)?.0;
        self.held_back.remove(&track);
        self.asked.insert(track, now);
        Some(track)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use videocall_types::Track;

    const TRACK: TrackId = TrackId {
        session: SessionId::new(1).unwrap(),
        track: Track::Camera,
    };

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_request_that_is_held_back_goes_out_once() {
        let mut requests = KeyframeRequests::new(Duration::from_millis(300));
        assert!(requests.request(TRACK, at(0)));
        assert!(!requests.request(TRACK, at(10)));
        assert!(!requests.request(TRACK, at(299)));
        assert_eq!(requests.poll_timeout(), Some(at(300)));
        assert_eq!(requests.due(at(299)), None);
        assert_eq!(requests.due(at(300)), Some(TRACK));
        assert_eq!(requests.due(at(300)), None);
        assert_eq!(requests.poll_timeout(), None);
        assert!(!requests.request(TRACK, at(301)));
    }

    #[test]
    fn a_keyframe_that_passes_settles_it() {
        let mut requests = KeyframeRequests::new(Duration::from_millis(300));
        requests.request(TRACK, at(0));
        requests.request(TRACK, at(10));
        requests.passed(TRACK);
        assert_eq!(requests.poll_timeout(), None);
        assert!(requests.request(TRACK, at(300)));
    }

    #[test]
    fn tracks_do_not_share_an_interval() {
        let mut requests = KeyframeRequests::new(Duration::from_millis(300));
        assert!(requests.request(TRACK, at(0)));
        assert!(requests.request(
            TrackId {
                track: Track::Screen,
                ..TRACK
            },
            at(0)
        ));
        requests.forget(TRACK.session);
        assert!(requests.request(TRACK, at(1)));
    }
}
