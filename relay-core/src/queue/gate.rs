//! Which frames can be decoded by the receiver, judged by what it was given so far.

use std::collections::BTreeMap;
use std::time::Duration;

use videocall_types::{SessionId, Timestamp};

use super::lane::Frame;
use crate::forward::LayerId;

/// What becomes of a frame that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    Pass,
    Late,
    /// `ask`: it is time to ask for a keyframe.
    NoReference {
        ask: bool,
    },
}

/// What the receiver has of the last frames.
#[derive(Clone, Copy, Debug)]
struct Passed {
    newest: u64,
    /// Bit `n`: frame `newest - n` has passed.
    bits: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Gate {
    /// `None`: the receiver has had no keyframe.
    passed: Option<Passed>,
    asked: Option<Timestamp>,
}

/// The gates of all layers to one receiver. A layer that was never seen is closed: the receiver has nothing of it.
#[derive(Debug)]
pub(super) struct Gates {
    retry: Duration,
    gates: BTreeMap<LayerId, Gate>,
}

impl Gates {
    pub(super) const fn new(retry: Duration) -> Self {
        Self {
            retry,
            gates: BTreeMap::new(),
        }
    }

    pub(super) fn arrive(&mut self, frame: &Frame, now: Timestamp) -> Arrival {
        let retry = self.retry;
        let gate = self.gates.entry(frame.layer).or_default();
        if frame.keyframe {
            // With whatever number: a sender that starts anew counts anew.
            gate.passed = Some(Passed {
                newest: frame.sequence,
                bits: 1,
            });
            return Arrival::Pass;
        }
        if let Some(passed) = &mut gate.passed {
            if frame.sequence <= passed.newest {
                return Arrival::Late;
            }
            if passed.advance(frame) {
                return Arrival::Pass;
            }
        }
        Arrival::NoReference {
            // Frames of higher temporal layers come back by themselves.
            ask: frame.temporal_layer == 0 && gate.may_ask(retry, now),
        }
    }

    /// A frame was dropped from the queue, no keyframe is behind it, and nothing that refers to it may pass. True: it is time
    /// to ask for a keyframe.
    pub(super) fn lost(&mut self, frame: &Frame, now: Timestamp) -> bool {
        let retry = self.retry;
        let Some(gate) = self.gates.get_mut(&frame.layer) else {
            return false;
        };
        if let Some(passed) = &mut gate.passed {
            passed.forget(frame.sequence);
        }
        frame.temporal_layer == 0 && gate.may_ask(retry, now)
    }

    pub(super) fn forget(&mut self, source: SessionId) {
        self.gates.retain(|layer, _| layer.track.session != source);
    }
}

impl Gate {
    fn may_ask(&mut self, retry: Duration, now: Timestamp) -> bool {
        let may = self.asked.is_none_or(|asked| now - asked >= retry);
        if may {
            self.asked = Some(now);
        }
        may
    }
}

impl Passed {
    /// A newer frame comes. Whether the one that it refers to has passed; then it passes, too.
    fn advance(&mut self, frame: &Frame) -> bool {
        let ahead = frame.sequence - self.newest;
        let has_reference = frame
            .reference()
            .and_then(|reference| self.bit(reference))
            .is_some_and(|bit| self.bits & bit != 0);
        let shifted = u32::try_from(ahead)
            .ok()
            .and_then(|ahead| self.bits.checked_shl(ahead))
            .unwrap_or(0);
        self.newest = frame.sequence;
        self.bits = shifted | u64::from(has_reference);
        has_reference
    }

    fn forget(&mut self, sequence: u64) {
        if let Some(bit) = self.bit(sequence) {
            self.bits &= !bit;
        }
    }

    /// `None`: too old, or not there yet.
    fn bit(&self, sequence: u64) -> Option<u64> {
        let distance = self.newest.checked_sub(sequence)?;
        1_u64.checked_shl(u32::try_from(distance).ok()?)
    }
}
