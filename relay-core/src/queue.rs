//! What waits in front of one receiver: what goes next, and what is dropped when it does not take it in time.

mod gate;
mod lane;

use std::collections::BTreeSet;
use std::time::Duration;

use videocall_types::{SessionId, Timestamp, Track};

use crate::drop_reason::DropReason;
use crate::forward::{Content, TrackId};
use crate::policy::QueuePolicy;
use gate::Gates;
use lane::{Entry, Frame, Lane};

/// What a queue needs to know of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// The session that sent it.
    pub source: Option<SessionId>,
    /// What it is.
    pub content: Content,
    /// Its size in bytes.
    pub len: usize,
}

/// The receiver lets more control packets pile up than it may: close it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the receiver is too slow")]
pub struct TooSlow;

/// How many packets were dropped, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueDrops {
    /// [`DropReason::Expired`]
    pub expired: u64,
    /// [`DropReason::Overflow`]
    pub overflow: u64,
    /// [`DropReason::NoReference`]
    pub no_reference: u64,
    /// [`DropReason::Late`]
    pub late: u64,
}

impl QueueDrops {
    /// Each reason with its count.
    #[must_use]
    pub const fn by_reason(&self) -> [(DropReason, u64); 4] {
        [
            (DropReason::Expired, self.expired),
            (DropReason::Overflow, self.overflow),
            (DropReason::NoReference, self.no_reference),
            (DropReason::Late, self.late),
        ]
    }
}

/// Why frames that had their place in the queue are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Expired,
    Overflow,
}

/// What waits in front of one receiver. `T` is what the driver sends.
///
/// * Order: control, audio, screen, camera, the rest. Packets of one track stay in order.
/// * Bounds: bytes in all, and age by kind. Control is never dropped; too much of it is an error.
/// * Overflow drops, in this order: what is expired, the rest, discardable and enhancement frames, what is left of a group
///   of pictures (camera before screen), audio.
/// * A video frame whose reference the receiver did not get is dropped, wherever the reference was lost: the sequence
///   numbers tell. The track goes on with a keyframe, for which [`poll_keyframe_request`](Self::poll_keyframe_request) asks.
#[derive(Debug)]
pub struct SendQueue<T> {
    policy: QueuePolicy,
    control: Lane<T>,
    audio: Lane<T>,
    screen: Lane<T>,
    camera: Lane<T>,
    rest: Lane<T>,
    gates: Gates,
    wanted: BTreeSet<TrackId>,
    drops: QueueDrops,
}

impl<T> SendQueue<T> {
    /// An empty queue.
    #[must_use]
    pub const fn new(policy: QueuePolicy) -> Self {
        Self {
            control: Lane::new(None),
            audio: Lane::new(Some(policy.audio_age)),
            screen: Lane::new(Some(policy.screen_age)),
            camera: Lane::new(Some(policy.camera_age)),
            rest: Lane::new(Some(policy.rest_age)),
            gates: Gates::new(policy.keyframe_retry),
            wanted: BTreeSet::new(),
            drops: QueueDrops {
                expired: 0,
                overflow: 0,
                no_reference: 0,
                late: 0,
            },
            policy,
        }
    }

    /// Puts a packet in its place, or drops it.
    ///
    /// # Errors
    /// [`TooSlow`] when there is too much control. The packet is not in the queue.
    pub fn push(&mut self, item: T, label: &Label, now: Timestamp) -> Result<(), TooSlow> {
        let Label {
            source,
            content,
            len,
        } = *label;
        let entry = |frame| Entry {
            item,
            len,
            at: now,
            frame,
        };
        match (content, source) {
            (Content::Control, _) => {
                if self.control.bytes() + len > self.policy.max_control_bytes {
                    return Err(TooSlow);
                }
                self.control.push(entry(None));
            }
            (Content::Media(routing), Some(session)) => match routing.track {
                Track::Microphone | Track::ScreenAudio => self.audio.push(entry(None)),
                Track::Camera | Track::Screen => {
                    let frame = Frame::new(session, &routing);
                    if !self.admit(&frame, now) {
                        return Ok(());
                    }
                    let lane = if routing.track == Track::Screen {
                        &mut self.screen
                    } else {
                        &mut self.camera
                    };
                    lane.push(entry(Some(frame)));
                }
            },
            (Content::Media(_) | Content::Heartbeat { .. } | Content::StockOnly, _) => {
                self.rest.push(entry(None))
            }
        }
        if self.bytes() > self.policy.max_bytes {
            self.make_room(now);
        }
        Ok(())
    }

    /// What goes next.
    pub fn pop(&mut self, now: Timestamp) -> Option<T> {
        self.drop_expired(now);
        let lanes = [
            &mut self.control,
            &mut self.audio,
            &mut self.screen,
            &mut self.camera,
            &mut self.rest,
        ];
        lanes.into_iter().find_map(Lane::pop)
    }

    /// A track whose source must be asked for a keyframe.
    pub fn poll_keyframe_request(&mut self) -> Option<TrackId> {
        self.wanted.pop_first()
    }

    /// `source` has left: nothing more comes from it. What waits is still sent.
    pub fn forget(&mut self, source: SessionId) {
        self.gates.forget(source);
        self.wanted.retain(|track| track.session != source);
    }

    /// Bytes that wait.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.control.bytes()
            + self.audio.bytes()
            + self.screen.bytes()
            + self.camera.bytes()
            + self.rest.bytes()
    }

    /// How long the oldest sound or picture has waited.
    #[must_use]
    pub fn media_age(&self, now: Timestamp) -> Duration {
        let lanes = [&self.audio, &self.screen, &self.camera];
        let ages = lanes.into_iter().map(|lane| lane.age(now));
        ages.max().unwrap_or_default()
    }

    /// Packets that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.control.len()
            + self.audio.len()
            + self.screen.len()
            + self.camera.len()
            + self.rest.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether audio waits, so that more of it must wait behind.
    #[must_use]
    pub fn has_audio(&self) -> bool {
        self.audio.len() > 0
    }

    /// Whether control waits.
    #[must_use]
    pub fn has_control(&self) -> bool {
        self.control.len() > 0
    }

    /// What was dropped since the last call.
    pub fn take_drops(&mut self) -> QueueDrops {
        std::mem::take(&mut self.drops)
    }

    fn admit(&mut self, frame: &Frame, now: Timestamp) -> bool {
        match self.gates.arrive(frame, now) {
            gate::Arrival::Pass => {
                if frame.keyframe {
                    self.wanted.remove(&frame.layer.track);
                }
                true
            }
            gate::Arrival::Late => {
                self.drops.late += 1;
                false
            }
            gate::Arrival::NoReference { ask } => {
                self.drops.no_reference += 1;
                if ask {
                    self.wanted.insert(frame.layer.track);
                }
                false
            }
        }
    }

    fn drop_expired(&mut self, now: Timestamp) {
        let audio = self.audio.drop_expired(now);
        let rest = self.rest.drop_expired(now);
        self.count(Cause::Expired, audio + rest);
        while let Some(frame) = self.camera.expired_frame(now) {
            self.drop_frame_and_dependants(&frame, Cause::Expired, now);
        }
        while let Some(frame) = self.screen.expired_frame(now) {
            self.drop_frame_and_dependants(&frame, Cause::Expired, now);
        }
    }

    fn make_room(&mut self, now: Timestamp) {
        self.drop_expired(now);
        while self.is_over() && self.rest.pop().is_some() {
            self.count(Cause::Overflow, 1);
        }
        for track in [Track::Camera, Track::Screen] {
            if self.is_over() {
                self.drop_enhancement(track, now);
            }
        }
        for track in [Track::Camera, Track::Screen] {
            while self.is_over() {
                let Some(victim) = self.lane(track).first_of_largest_layer() else {
                    break;
                };
                self.drop_frame_and_dependants(&victim, Cause::Overflow, now);
            }
        }
        while self.is_over() && self.audio.pop().is_some() {
            self.count(Cause::Overflow, 1);
        }
    }

    fn drop_enhancement(&mut self, track: Track, now: Timestamp) {
        let dropped = self
            .lane(track)
            .remove_if(|frame| frame.discardable || frame.temporal_layer > 0);
        self.count(Cause::Overflow, dropped.len());
        for frame in dropped.iter().filter(|frame| !frame.discardable) {
            self.gates.lost(frame, now);
        }
    }

    /// Drops the oldest frame of its layer, and those behind it that can't be decoded without it.
    fn drop_frame_and_dependants(&mut self, lost: &Frame, cause: Cause, now: Timestamp) {
        let mut gone = BTreeSet::new();
        let (mut started, mut ended) = (false, false);
        let dropped = self.lane(lost.layer.track.track).remove_if(|frame| {
            if ended || frame.layer != lost.layer {
                return false;
            }
            // From a keyframe on, numbers may begin anew.
            ended = started && frame.keyframe;
            let is_gone = frame
                .reference()
                .is_some_and(|sequence| gone.contains(&sequence));
            let drop = !ended && (!started || is_gone);
            started = true;
            if drop && !frame.discardable {
                gone.insert(frame.sequence);
            }
            drop
        });
        self.count(cause, dropped.len());
        if ended {
            return;
        }
        for frame in dropped.iter().filter(|frame| !frame.discardable) {
            if self.gates.lost(frame, now) {
                self.wanted.insert(frame.layer.track);
            }
        }
    }

    const fn count(&mut self, cause: Cause, packets: usize) {
        match cause {
            Cause::Expired => self.drops.expired += packets as u64,
            Cause::Overflow => self.drops.overflow += packets as u64,
        }
    }

    const fn is_over(&self) -> bool {
        self.bytes() > self.policy.max_bytes
    }

    /// The lane of a video track.
    fn lane(&mut self, track: Track) -> &mut Lane<T> {
        if track == Track::Screen {
            &mut self.screen
        } else {
            &mut self.camera
        }
    }
}
