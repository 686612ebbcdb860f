//! Our own tracks: what others are told of them, and in which layers they are encoded and sent.

use std::collections::BTreeMap;

use videocall_types::limits::MAX_PACKET_BYTES;
use videocall_types::{Redundancy, Timestamp, Track, TrackDemand};

use super::heartbeat::MediaState;
use super::outbox::Outbox;
use super::pack;
use super::repeat::Repeaters;
use super::source::Source;
use crate::command::Lane;
use crate::frame::LocalFrame;

/// Bits per second that are kept for sound.
const SOUND: u64 = 50_000;
/// Video tracks, the one that gets what there is first.
const VIDEO: [Track; 2] = [Track::Screen, Track::Camera];

#[derive(Debug)]
pub(super) struct Publisher {
    tracks: BTreeMap<Track, Source>,
    repeaters: Repeaters,
    speaking: bool,
    /// Layers of a track that are encoded at the same time.
    at_once: usize,
    /// Bits per second that the connection carries; `None`: all.
    limit: Option<u64>,
}

impl Publisher {
    /// `cores`: processor cores that encode.
    pub(super) const fn new(cores: u32) -> Self {
        Self {
            tracks: BTreeMap::new(),
            repeaters: Repeaters::new(),
            speaking: false,
            at_once: if cores <= 2 { 2 } else { 3 },
            limit: None,
        }
    }

    /// A track is captured or not. True if others shall be told.
    pub(super) fn set(&mut self, track: Track, on: bool, out: &mut Outbox) -> bool {
        let before = self.state();
        self.source(track).set(on);
        self.plan(out);
        before != self.state()
    }

    /// The person speaks or not. True if others shall be told.
    pub(super) fn set_speaking(&mut self, speaking: bool) -> bool {
        let before = self.state();
        self.speaking = speaking;
        before != self.state()
    }

    /// What others are told.
    pub(super) fn state(&self) -> MediaState {
        let mut state = MediaState::default();
        for (track, source) in &self.tracks {
            state.set(*track, source.is_on());
        }
        state.speaking = self.speaking && state.microphone;
        state
    }

    /// Others get these layers of a video track from now on.
    pub(super) fn demand(&mut self, demand: TrackDemand, now: Timestamp, out: &mut Outbox) {
        self.source(demand.track).demand(demand.layers);
        self.replan(now, out);
    }

    /// Pictures of a video track are this high.
    pub(super) fn picture_size(
        &mut self,
        track: Track,
        height: u32,
        now: Timestamp,
        out: &mut Outbox,
    ) {
        self.source(track).set_height(height);
        self.replan(now, out);
    }

    /// This machine does not encode the largest layer of a track fast enough.
    pub(super) fn too_slow(&mut self, track: Track, now: Timestamp, out: &mut Outbox) {
        self.source(track).too_slow();
        self.replan(now, out);
    }

    /// The connection carries so much.
    pub(super) fn set_limit(&mut self, limit: Option<u64>, now: Timestamp, out: &mut Outbox) {
        self.limit = limit;
        self.replan(now, out);
    }

    /// Bits per second that would be sent if the connection carried more than it does; `None`: it carries all.
    pub(super) fn wanted(&self) -> Option<u64> {
        let missing: u64 = self.tracks.values().map(Source::missing).sum();
        self.limit
            .filter(|_| missing > 0)
            .map(|limit| limit.saturating_add(missing))
    }

    /// The packets of our sounds shall repeat so many earlier frames.
    pub(super) fn set_redundancy(&mut self, redundancy: &Redundancy) {
        self.repeaters.set(redundancy);
    }

    /// Frames go over another connection: every picture begins with a keyframe, the largest layer is wanted, and the numbers of
    /// a new session begin at 0.
    pub(super) fn start_session(&mut self, is_new: bool, now: Timestamp, out: &mut Outbox) {
        self.limit = None;
        self.repeaters = Repeaters::default();
        for source in self.tracks.values_mut() {
            source.start_session(is_new);
        }
        self.plan(out);
        for source in self.tracks.values_mut() {
            source.restart(now, out);
        }
    }

    /// Sends a frame that an encoder made, unless nobody could use it.
    pub(super) fn send(&mut self, frame: LocalFrame, now: Timestamp, out: &mut Outbox) {
        let (track, layer, keyframe) = (frame.track, frame.spatial_layer, frame.keyframe);
        let temporal = frame.temporal_layer;
        let earlier = self.repeaters.next(&frame);
        let Some(source) = self.tracks.get_mut(&track) else {
            return;
        };
        let Some(place) = source.place(layer, temporal, keyframe) else {
            return;
        };
        let packet = pack::media(frame, place, earlier);
        if packet.len() > MAX_PACKET_BYTES {
            return source.unsendable(layer, now, out);
        }
        source.sent(layer, temporal, keyframe);
        out.send(packet, lane(track));
    }

    /// Somebody can't go on without a keyframe.
    pub(super) fn keyframe_wanted(
        &mut self,
        track: Track,
        layer: u8,
        now: Timestamp,
        out: &mut Outbox,
    ) {
        if let Some(source) = self.tracks.get_mut(&track) {
            source.keyframe_wanted(layer, now, out);
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Timestamp, out: &mut Outbox) {
        for source in self.tracks.values_mut() {
            source.force_due(now, out);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        self.tracks.values().filter_map(Source::next_force).min()
    }

    /// Tells the encoders what has changed for them, and to make the keyframes that this needs.
    fn replan(&mut self, now: Timestamp, out: &mut Outbox) {
        self.plan(out);
        self.handle_timeout(now, out);
    }

    /// Tells the encoders what has changed for them.
    fn plan(&mut self, out: &mut Outbox) {
        let mut budget = self
            .limit
            .map_or(u64::MAX, |limit| limit.saturating_sub(SOUND));
        for track in VIDEO {
            if let Some(source) = self.tracks.get_mut(&track) {
                budget = source.plan(self.at_once, budget, out);
            }
        }
    }

    fn source(&mut self, track: Track) -> &mut Source {
        self.tracks
            .entry(track)
            .or_insert_with(|| Source::new(track))
    }
}

fn lane(track: Track) -> Lane {
    if track.is_audio() {
        Lane::Datagram(track)
    } else {
        Lane::Track(track)
    }
}
