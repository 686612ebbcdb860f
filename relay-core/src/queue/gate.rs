//! Which frames can be decoded by the receiver, judged by what it was given so far.

use std::collections::BTreeMap;
use std::time::Duration;

use videocall_types::{SessionId, Timestamp};

use super::lane::{Frame, StreamId};

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

#[derive(Clone, Copy, Debug)]
enum State {
    /// Only a keyframe passes.
    Closed,
    Open {
        /// Sequence number of the next frame, if nothing is lost.
        next: u64,
        /// Frames of this temporal layer and above do not pass until one does from which they start anew.
        below: Option<u8>,
    },
}

#[derive(Clone, Copy, Debug)]
struct Gate {
    state: State,
    asked: Option<Timestamp>,
}

/// The gates of all streams to one receiver. A stream that was never seen is closed: the receiver has nothing of it.
#[derive(Debug)]
pub(super) struct Gates {
    retry: Duration,
    gates: BTreeMap<StreamId, Gate>,
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
        let gate = self.gates.entry(frame.stream).or_insert(Gate {
            state: State::Closed,
            asked: None,
        });
        let next_sequence = frame.sequence.wrapping_add(1);
        if frame.keyframe {
            // With whatever number: a sender that starts anew counts anew.
            gate.state = State::Open {
                next: next_sequence,
                below: None,
            };
            return Arrival::Pass;
        }
        match &mut gate.state {
            State::Open { next, .. } if frame.sequence < *next => Arrival::Late,
            State::Open { next, below } if frame.sequence == *next => {
                *next = next_sequence;
                match *below {
                    Some(layer) if frame.temporal_layer >= layer => {
                        Arrival::NoReference { ask: false }
                    }
                    Some(layer) if frame.is_base_of(layer) => {
                        *below = None;
                        Arrival::Pass
                    }
                    Some(_) | None => Arrival::Pass,
                }
            }
            State::Open { .. } | State::Closed => Arrival::NoReference {
                ask: gate.close(retry, now),
            },
        }
    }

    /// A frame was dropped from the queue, and all behind it that need it. True: it is time to ask for a keyframe.
    pub(super) fn lost(&mut self, frame: &Frame, now: Timestamp) -> bool {
        if frame.discardable {
            return false;
        }
        if frame.temporal_layer > 0 && !frame.keyframe {
            self.lost_enhancement(frame);
            return false;
        }
        let retry = self.retry;
        self.gates
            .get_mut(&frame.stream)
            .is_some_and(|gate| gate.close(retry, now))
    }

    /// A frame that only higher temporal layers refer to was dropped from the queue, and no frame of its layer or above is
    /// in the queue behind it.
    pub(super) fn lost_enhancement(&mut self, frame: &Frame) {
        if let Some(Gate {
            state: State::Open { below, .. },
            ..
        }) = self.gates.get_mut(&frame.stream)
        {
            *below = Some(below.map_or(frame.temporal_layer, |below| {
                below.min(frame.temporal_layer)
            }));
        }
    }

    pub(super) fn forget(&mut self, source: SessionId) {
        self.gates
            .retain(|stream, _| stream.track.session != source);
    }
}

impl Gate {
    /// True: it is time to ask for a keyframe.
    fn close(&mut self, retry: Duration, now: Timestamp) -> bool {
        self.state = State::Closed;
        let ask = self.asked.is_none_or(|asked| now - asked >= retry);
        if ask {
            self.asked = Some(now);
        }
        ask
    }
}
