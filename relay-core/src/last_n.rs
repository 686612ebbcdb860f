//! Whose video a room passes on while the relay is overloaded.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::Duration;

use videocall_types::{SessionId, Timestamp, Track};

use crate::forward::TrackId;
use crate::overload::Level;
use crate::policy::RoomPolicy;

/// What video a room passes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Limit {
    /// All.
    #[default]
    Open,
    /// So many cameras, and every screen.
    Cameras(usize),
    /// None.
    AudioOnly,
}

impl Limit {
    /// The limit of a room with so many members.
    pub(crate) const fn of(level: Level, members: usize, policy: &RoomPolicy) -> Self {
        match level {
            Level::Normal | Level::NoNewRooms => Self::Open,
            Level::FewerVideos { last_n } => Self::Cameras(last_n),
            Level::AudioOnly if members > policy.audio_only_above => Self::AudioOnly,
            Level::AudioOnly => Self::Open,
        }
    }
}

/// A camera that sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Camera {
    pub(crate) session: SessionId,
    /// When the participant spoke last.
    pub(crate) voice: Option<Timestamp>,
}

/// The cameras that have a place. Who has one keeps it until somebody without one speaks; then the one goes who has been
/// silent for longest.
#[derive(Debug, Default)]
pub(crate) struct LastN {
    limit: Limit,
    places: BTreeSet<SessionId>,
    /// When it was last judged who speaks.
    judged: Option<Timestamp>,
}

impl LastN {
    pub(crate) const fn limit(&self) -> Limit {
        self.limit
    }

    /// Whether the members get this track.
    pub(crate) fn passes(&self, track: &TrackId) -> bool {
        match (self.limit, track.track) {
            (Limit::Open, _)
            | (_, Track::Microphone | Track::ScreenAudio)
            | (Limit::Cameras(_), Track::Screen) => true,
            (Limit::Cameras(_), Track::Camera) => self.places.contains(&track.session),
            (Limit::AudioOnly, Track::Camera | Track::Screen) => false,
        }
    }

    /// Whether a place is free.
    pub(crate) fn has_place(&self) -> bool {
        matches!(self.limit, Limit::Cameras(n) if self.places.len() < n)
    }

    pub(crate) fn set_limit(&mut self, limit: Limit, cameras: &[Camera]) {
        self.limit = limit;
        self.fill(cameras);
    }

    /// Takes the places of those that are not among `cameras` or too many, and gives away those that are free.
    pub(crate) fn fill(&mut self, cameras: &[Camera]) {
        let Limit::Cameras(n) = self.limit else {
            self.places.clear();
            return;
        };
        let mut ranked = cameras.to_vec();
        ranked.sort_by_key(|camera| {
            let has_place = self.places.contains(&camera.session);
            (!has_place, Reverse(camera.voice), camera.session)
        });
        self.places = ranked
            .into_iter()
            .take(n)
            .map(|camera| camera.session)
            .collect();
    }

    /// Whether it is time to judge, for `speaker`, who has a place. Judging costs a look at everybody, so that speaking is
    /// not enough to cause it.
    pub(crate) fn is_time(&self, speaker: SessionId, interval: Duration, now: Timestamp) -> bool {
        matches!(self.limit, Limit::Cameras(_))
            && !self.places.contains(&speaker)
            && self.judged.is_none_or(|judged| now - judged >= interval)
    }

    /// `speaker` is among `cameras`, has no place and speaks. Gives it the place of whoever has been silent for longest,
    /// unless that is less than `interval`.
    pub(crate) fn judge(
        &mut self,
        speaker: SessionId,
        cameras: &[Camera],
        interval: Duration,
        now: Timestamp,
    ) {
        self.judged = Some(now);
        self.fill(cameras);
        if self.places.contains(&speaker) {
            return;
        }
        let quietest = cameras
            .iter()
            .filter(|camera| self.places.contains(&camera.session))
            .min_by_key(|camera| (camera.voice, Reverse(camera.session)));
        if let Some(camera) = quietest
            && camera.voice.is_none_or(|voice| now - voice >= interval)
        {
            self.places.remove(&camera.session);
            self.places.insert(speaker);
        }
    }

    /// `session` has left.
    pub(crate) fn forget(&mut self, session: SessionId) {
        self.places.remove(&session);
    }
}
