//! The video jitter buffer of one track: frames in any order in, decodable frames in order out.
//!
//! A frame that follows the last one leaves at once, or after the short hold of [`Arrival`]. A keyframe leaves whatever
//! is missing before it. A delta without its reference never leaves: it waits for the missing frames or for a keyframe,
//! and a keyframe is wished for when that takes too long.

use std::collections::BTreeMap;
use std::time::Duration;

use videocall_types::{Codec, Timestamp};

use super::arrival::Arrival;
use super::behind::Behind;
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
    held: BTreeMap<u64, Held>,
    held_bytes: usize,
    /// The newest frame that left; older ones are late.
    last: Option<Last>,
    /// The decoder has what the frame after `last` refers to.
    intact: bool,
    need: Need,
    arrival: Arrival,
    behind: Behind,
    lost: u64,
}

#[derive(Debug)]
struct Held {
    frame: RemoteFrame,
    due: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    sequence: u64,
    capture_time_us: u64,
    codec: Codec,
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
            last: None,
            intact: false,
            need: Need::Nothing,
            arrival: Arrival::default(),
            behind: Behind::default(),
            lost: 0,
        }
    }

    /// The sender says that it publishes.
    pub(super) fn expect_frames(&mut self, now: Timestamp) {
        if !self.intact && matches!(self.need, Need::Nothing) {
            self.need = Need::First {
                by: now + SHOULD_HAVE_STARTED,
            };
        }
    }

    /// The decoder has lost its references.
    pub(super) fn decoder_lost(&mut self) {
        self.drop_held();
        self.intact = false;
        self.need = Need::Keyframe { stale_at: None };
    }

    /// The next frame may be any: of another connection or another start of the sender.
    pub(super) fn restart(&mut self) {
        self.drop_held();
        self.last = None;
        self.intact = false;
        self.need = Need::Nothing;
    }

    pub(super) fn insert(&mut self, frame: RemoteFrame, now: Timestamp) {
        if let Some(last) = self.last.filter(|last| frame.sequence <= last.sequence) {
            let captured_later = frame.capture_time_us > last.capture_time_us;
            if !self
                .behind
                .is_restart(last.sequence - frame.sequence, captured_later)
            {
                return;
            }
            self.restart();
        } else {
            self.behind.ahead();
        }
        if self.held.contains_key(&frame.sequence) {
            return;
        }
        let due = now + self.arrival.hold(frame.capture_time_us, now);
        self.held_bytes += frame.data.len();
        self.held.insert(frame.sequence, Held { frame, due });
        if self.held.len() > MAX_FRAMES || self.held_bytes > MAX_BYTES {
            self.decoder_lost();
        }
    }

    /// The next frame to decode, if it is due. Call it until it returns `None`.
    pub(super) fn pop(&mut self, now: Timestamp) -> Option<RemoteFrame> {
        while let Some((sequence, due)) = self.next() {
            if due > now {
                return None;
            }
            self.skip_to(sequence);
            let Some((_, Held { frame, .. })) = self.held.pop_first() else {
                break;
            };
            self.held_bytes -= frame.data.len();
            if !frame.keyframe && self.last.is_none_or(|last| last.codec != frame.codec) {
                self.decoder_lost();
                continue;
            }
            self.last = Some(Last {
                sequence: frame.sequence,
                capture_time_us: frame.capture_time_us,
                codec: frame.codec,
            });
            self.intact = true;
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

    /// Frames that never came, since the last call.
    pub(super) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    pub(super) fn jitter_ms(&self) -> f64 {
        self.arrival.jitter_ms()
    }

    /// The frame that may leave next, and when.
    fn next(&self) -> Option<(u64, Timestamp)> {
        let following = self
            .last
            .filter(|_| self.intact)
            .and_then(|last| last.sequence.checked_add(1));
        following
            .and_then(|sequence| self.held.get_key_value(&sequence))
            .or_else(|| self.held.iter().find(|(_, held)| held.frame.keyframe))
            .map(|(sequence, held)| (*sequence, held.due))
    }

    /// Gives up what is missing before `sequence`.
    fn skip_to(&mut self, sequence: u64) {
        if let Some(last) = self.last {
            let missing = sequence.saturating_sub(last.sequence).saturating_sub(1);
            if missing <= MAX_LOSS {
                self.lost += missing;
            }
        }
        let kept = self.held.split_off(&sequence);
        let skipped = std::mem::replace(&mut self.held, kept);
        self.held_bytes -= skipped
            .values()
            .map(|held| held.frame.data.len())
            .sum::<usize>();
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
        self.held.clear();
        self.held_bytes = 0;
    }
}
