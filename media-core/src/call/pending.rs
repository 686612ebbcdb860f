//! Frames of sessions that the relay has not named yet: media and presence travel on different streams, so that the
//! first keyframe of a newcomer may overtake the newcomer's name.

use std::collections::VecDeque;
use std::time::Duration;

use videocall_types::{SessionId, Timestamp};

use crate::frame::RemoteFrame;

const MAX_FRAMES: usize = 64;
const MAX_BYTES: usize = 2_000_000;
const MAX_AGE: Duration = Duration::from_secs(2);

/// The newest of them, in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Pending {
    frames: VecDeque<(Timestamp, RemoteFrame)>,
    bytes: usize,
}

impl Pending {
    pub(super) fn hold(&mut self, frame: RemoteFrame, now: Timestamp) {
        self.bytes += frame.data.len();
        self.frames.push_back((now, frame));
        self.trim(now);
    }

    /// Takes what `session` sent, in order of arrival.
    pub(super) fn take(&mut self, session: SessionId, now: Timestamp) -> Vec<RemoteFrame> {
        self.trim(now);
        let (taken, kept) = std::mem::take(&mut self.frames)
            .into_iter()
            .partition(|(_, frame)| frame.session == session);
        self.frames = kept;
        let taken: VecDeque<(Timestamp, RemoteFrame)> = taken;
        self.bytes -= taken
            .iter()
            .map(|(_, frame)| frame.data.len())
            .sum::<usize>();
        taken.into_iter().map(|(_, frame)| frame).collect()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn trim(&mut self, now: Timestamp) {
        while self.frames.len() > MAX_FRAMES
            || self.bytes > MAX_BYTES
            || self
                .frames
                .front()
                .is_some_and(|(at, _)| now - *at > MAX_AGE)
        {
            let Some((_, frame)) = self.frames.pop_front() else {
                break;
            };
            self.bytes -= frame.data.len();
        }
    }
}
