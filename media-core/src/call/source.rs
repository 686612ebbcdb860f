//! One published track: the layers that its encoders make, their numbering, and when one makes a keyframe.

use std::time::Duration;

use videocall_types::layers::MAX_LAYERS;
use videocall_types::{LayerSet, Timestamp, Track};

use super::encoding::{Limits, Plan, plan};
use super::outbox::Outbox;
use super::pack::Place;
use crate::command::Command;

/// One forced keyframe per layer in this time; a wish within it is granted when it is over.
const FORCE_INTERVAL: Duration = Duration::from_millis(200);
/// Temporal layers that are told apart.
const TEMPORAL_LAYERS: usize = 4;
/// What a source is taken for until its first picture.
const USUAL_HEIGHT: u32 = 720;

#[derive(Debug)]
pub(super) struct Source {
    track: Track,
    on: bool,
    demand: LayerSet,
    height: u32,
    affordable: u8,
    plan: Plan,
    streams: [Stream; MAX_LAYERS],
}

/// One layer.
#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    /// Of the next frame. Goes on when the encoder is restarted.
    sequence: u64,
    /// The last frame of each temporal layer.
    last: [Option<u64>; TEMPORAL_LAYERS],
    /// Nobody can decode anything before the next keyframe.
    gated: bool,
    /// Its encoder shall make a keyframe.
    wanted: bool,
    forced_at: Option<Timestamp>,
}

impl Source {
    pub(super) fn new(track: Track) -> Self {
        Self {
            track,
            on: false,
            demand: LayerSet::full(track),
            height: USUAL_HEIGHT,
            affordable: u8::MAX,
            plan: Plan::default(),
            streams: [Stream::default(); MAX_LAYERS],
        }
    }

    pub(super) const fn is_on(&self) -> bool {
        self.on
    }

    /// It is captured or not.
    pub(super) fn set(&mut self, on: bool) {
        if on && !self.on {
            self.height = USUAL_HEIGHT;
            self.gate();
        }
        self.on = on;
    }

    pub(super) const fn demand(&mut self, layers: LayerSet) {
        self.demand = layers;
    }

    pub(super) const fn set_height(&mut self, height: u32) {
        self.height = height;
    }

    /// The largest layer takes too long.
    pub(super) fn too_slow(&mut self) {
        if let Some(largest) = self.plan.sent().iter().last() {
            self.affordable = largest.saturating_sub(1);
        }
    }

    /// Bits per second that its layers do not get.
    pub(super) const fn missing(&self) -> u64 {
        if self.on { self.plan.missing } else { 0 }
    }

    /// Plans its layers, and tells the encoders if that is something else than before. What a layer begins with must be a
    /// keyframe. Returns what is left of the budget.
    pub(super) fn plan(&mut self, at_once: usize, budget: u64, out: &mut Outbox) -> u64 {
        if !self.on {
            return budget;
        }
        let limits = Limits {
            height: self.height,
            affordable: self.affordable,
            at_once,
        };
        let before = std::mem::replace(
            &mut self.plan,
            plan(self.track, self.demand, limits, budget),
        );
        if before.layers != self.plan.layers {
            out.push(Command::Encode {
                track: self.track,
                layers: self.plan.layers.clone(),
            });
        }
        let (was_sent, is_sent) = (before.sent(), self.plan.sent());
        for (layer, stream) in (0..).zip(&mut self.streams) {
            if was_sent.contains(layer) != is_sent.contains(layer) {
                stream.gated = true;
                stream.wanted = is_sent.contains(layer) && stream.has_begun();
            }
        }
        self.plan.left
    }

    /// Each layer begins with a keyframe, numbers at 0 if `is_new`, and the largest layer is wanted.
    pub(super) fn start_session(&mut self, is_new: bool) {
        self.demand = LayerSet::full(self.track);
        if is_new {
            self.streams = [Stream::default(); MAX_LAYERS];
        }
        self.gate();
    }

    /// Makes each layer's encoder begin with a keyframe.
    pub(super) fn restart(&mut self, now: Timestamp, out: &mut Outbox) {
        if self.on && !self.track.is_audio() {
            for layer in self.plan.sent().iter() {
                self.want(layer, now, out);
            }
        }
    }

    /// Where the next frame of a layer stands; `None` if nobody could use it.
    pub(super) fn place(&self, layer: u8, temporal: u8, keyframe: bool) -> Option<Place> {
        let layers = self.sent_layers();
        let stream = self.streams.get(usize::from(layer))?;
        let is_sent = self.on && layers.contains(layer) && (keyframe || !stream.gated);
        is_sent.then(|| Place {
            sequence: stream.sequence,
            reference: stream.reference(temporal),
            layers,
        })
    }

    /// It has left.
    pub(super) fn sent(&mut self, layer: u8, temporal: u8, keyframe: bool) {
        if let Some(stream) = self.streams.get_mut(usize::from(layer)) {
            stream.sent(temporal, keyframe);
        }
    }

    /// A frame is too large for any relay.
    pub(super) fn unsendable(&mut self, layer: u8, now: Timestamp, out: &mut Outbox) {
        if !self.track.is_audio()
            && let Some(stream) = self.streams.get_mut(usize::from(layer))
        {
            stream.gated = true;
            self.want(layer, now, out);
        }
    }

    /// Somebody who gets `layer`, or what is sent in its place, can't go on.
    pub(super) fn keyframe_wanted(&mut self, layer: u8, now: Timestamp, out: &mut Outbox) {
        if self.on
            && let Some(layer) = self.plan.sent().serving(layer)
        {
            self.want(layer, now, out);
        }
    }

    /// Makes the keyframes that are due.
    pub(super) fn force_due(&mut self, now: Timestamp, out: &mut Outbox) {
        if !self.on {
            return;
        }
        for (layer, stream) in (0..).zip(&mut self.streams) {
            if stream.next_force().is_some_and(|at| now >= at) {
                stream.wanted = false;
                stream.forced_at = Some(now);
                out.push(Command::ForceKeyframe {
                    track: self.track,
                    spatial_layer: layer,
                });
            }
        }
    }

    /// When the next one is due.
    pub(super) fn next_force(&self) -> Option<Timestamp> {
        let streams = self.streams.iter().filter(|_| self.on);
        streams.filter_map(Stream::next_force).min()
    }

    fn want(&mut self, layer: u8, now: Timestamp, out: &mut Outbox) {
        if let Some(stream) = self.streams.get_mut(usize::from(layer)) {
            stream.wanted = true;
            self.force_due(now, out);
        }
    }

    fn gate(&mut self) {
        for stream in &mut self.streams {
            stream.gated = !self.track.is_audio();
            stream.wanted = false;
        }
    }

    /// Sound has one layer, and is always sent.
    fn sent_layers(&self) -> LayerSet {
        if self.track.is_audio() {
            LayerSet::only(0)
        } else {
            self.plan.sent()
        }
    }
}

impl Stream {
    /// A frame refers to the newest one of the temporal layers below its own; one of the lowest layer, to the last of that.
    fn reference(&self, temporal: u8) -> u32 {
        let below = usize::from(temporal).clamp(1, TEMPORAL_LAYERS);
        let newest = self.last.iter().take(below).flatten().max();
        let back = newest.map(|newest| self.sequence - newest);
        back.and_then(|back| u32::try_from(back).ok()).unwrap_or(1)
    }

    fn sent(&mut self, temporal: u8, keyframe: bool) {
        if keyframe {
            self.last = [None; TEMPORAL_LAYERS];
        }
        if let Some(last) = self.last.get_mut(usize::from(temporal)) {
            *last = Some(self.sequence);
        }
        self.sequence += 1;
        self.gated = false;
        self.wanted &= !keyframe;
    }

    /// Whether its encoder was in use before; a new one begins with a keyframe by itself.
    const fn has_begun(&self) -> bool {
        self.sequence > 0
    }

    fn next_force(&self) -> Option<Timestamp> {
        let free = self
            .forced_at
            .map_or(Timestamp::ZERO, |at| at + FORCE_INTERVAL);
        self.wanted.then_some(free)
    }
}
