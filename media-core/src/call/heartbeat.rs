//! Telling the relay what we publish: at once when it changes, and again every second.

use std::time::Duration;

use videocall_types::{Timestamp, Track};

const INTERVAL: Duration = Duration::from_secs(1);

/// What others are told of our tracks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MediaState {
    pub(super) camera: bool,
    pub(super) microphone: bool,
    pub(super) screen: bool,
    pub(super) speaking: bool,
}

impl MediaState {
    /// Sets what is told of `track`. The sound of a screen is not told apart from it.
    pub(super) fn set(&mut self, track: Track, on: bool) {
        match track {
            Track::Camera => self.camera = on,
            Track::Microphone => self.microphone = on,
            Track::Screen => self.screen = on,
            Track::ScreenAudio => {}
        }
    }
}

/// When the next heartbeat is due.
#[derive(Debug)]
pub(super) struct Heartbeat {
    next: Timestamp,
}

impl Heartbeat {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { next: now }
    }

    /// The state has changed.
    pub(super) fn hurry(&mut self, now: Timestamp) {
        self.next = now;
    }

    /// Whether to send one now.
    pub(super) fn is_due(&mut self, now: Timestamp) -> bool {
        let due = now >= self.next;
        if due {
            self.next = now + INTERVAL;
        }
        due
    }

    pub(super) fn poll_timeout(&self) -> Timestamp {
        self.next
    }
}
