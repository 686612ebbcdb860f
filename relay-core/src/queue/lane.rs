//! Packets of one priority, oldest first.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use videocall_types::{Routing, SessionId, Timestamp};

use crate::forward::LayerId;

/// What the queue knows of a video frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) layer: LayerId,
    pub(super) sequence: u64,
    pub(super) keyframe: bool,
    pub(super) discardable: bool,
    pub(super) temporal_layer: u8,
    reference: u32,
}

impl Frame {
    pub(super) const fn new(session: SessionId, routing: &Routing) -> Self {
        Self {
            layer: LayerId::of(session, routing),
            sequence: routing.sequence,
            keyframe: routing.keyframe,
            discardable: routing.discardable,
            temporal_layer: routing.temporal_layer,
            reference: routing.reference,
        }
    }

    /// The newest frame that it refers to; `None` if there is no such number. Says nothing of a keyframe.
    pub(super) const fn reference(&self) -> Option<u64> {
        self.sequence.checked_sub(self.reference as u64)
    }
}

#[derive(Debug)]
pub(super) struct Entry<T> {
    pub(super) item: T,
    pub(super) len: usize,
    pub(super) at: Timestamp,
    /// For video.
    pub(super) frame: Option<Frame>,
}

#[derive(Debug)]
pub(super) struct Lane<T> {
    entries: VecDeque<Entry<T>>,
    bytes: usize,
    max_age: Option<Duration>,
}

impl<T> Lane<T> {
    pub(super) const fn new(max_age: Option<Duration>) -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            max_age,
        }
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How long the oldest one has waited.
    pub(super) fn age(&self, now: Timestamp) -> Duration {
        let front = self.entries.front();
        front.map_or(Duration::ZERO, |entry| now - entry.at)
    }

    pub(super) fn push(&mut self, entry: Entry<T>) {
        self.bytes += entry.len;
        self.entries.push_back(entry);
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let entry = self.entries.pop_front()?;
        self.bytes -= entry.len;
        Some(entry.item)
    }

    /// Drops what is expired, and says how many that was. Not for video.
    pub(super) fn drop_expired(&mut self, now: Timestamp) -> usize {
        let mut dropped = 0;
        while self.front_is_expired(now) {
            self.pop();
            dropped += 1;
        }
        dropped
    }

    /// The oldest frame, if it is expired.
    pub(super) fn expired_frame(&self, now: Timestamp) -> Option<Frame> {
        if self.front_is_expired(now) {
            self.entries.front()?.frame
        } else {
            None
        }
    }

    /// The oldest frame of the layer that has the most bytes here.
    pub(super) fn first_of_largest_layer(&self) -> Option<Frame> {
        let mut sizes: BTreeMap<LayerId, usize> = BTreeMap::new();
        for (frame, len) in self
            .entries
            .iter()
            .filter_map(|entry| Some((entry.frame?, entry.len)))
        {
            *sizes.entry(frame.layer).or_default() += len;
        }
        let (largest, _) = sizes.into_iter().max_by_key(|(_, bytes)| *bytes)?;
        self.entries
            .iter()
            .filter_map(|entry| entry.frame)
            .find(|frame| frame.layer == largest)
    }

    /// Takes out the frames that `doomed` picks, asked in order.
    pub(super) fn remove_if(&mut self, mut doomed: impl FnMut(&Frame) -> bool) -> Vec<Frame> {
        let mut removed = Vec::new();
        let mut bytes = 0;
        self.entries.retain(|entry| {
            let frame = entry.frame.filter(&mut doomed);
            removed.extend(frame);
            bytes += if frame.is_some() { entry.len } else { 0 };
            frame.is_none()
        });
        self.bytes -= bytes;
        removed
    }

    fn front_is_expired(&self, now: Timestamp) -> bool {
        match (self.max_age, self.entries.front()) {
            (Some(max_age), Some(front)) => now - front.at > max_age,
            _ => false,
        }
    }
}
