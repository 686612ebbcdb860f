//! The received tracks: which frame goes to which decoder, when a picture is there, and who is asked for a keyframe.

use std::collections::BTreeMap;
use std::time::Duration;

use videocall_types::limits::MAX_WISHES;
use videocall_types::{Codec, Redundancy, SessionId, Timestamp, Track, Wishes};

use super::audio::AudioFilter;
use super::jitter::JitterBuffer;
use super::outbox::Outbox;
use super::pack;
use super::picture::{Connection, PictureWatch};
use super::wishes::Shown;
use crate::command::{Command, Lane};
use crate::event::{Drops, Event, Picture, TrackStats};
use crate::frame::RemoteFrame;

/// One keyframe request per track in this time; repeated while it is still needed.
const ASK_INTERVAL: Duration = Duration::from_millis(500);
/// Frames of a track that was switched off may be on their way for this long.
const TAIL: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Receivers {
    tracks: BTreeMap<(SessionId, Track), Receiver>,
    shown: Shown,
    /// What the relay was told that we lack of what we hear.
    lacking: Redundancy,
}

#[derive(Debug)]
struct Receiver {
    session: SessionId,
    track: Track,
    media: Media,
    /// The page shows the track, or it is sound.
    wished: bool,
    /// The sender says that it publishes the track.
    live: bool,
    /// The sender has switched it off; what arrives before this moment was sent earlier.
    tail_until: Option<Timestamp>,
    decoding: bool,
    watch: PictureWatch,
    /// There is a picture, if only an old one.
    shown: bool,
    /// What the page was told.
    told: Picture,
    undecodable: u32,
    asked_at: Option<Timestamp>,
    /// Layer and codec of the newest frame.
    newest: Option<(u8, Codec)>,
    frames: u32,
    bytes: u64,
}

#[derive(Debug)]
enum Media {
    Video(JitterBuffer),
    Audio(AudioFilter),
}

impl Receivers {
    pub(super) fn frame(&mut self, frame: RemoteFrame, now: Timestamp, out: &mut Outbox) {
        self.receiver(frame.session, frame.track)
            .frame(frame, now, out);
    }

    /// The page shows these tracks from now on.
    pub(super) fn wish(&mut self, wishes: Wishes, now: Timestamp, out: &mut Outbox) {
        if self.shown.set(wishes) {
            self.tell_wishes(out);
            for ((session, track), receiver) in &mut self.tracks {
                receiver.set_wished(self.shown.wants(*session, *track), now, out);
            }
        }
    }

    /// What the relay says of a video track, or of the sound that goes with it.
    pub(super) fn set_live(
        &mut self,
        session: SessionId,
        track: Track,
        live: bool,
        now: Timestamp,
        out: &mut Outbox,
    ) {
        if live {
            self.receiver(session, track).switched_on(now);
        } else if let Some(receiver) = self.tracks.get_mut(&(session, track)) {
            receiver.switched_off(now, out);
        }
    }

    pub(super) fn decoder_failed(
        &mut self,
        session: SessionId,
        track: Track,
        now: Timestamp,
        out: &mut Outbox,
    ) {
        if let Some(receiver) = self.tracks.get_mut(&(session, track)) {
            receiver.decoder_failed(now, out);
        }
    }

    /// A frame came that no decoder can take.
    pub(super) fn undecodable(&mut self, session: SessionId, track: Track, now: Timestamp) {
        if let Some(receiver) = self.tracks.get_mut(&(session, track)) {
            receiver.undecodable(now);
        }
    }

    pub(super) fn frame_shown(
        &mut self,
        session: SessionId,
        track: Track,
        now: Timestamp,
        out: &mut Outbox,
    ) {
        if let Some(receiver) = self
            .tracks
            .get_mut(&(session, track))
            .filter(|receiver| receiver.decoding)
        {
            receiver.frame_shown(now, out);
        }
    }

    /// The participant is gone.
    pub(super) fn left(&mut self, session: SessionId, out: &mut Outbox) {
        for track in Track::ALL {
            if let Some(mut receiver) = self.tracks.remove(&(session, track)) {
                receiver.close_decoder(out);
            }
        }
    }

    /// Frames come over another connection. The pictures stay until it is known who is still there.
    pub(super) fn reconnected(&mut self, now: Timestamp, out: &mut Outbox) {
        self.tell_wishes(out);
        self.lacking = Redundancy::default();
        for receiver in self.tracks.values_mut() {
            receiver.restart(now);
        }
    }

    /// A second is over: tells the relay what we lack of what we hear, if that is something else than before.
    pub(super) fn review_losses(&mut self, out: &mut Outbox) {
        let sounds = self.tracks.iter_mut();
        let lacking = sounds.filter_map(|(track, receiver)| match &mut receiver.media {
            Media::Audio(filter) => Some((*track, filter.review_losses())),
            Media::Video(_) => None,
        });
        let frames = lacking.filter(|(_, frames)| *frames > 0).take(MAX_WISHES);
        let lacking = Redundancy {
            frames: frames.collect(),
        };
        if lacking != self.lacking {
            out.send(pack::redundancy(&lacking), Lane::Control);
            self.lacking = lacking;
        }
    }

    /// A second is over: tells the page of each picture that does not move.
    pub(super) fn review_pictures(
        &mut self,
        connection: Connection,
        now: Timestamp,
        out: &mut Outbox,
    ) {
        for receiver in self.tracks.values_mut() {
            receiver.review_picture(connection, now, out);
        }
    }

    /// The call is over.
    pub(super) fn close(&mut self, out: &mut Outbox) {
        for (_, mut receiver) in std::mem::take(&mut self.tracks) {
            receiver.close_decoder(out);
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Timestamp, out: &mut Outbox) {
        for receiver in self.tracks.values_mut() {
            receiver.release(now, out);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        self.tracks
            .values()
            .filter_map(Receiver::poll_timeout)
            .min()
    }

    /// Numbers since the last call, which was `elapsed` ago.
    pub(super) fn take_stats(&mut self, elapsed: Duration) -> Vec<TrackStats> {
        self.tracks
            .values_mut()
            .map(|receiver| receiver.take_stats(elapsed))
            .collect()
    }

    /// A new connection begins with every track wished for.
    fn tell_wishes(&self, out: &mut Outbox) {
        if let Some(wishes) = self.shown.wishes() {
            out.send(pack::wishes(wishes), Lane::Control);
        }
    }

    fn receiver(&mut self, session: SessionId, track: Track) -> &mut Receiver {
        let wished = self.shown.wants(session, track);
        self.tracks
            .entry((session, track))
            .or_insert_with(|| Receiver::new(session, track, wished))
    }
}

impl Receiver {
    fn new(session: SessionId, track: Track, wished: bool) -> Self {
        let media = if track.is_audio() {
            Media::Audio(AudioFilter::default())
        } else {
            Media::Video(JitterBuffer::new())
        };
        Self {
            session,
            track,
            media,
            wished,
            live: false,
            tail_until: None,
            decoding: false,
            watch: PictureWatch::new(track),
            shown: false,
            told: Picture::default(),
            undecodable: 0,
            asked_at: None,
            newest: None,
            frames: 0,
            bytes: 0,
        }
    }

    fn frame(&mut self, frame: RemoteFrame, now: Timestamp, out: &mut Outbox) {
        if !self.is_of_use(now) {
            return;
        }
        self.watch.arrived(now);
        self.bytes = self.bytes.saturating_add(frame.data.len() as u64);
        match &mut self.media {
            Media::Audio(filter) => {
                for frame in filter.accept(frame, now) {
                    self.decode(frame, now, out);
                }
            }
            Media::Video(buffer) => {
                buffer.insert(frame, now);
                self.release(now, out);
            }
        }
    }

    fn is_of_use(&self, now: Timestamp) -> bool {
        self.wished && self.tail_until.is_none_or(|until| now >= until)
    }

    fn undecodable(&mut self, now: Timestamp) {
        if self.is_of_use(now) {
            self.watch.arrived(now);
            self.watch.failed(now);
            self.undecodable = self.undecodable.saturating_add(1);
        }
    }

    fn frame_shown(&mut self, now: Timestamp, out: &mut Outbox) {
        self.watch.shown(now);
        self.shown = true;
        self.tell(out);
    }

    fn review_picture(&mut self, connection: Connection, now: Timestamp, out: &mut Outbox) {
        if self.watch.hangs(now) {
            self.decoder_failed(now, out);
        }
        self.watch.review(connection, now);
        self.tell(out);
    }

    fn set_wished(&mut self, wished: bool, now: Timestamp, out: &mut Outbox) {
        if self.wished != wished {
            self.wished = wished;
            self.close_decoder(out);
            self.restart(now);
        }
    }

    fn switched_on(&mut self, now: Timestamp) {
        self.live = true;
        self.tail_until = None;
        self.expect_frames(now);
    }

    /// Frames come soon if the sender sends some and we want them.
    fn expect_frames(&mut self, now: Timestamp) {
        if let Media::Video(buffer) = &mut self.media
            && self.live
            && self.wished
        {
            buffer.expect_frames(now);
            self.watch.expect(now);
        }
    }

    fn switched_off(&mut self, now: Timestamp, out: &mut Outbox) {
        if std::mem::take(&mut self.live) {
            self.tail_until = Some(now + TAIL);
            self.close_decoder(out);
            self.restart(now);
        }
    }

    fn decoder_failed(&mut self, now: Timestamp, out: &mut Outbox) {
        if !self.decoding {
            return;
        }
        let vain = self.watch.failed(now);
        match &mut self.media {
            Media::Audio(_) => self.close_decoder(out),
            Media::Video(buffer) => {
                buffer.decoder_lost();
                self.undecodable = self.undecodable.saturating_add(vain);
                self.decoding = false;
                out.push(Command::RestartDecoder {
                    session: self.session,
                    track: self.track,
                });
            }
        }
        self.release(now, out);
    }

    fn restart(&mut self, now: Timestamp) {
        self.asked_at = None;
        self.watch.restart();
        match &mut self.media {
            Media::Audio(filter) => filter.restart(),
            Media::Video(buffer) => buffer.restart(),
        }
        self.expect_frames(now);
    }

    /// Decodes what is due and asks for what is missing.
    fn release(&mut self, now: Timestamp, out: &mut Outbox) {
        while let Media::Video(buffer) = &mut self.media
            && let Some(frame) = buffer.pop(now)
        {
            self.decode(frame, now, out);
        }
        if self.next_ask().is_some_and(|at| now >= at) {
            self.asked_at = Some(now);
            out.send(
                pack::keyframe_request(self.session, self.track),
                Lane::Control,
            );
        }
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        let Media::Video(buffer) = &self.media else {
            return None;
        };
        buffer
            .poll_timeout()
            .into_iter()
            .chain(self.next_ask())
            .min()
    }

    /// When to ask for a keyframe, if one is needed.
    fn next_ask(&self) -> Option<Timestamp> {
        match &self.media {
            Media::Video(buffer) if buffer.needs_keyframe() => Some(
                self.asked_at
                    .map_or(Timestamp::ZERO, |asked| asked + ASK_INTERVAL),
            ),
            Media::Video(_) | Media::Audio(_) => None,
        }
    }

    fn decode(&mut self, frame: RemoteFrame, now: Timestamp, out: &mut Outbox) {
        self.decoding = true;
        if !self.track.is_audio() {
            self.watch.given(now);
        }
        self.newest = Some((frame.spatial_layer, frame.codec));
        self.frames = self.frames.saturating_add(1);
        out.push(Command::Decode(frame));
    }

    fn close_decoder(&mut self, out: &mut Outbox) {
        if std::mem::take(&mut self.decoding) {
            out.push(Command::CloseDecoder {
                session: self.session,
                track: self.track,
            });
        }
        self.shown = false;
        self.watch.stop();
        self.tell(out);
    }

    /// Tells the page what there is to see, if that is something else than before.
    fn tell(&mut self, out: &mut Outbox) {
        let picture = Picture {
            shown: self.shown,
            trouble: self.watch.trouble(),
        };
        if self.told != picture && !self.track.is_audio() {
            self.told = picture;
            out.emit(Event::Picture {
                session: self.session,
                track: self.track,
                picture,
            });
        }
    }

    fn take_stats(&mut self, elapsed: Duration) -> TrackStats {
        let (mut drops, jitter_ms) = match &mut self.media {
            Media::Audio(filter) => {
                let lost = u32::try_from(filter.take_lost()).unwrap_or(u32::MAX);
                let drops = Drops {
                    lost,
                    ..Drops::default()
                };
                (drops, filter.jitter_ms())
            }
            Media::Video(buffer) => (buffer.take_drops(), buffer.jitter_ms()),
        };
        drops.undecodable = std::mem::take(&mut self.undecodable);
        TrackStats {
            session: self.session,
            track: self.track,
            layer: self
                .newest
                .map(|(layer, _)| layer)
                .filter(|_| !self.track.is_audio()),
            codec: self.newest.map(|(_, codec)| codec),
            frames: std::mem::take(&mut self.frames),
            drops,
            bps: super::stats::bits_per_second(std::mem::take(&mut self.bytes), elapsed),
            jitter_ms,
            output: None,
        }
    }
}
