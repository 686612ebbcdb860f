//! Our own tracks: what others are told of them, their numbering, how large they are encoded, and when their encoders make
//! a keyframe.

use std::collections::BTreeMap;
use std::time::Duration;

use videocall_types::limits::MAX_PACKET_BYTES;
use videocall_types::wishes::FULL_HEIGHT;
use videocall_types::{Redundancy, Timestamp, Track, TrackDemand};

use super::encoding::video_encoding;
use super::heartbeat::MediaState;
use super::outbox::Outbox;
use super::pack;
use super::repeat::Repeaters;
use crate::command::{Command, Lane, VideoEncoding};
use crate::frame::LocalFrame;

/// One forced keyframe per track in this time; a wish within it is granted when it is over.
const FORCE_INTERVAL: Duration = Duration::from_millis(200);

#[derive(Debug, Default)]
pub(super) struct Publisher {
    tracks: BTreeMap<Track, Source>,
    repeaters: Repeaters,
    speaking: bool,
}

#[derive(Debug)]
struct Source {
    on: bool,
    /// Rows of pixels that anybody shows of it; `None`: nobody shows it.
    demand: Option<u32>,
    /// What its encoder does; `None`: nothing.
    encoding: Option<VideoEncoding>,
    /// Of the next frame. Goes on when the encoder is restarted.
    sequence: u64,
    /// Nobody can decode anything before the next keyframe.
    gated: bool,
    wanted: bool,
    forced_at: Option<Timestamp>,
}

impl Publisher {
    /// A track is captured or not. True if others shall be told.
    pub(super) fn set(&mut self, track: Track, on: bool, out: &mut Outbox) -> bool {
        let before = self.state();
        let source = self.tracks.entry(track).or_default();
        if on && !source.on {
            source.gated = !track.is_audio();
            source.follow_demand(track, out);
        }
        source.on = on;
        source.wanted &= on;
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
            state.set(*track, source.on);
        }
        state.speaking = self.speaking && state.microphone;
        state
    }

    /// Others show so much of a video track from now on.
    pub(super) fn demand(&mut self, demand: TrackDemand, now: Timestamp, out: &mut Outbox) {
        let TrackDemand { track, height } = demand;
        let source = self.tracks.entry(track).or_default();
        let before = std::mem::replace(&mut source.demand, height);
        if !source.on {
            return;
        }
        source.follow_demand(track, out);
        match (before, height) {
            (Some(_), None) => {
                source.gated = true;
                source.wanted = false;
            }
            (None, Some(_)) => source.force(track, now, out),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    /// The packets of our sounds shall repeat so many earlier frames.
    pub(super) fn set_redundancy(&mut self, redundancy: &Redundancy) {
        self.repeaters.set(redundancy);
    }

    /// Frames go over another connection: every picture starts with a keyframe and in full size, and the numbers of a new
    /// session at 0.
    pub(super) fn start_session(&mut self, is_new: bool, now: Timestamp, out: &mut Outbox) {
        self.repeaters = Repeaters::default();
        for (track, source) in &mut self.tracks {
            if is_new {
                source.sequence = 0;
            }
            source.gated = !track.is_audio();
            source.demand = Some(FULL_HEIGHT);
            if source.on && source.gated {
                source.follow_demand(*track, out);
                source.force(*track, now, out);
            }
        }
    }

    /// Sends a frame that an encoder made, unless nobody could use it.
    pub(super) fn send(&mut self, frame: LocalFrame, now: Timestamp, out: &mut Outbox) {
        let (track, keyframe) = (frame.track, frame.keyframe);
        let earlier = self.repeaters.next(&frame);
        let Some(source) = self.sending(track) else {
            return;
        };
        if source.gated && !keyframe {
            return;
        }
        let packet = pack::media(frame, source.sequence, earlier);
        if packet.len() > MAX_PACKET_BYTES {
            source.gated = !track.is_audio();
            return source.want(track, now, out);
        }
        source.sequence += 1;
        source.gated = false;
        source.wanted &= !keyframe;
        out.send(packet, lane(track));
    }

    /// Somebody can't go on without a keyframe.
    pub(super) fn keyframe_wanted(&mut self, track: Track, now: Timestamp, out: &mut Outbox) {
        if let Some(source) = self.sending(track) {
            source.want(track, now, out);
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Timestamp, out: &mut Outbox) {
        for (track, source) in &mut self.tracks {
            if source.wanted {
                source.want(*track, now, out);
            }
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        self.tracks
            .values()
            .filter(|source| source.wanted)
            .filter_map(Source::next_force)
            .min()
    }

    /// The track, if it is captured and somebody gets it.
    fn sending(&mut self, track: Track) -> Option<&mut Source> {
        self.tracks
            .get_mut(&track)
            .filter(|source| source.on && source.demand.is_some())
    }
}

impl Default for Source {
    fn default() -> Self {
        Self {
            on: false,
            demand: Some(FULL_HEIGHT),
            encoding: None,
            sequence: 0,
            gated: false,
            wanted: false,
            forced_at: None,
        }
    }
}

impl Source {
    /// Tells the encoder what it is to do, if that is something else than before. It makes a keyframe by itself where its
    /// new pictures can't refer to the old ones.
    fn follow_demand(&mut self, track: Track, out: &mut Outbox) {
        let encoding = self.demand.and_then(|height| video_encoding(track, height));
        if self.encoding == encoding {
            return;
        }
        self.encoding = encoding;
        out.push(match encoding {
            Some(encoding) => Command::Encode { track, encoding },
            None => Command::Pause(track),
        });
    }

    fn want(&mut self, track: Track, now: Timestamp, out: &mut Outbox) {
        self.wanted = true;
        if !track.is_audio() && self.next_force().is_none_or(|at| now >= at) {
            self.force(track, now, out);
        }
    }

    fn force(&mut self, track: Track, now: Timestamp, out: &mut Outbox) {
        self.wanted = false;
        self.forced_at = Some(now);
        out.push(Command::ForceKeyframe(track));
    }

    fn next_force(&self) -> Option<Timestamp> {
        self.forced_at.map(|at| at + FORCE_INTERVAL)
    }
}

fn lane(track: Track) -> Lane {
    if track.is_audio() {
        Lane::Datagram(track)
    } else {
        Lane::Track(track)
    }
}
