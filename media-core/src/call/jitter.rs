//! The video jitter buffer of one track: frames in any order in, decodable frames in order out.
//!
//! The frames are those of one simulcast layer, until a keyframe of another one comes.
//!
//! A frame that follows the last one leaves at once, or after the short hold of [`Arrival`]. A keyframe leaves whatever
//! is missing before it. A delta without its reference never leaves: it waits for the missing frames or for a keyframe,
//! and a keyframe is wished for when that takes too long.

use std::collections::BTreeMap;
use std::time::Duration;

use videocall_types::{Codec, LayerSet, Recent, Timestamp};

use super::arrival::Arrival;
use super::behind::Behind;
use crate::event::Drops;
use crate::frame::RemoteFrame;

/// Missing frames are late ones at first, and lost ones after this time.
const LATE: Duration = Duration::from_millis(100);
/// Frames that wait for a lost one are of no use after this time.
const STALE: Duration = Duration::from_secs(1);
/// A track that is published and shows nothing is asked for a keyframe after this time.
const SHOULD_HAVE_STARTED: Duration = Duration::from_secs(1);
const MAX_FRAMES: usize = 128;
const MAX_BYTES: usize = 2_000_000;
/// A jump over more frames than this is a new count, not a loss.
const MAX_LOSS: u64 = 10_000;

#[derive(Debug)]
pub(super) struct JitterBuffer {
    /// By layer and sequence.
    held: BTreeMap<(u8, u64), Held>,
    held_bytes: usize,
    arrivals: u64,
    /// The newest frame that left; older ones of its layer are late.
    last: Option<Last>,
    need: Need,
    arrival: Arrival,
    behind: Behind,
    drops: Drops,
    /// Frames after the last one that came and were dropped, so that they are not lost.
    dropped_since: u64,
}

#[derive(Debug)]
struct Held {
    frame: RemoteFrame,
    due: Timestamp,
    /// How many came before.
    arrival: u64,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    layer: u8,
    capture_time_us: u64,
    codec: Codec,
    /// What the decoder has of its layer; nothing, when it has lost all.
    decoded: Recent,
}

impl Last {
    /// After a keyframe the decoder has nothing else.
    const fn keyframe(frame: &RemoteFrame) -> Self {
        Self {
            layer: frame.spatial_layer,
            capture_time_us: frame.capture_time_us,
            codec: frame.codec,
            decoded: Recent::only(frame.sequence),
        }
    }

    /// A later frame of the layer leaves.
    fn advance(&mut self, frame: &RemoteFrame) {
        self.decoded.advance(frame.sequence, true);
        self.capture_time_us = frame.capture_time_us;
    }

    const fn sequence(&self) -> u64 {
        self.decoded.newest()
    }

    /// Whether the decoder has what a later frame of the layer refers to.
    fn has_reference_of(&self, frame: &RemoteFrame) -> bool {
        let reference = frame.sequence.checked_sub(frame.reference.into());
        reference.is_some_and(|reference| self.decoded.contains(reference))
    }
}

/// What the buffer waits for.
#[derive(Clone, Copy, Debug)]
enum Need {
    Nothing,
    /// Frames are held since then, because one before them is missing.
    Missing {
        since: Timestamp,
    },
    /// The first frame should be there by then.
    First {
        by: Timestamp,
    },
    /// Nothing goes on without a keyframe. Frames that are held are of no use from `stale_at` on.
    Keyframe {
        stale_at: Option<Timestamp>,
    },
}

impl JitterBuffer {
    pub(super) fn new() -> Self {
        Self {
            held: BTreeMap::new(),
            held_bytes: 0,
            arrivals: 0,
            last: None,
            need: Need::Nothing,
            arrival: Arrival::default(),
            behind: Behind::default(),
            drops: Drops::default(),
            dropped_since: 0,
        }
    }

    /// The sender says that it publishes.
    pub(super) fn expect_frames(&mut self, now: Timestamp) {
        if !self.is_intact() && matches!(self.need, Need::Nothing) {
            self.need = Need::First {
                by: now + SHOULD_HAVE_STARTED,
            };
        }
    }

    /// The decoder has lost its references.
    pub(super) fn decoder_lost(&mut self) {
        self.drop_held();
        if let Some(last) = &mut self.last {
            last.decoded.clear();
        }
        self.need = Need::Keyframe { stale_at: None };
    }

    /// The next frame may be any: of another connection or another start of the sender.
    pub(super) fn restart(&mut self) {
        self.drop_held();
        self.dropped_since = 0;
        self.last = None;
        self.need = Need::Nothing;
    }

    pub(super) fn insert(&mut self, frame: RemoteFrame, now: Timestamp) {
        match self.last {
            Some(last) if last.layer != frame.spatial_layer => {
                // What is left of another layer is of no use.
                if !frame.keyframe && !self.goes_over_to(frame.spatial_layer) {
                    return;
                }
            }
            Some(last) if frame.sequence <= last.sequence() => {
                let captured_later = frame.capture_time_us > last.capture_time_us;
                if !self
                    .behind
                    .is_restart(last.sequence() - frame.sequence, captured_later)
                {
                    if !last.decoded.contains(frame.sequence) {
                        count(&mut self.drops.late, 1);
                    }
                    return;
                }
                self.restart();
            }
            Some(_) | None => self.behind.ahead(),
        }
        let key = (frame.spatial_layer, frame.sequence);
        if self.held.contains_key(&key) {
            return;
        }
        let due = now + self.arrival.hold(frame.capture_time_us, now);
        self.held_bytes += frame.data.len();
        self.arrivals += 1;
        let held = Held {
            frame,
            due,
            arrival: self.arrivals,
        };
        self.held.insert(key, held);
        if self.held.len() > MAX_FRAMES || self.held_bytes > MAX_BYTES {
            self.decoder_lost();
        }
    }

    /// The next frame to decode, if it is due. Call it until it returns `None`.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<RemoteFrame> {
        while let Some((key, due)) = self.next() {
            if due > now {
                return None;
            }
            let Some(Held { frame, .. }) = self.take(key) else {
                break;
            };
            match &mut self.last {
                Some(last) if !frame.keyframe => {
                    if last.codec != frame.codec {
                        self.decoder_lost();
                        continue;
                    }
                    last.advance(&frame);
                }
                last => *last = Some(Last::keyframe(&frame)),
            }
            self.need = Need::Nothing;
            return Some(frame);
        }
        self.wait(now);
        None
    }

    /// Whether nothing goes on without a keyframe, and none has arrived.
    pub(super) fn needs_keyframe(&self) -> bool {
        matches!(self.need, Need::Keyframe { .. }) && self.next().is_none()
    }

    /// When to call [`pop`](Self::pop) again if nothing arrives.
    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        if let Some((_, due)) = self.next() {
            return Some(due);
        }
        match self.need {
            Need::Missing { since } => Some(since + LATE),
            Need::First { by } => Some(by),
            Need::Keyframe { stale_at } => stale_at,
            Need::Nothing => None,
        }
    }

    /// Frames that did not leave, since the last call.
    pub(super) fn take_drops(&mut self) -> Drops {
        std::mem::take(&mut self.drops)
    }

    pub(super) fn jitter_ms(&self) -> f64 {
        self.arrival.jitter_ms()
    }

    /// Whether a keyframe of another layer has come, from which its frames follow.
    fn goes_over_to(&self, layer: u8) -> bool {
        let mut held = self.held.range((layer, 0)..=(layer, u64::MAX));
        held.any(|(_, held)| held.frame.keyframe)
    }

    fn is_intact(&self) -> bool {
        self.last.is_some_and(|last| !last.decoded.is_empty())
    }

    /// The frame that may leave next, and when: of those that can be decoded the one that came first, so that what came
    /// before the keyframe of another layer goes before it.
    fn next(&self) -> Option<((u8, u64), Timestamp)> {
        let following = self.last.and_then(|last| {
            let later = (last.layer, last.sequence().checked_add(1)?);
            let mut held = self.held.range(later..=(last.layer, u64::MAX));
            held.find(|(_, held)| !held.frame.keyframe && last.has_reference_of(&held.frame))
        });
        let keyframes = self.held.iter().filter(|(_, held)| held.frame.keyframe);
        following
            .into_iter()
            .chain(keyframes)
            .min_by_key(|(key, held)| (self.is_ahead_of(following, key), held.arrival))
            .map(|(key, held)| (*key, held.due))
    }

    /// Whether a keyframe comes after the frame that follows the last one, by number.
    fn is_ahead_of(&self, following: Option<(&(u8, u64), &Held)>, key: &(u8, u64)) -> bool {
        following.is_some_and(|((layer, sequence), _)| key.0 == *layer && key.1 > *sequence)
    }

    /// Takes a frame out, and gives up what is missing before it.
    fn take(&mut self, (layer, sequence): (u8, u64)) -> Option<Held> {
        let taken = self.held.remove(&(layer, sequence))?;
        let of_layer = (layer, 0)..(layer, sequence);
        let unused = u64::try_from(self.held.range(of_layer).count()).unwrap_or(u64::MAX);
        count(&mut self.drops.no_keyframe, unused);
        if let Some(last) = self.last.filter(|last| last.layer == layer) {
            let missing = sequence.saturating_sub(last.sequence()).saturating_sub(1);
            let came = unused.saturating_add(self.dropped_since);
            if missing <= MAX_LOSS {
                // What a delta does without was left out for us.
                let reason = if taken.frame.keyframe {
                    &mut self.drops.lost
                } else {
                    &mut self.drops.left_out
                };
                count(reason, missing.saturating_sub(came));
            }
        }
        self.dropped_since = 0;
        // The keyframes with which other layers may begin later.
        let later = self.held.iter().filter(|(_, held)| {
            held.frame.keyframe && (!taken.frame.keyframe || held.arrival > taken.arrival)
        });
        let next_layers: LayerSet = later.map(|(key, _)| key.0).collect();
        self.held.retain(|key, _| {
            if key.0 == layer {
                key.1 > sequence
            } else {
                next_layers.contains(key.0)
            }
        });
        let held = self.held.values().map(|held| held.frame.data.len());
        self.held_bytes = held.sum();
        Some(taken)
    }

    /// Nothing can leave.
    fn wait(&mut self, now: Timestamp) {
        let blocked = !self.held.is_empty();
        self.need = match self.need {
            Need::Nothing | Need::First { .. } if blocked => Need::Missing { since: now },
            Need::Missing { since } if now - since >= LATE => Need::Keyframe {
                stale_at: Some(since + STALE),
            },
            Need::First { by } if now >= by => Need::Keyframe { stale_at: None },
            Need::Keyframe { stale_at: Some(at) } if now >= at => return self.decoder_lost(),
            unchanged => unchanged,
        };
    }

    fn drop_held(&mut self) {
        let layer = self.last.map(|last| last.layer);
        let of_layer = self.held.keys().filter(|key| Some(key.0) == layer);
        let came = u64::try_from(of_layer.count()).unwrap_or(u64::MAX);
        self.dropped_since = self.dropped_since.saturating_add(came);
        let all = u64::try_from(self.held.len()).unwrap_or(u64::MAX);
        count(&mut self.drops.no_keyframe, all);
        self.held.clear();
        self.held_bytes = 0;
    }
}

fn count(reason: &mut u32, frames: u64) {
    *reason = reason.saturating_add(u32::try_from(frames).unwrap_or(u32::MAX));
}
