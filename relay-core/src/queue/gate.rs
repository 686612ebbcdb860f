//! Which frames can be decoded by the receiver, judged by what it was given so far.

use std::collections::BTreeMap;
use std::time::Duration;

use videocall_types::{Recent, SessionId, Timestamp};

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

#[derive(Clone, Copy, Debug, Default)]
struct Gate {
    /// The frames that have passed; `None`: the receiver has had no keyframe.
    passed: Option<Recent>,
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
            gate.passed = Some(Recent::only(frame.sequence));
            return Arrival::Pass;
        }
        if let Some(passed) = &mut gate.passed {
            if frame.sequence <= passed.newest() {
                return Arrival::Late;
            }
            let reference = frame.reference();
            let passes = reference.is_some_and(|reference| passed.contains(reference));
            passed.advance(frame.sequence, passes);
            if passes {
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
            passed.remove(frame.sequence);
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
