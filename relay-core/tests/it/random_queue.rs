//! The queue under random input: what always holds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use relay_core::policy::QueuePolicy;
use relay_core::queue::{Label, SendQueue};
use relay_core::{Content, TrackId};
use videocall_types::{Routing, SessionId, Timestamp, Track};

#[derive(Clone, Debug)]
enum Operation {
    /// A source sends a frame, which may get lost before the queue.
    Frame {
        source: u64,
        track: Track,
        kind: FrameKind,
        len: usize,
        lost: bool,
    },
    Control {
        len: usize,
    },
    StockOnly {
        len: usize,
    },
    Pop {
        packets: usize,
    },
    Wait {
        millis: u64,
    },
    Forget {
        source: u64,
    },
}

#[derive(Clone, Copy, Debug)]
enum FrameKind {
    Key,
    Delta,
    Discardable,
    Temporal(u8),
}

fn operation() -> impl Strategy<Value = Operation> {
    let track = prop::sample::select(Track::ALL.to_vec());
    let kind = prop_oneof![
        1 => Just(FrameKind::Key),
        4 => Just(FrameKind::Delta),
        1 => Just(FrameKind::Discardable),
        2 => (1..3u8).prop_map(FrameKind::Temporal),
    ];
    let frame = (
        1..4u64,
        track,
        kind,
        1..400usize,
        prop::bool::weighted(0.05),
    );
    prop_oneof![
        12 => frame.prop_map(|(source, track, kind, len, lost)| Operation::Frame { source, track, kind, len, lost }),
        1 => (1..50usize).prop_map(|len| Operation::Control { len }),
        1 => (1..400usize).prop_map(|len| Operation::StockOnly { len }),
        4 => (1..6usize).prop_map(|packets| Operation::Pop { packets }),
        3 => (0..250u64).prop_map(|millis| Operation::Wait { millis }),
        1 => (1..4u64).prop_map(|source| Operation::Forget { source }),
    ]
}

/// A sender of one track: numbers its frames and knows what each refers to.
struct Encoder {
    next: u64,
    /// Last frame of each temporal layer that may be referred to.
    last: BTreeMap<u8, u64>,
}

/// What nobody has: the receiver came in the middle of a group of pictures.
const NEVER: u64 = u64::MAX;

impl Default for Encoder {
    fn default() -> Self {
        Self {
            next: 0,
            last: BTreeMap::from([(0, NEVER)]),
        }
    }
}

impl Encoder {
    fn encode(&mut self, track: Track, kind: FrameKind) -> Encoded {
        let sequence = self.next;
        self.next += 1;
        let temporal_layer = if let FrameKind::Temporal(layer) = kind {
            layer
        } else {
            0
        };
        let (keyframe, discardable) = (
            matches!(kind, FrameKind::Key),
            matches!(kind, FrameKind::Discardable),
        );
        let needs = if keyframe {
            Vec::new()
        } else {
            self.last
                .range(..=temporal_layer)
                .map(|(_, s)| *s)
                .collect()
        };
        if keyframe {
            self.last.clear();
        }
        if !discardable {
            // The higher layers start anew from this frame.
            self.last.retain(|layer, _| *layer < temporal_layer);
            self.last.insert(temporal_layer, sequence);
        }
        let newest = needs.iter().max().map_or(sequence, |newest| *newest);
        let routing = Routing {
            temporal_layer,
            discardable,
            // What nobody has is as far back as nothing.
            reference: sequence
                .checked_sub(newest)
                .map_or(u32::MAX, |back| back as u32),
            ..Routing::new(track, sequence, keyframe)
        };
        Encoded { routing, needs }
    }
}

struct Encoded {
    routing: Routing,
    needs: Vec<u64>,
}

/// A packet as the queue carries it.
struct Item {
    arrival: u64,
    at: Timestamp,
    label: Label,
    needs: Vec<u64>,
}

struct World {
    policy: QueuePolicy,
    queue: SendQueue<Item>,
    now: Timestamp,
    encoders: BTreeMap<(u64, Track), Encoder>,
    pushed: u64,
    popped: u64,
    dropped: u64,
    control: usize,
    last_arrival: BTreeMap<(SessionId, Track), u64>,
    delivered: BTreeSet<(SessionId, Track, u64)>,
}

impl World {
    fn new() -> Self {
        let policy = QueuePolicy {
            max_bytes: 1500,
            max_control_bytes: 200,
            ..QueuePolicy::default()
        };
        Self {
            queue: SendQueue::new(policy.clone()),
            policy,
            now: Timestamp::from_millis(1000),
            encoders: BTreeMap::new(),
            pushed: 0,
            popped: 0,
            dropped: 0,
            control: 0,
            last_arrival: BTreeMap::new(),
            delivered: BTreeSet::new(),
        }
    }

    fn apply(&mut self, operation: &Operation) {
        match *operation {
            Operation::Frame {
                source,
                track,
                kind,
                len,
                lost,
            } => {
                let Encoded { routing, needs } = self
                    .encoders
                    .entry((source, track))
                    .or_default()
                    .encode(track, kind);
                if !lost {
                    self.push(SessionId::new(source), Content::Media(routing), len, needs);
                }
            }
            Operation::Control { len } => {
                if self.push(None, Content::Control, len, Vec::new()) {
                    self.control += len;
                }
                assert!(self.control <= self.policy.max_control_bytes);
            }
            Operation::StockOnly { len } => {
                self.push(SessionId::new(1), Content::StockOnly, len, Vec::new());
            }
            Operation::Pop { packets } => {
                for _ in 0..packets {
                    self.pop();
                }
            }
            Operation::Wait { millis } => self.now = self.now + Duration::from_millis(millis),
            Operation::Forget { source } => self.queue.forget(SessionId::new(source).unwrap()),
        }
        self.check();
    }

    fn push(
        &mut self,
        source: Option<SessionId>,
        content: Content,
        len: usize,
        needs: Vec<u64>,
    ) -> bool {
        let label = Label {
            source,
            content,
            len,
        };
        let item = Item {
            arrival: self.pushed,
            at: self.now,
            label,
            needs,
        };
        let accepted = self.queue.push(item, &label, self.now).is_ok();
        self.pushed += u64::from(accepted);
        accepted
    }

    fn pop(&mut self) {
        let Some(Item {
            arrival,
            at,
            label,
            needs,
        }) = self.queue.pop(self.now)
        else {
            return;
        };
        self.popped += 1;
        let age = self.now - at;
        match (label.content, label.source) {
            (Content::Control, _) => self.control -= label.len,
            (Content::Media(routing), Some(source)) => {
                let max_age = match routing.track {
                    Track::Camera => self.policy.camera_age,
                    Track::Screen => self.policy.screen_age,
                    Track::Microphone | Track::ScreenAudio => self.policy.audio_age,
                };
                assert!(age <= max_age, "{routing:?} is {age:?} old");
                let before = self.last_arrival.insert((source, routing.track), arrival);
                assert!(
                    before.is_none_or(|before| before < arrival),
                    "{routing:?} was overtaken"
                );
                if !routing.track.is_audio() {
                    for needed in needs {
                        let has = self.delivered.contains(&(source, routing.track, needed));
                        assert!(
                            has,
                            "{routing:?} refers to {needed}, which was not delivered"
                        );
                    }
                    self.delivered
                        .insert((source, routing.track, routing.sequence));
                }
            }
            (_, _) => assert!(age <= self.policy.rest_age),
        }
    }

    fn check(&mut self) {
        let drops = self.queue.take_drops().by_reason();
        self.dropped += drops.iter().map(|(_, packets)| packets).sum::<u64>();
        let waiting = self.queue.len() as u64;
        assert_eq!(
            self.pushed,
            self.popped + self.dropped + waiting,
            "a packet vanished"
        );
        assert!(self.queue.bytes() <= self.policy.max_bytes);
        assert_eq!(self.queue.is_empty(), self.queue.bytes() == 0);
    }

    /// A receiver that reads again gets every video track, or a keyframe of it is asked for.
    fn check_recovery(&mut self) {
        while !self.queue.is_empty() {
            self.pop();
        }
        while self.queue.poll_keyframe_request().is_some() {}
        for source in 1..4 {
            for track in [Track::Camera, Track::Screen] {
                self.now = self.now + self.policy.keyframe_retry;
                self.apply(&Operation::Frame {
                    source,
                    track,
                    kind: FrameKind::Delta,
                    len: 10,
                    lost: false,
                });
                let is_delivered = !self.queue.is_empty();
                let wanted = self.queue.poll_keyframe_request();
                let session = SessionId::new(source).unwrap();
                assert_eq!(
                    wanted,
                    (!is_delivered).then_some(TrackId { session, track })
                );
                self.pop();
            }
        }
        self.check();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn the_queue_keeps_its_promises(operations in prop::collection::vec(operation(), 1..200)) {
        let mut world = World::new();
        for operation in &operations {
            world.apply(operation);
        }
        world.check_recovery();
    }
}
