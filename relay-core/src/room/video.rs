//! Whose video the members of this relay get while it is overloaded.

use videocall_types::{SessionId, Timestamp, Track};

use super::Room;
use crate::forward::{Content, LayerId, TrackId};
use crate::last_n::{Camera, LastN, Limit};
use crate::layers::TrackLayers;
use crate::member::Activity;
use crate::overload::Level;

impl<H> Room<H> {
    /// What the relay gives up has changed.
    pub fn set_level(&mut self, level: Level, now: Timestamp) {
        self.level = level;
        self.limit_video(now);
    }

    /// The level or the number of members has changed.
    pub(super) fn limit_video(&mut self, now: Timestamp) {
        let limit = Limit::of(self.level, self.people(), &self.policy);
        if limit != self.last_n.limit() {
            self.change_places(now, |last_n, cameras| last_n.set_limit(limit, cameras));
        }
    }

    /// Places of cameras that have stopped go to others.
    pub(super) fn refill_places(&mut self, now: Timestamp) {
        if self.last_n.limit() != Limit::Open {
            self.change_places(now, LastN::fill);
        }
    }

    /// Whether the members get what `from` sent.
    pub(super) fn passes(&mut self, from: SessionId, content: &Content, now: Timestamp) -> bool {
        if self.last_n.limit() == Limit::Open {
            return true;
        }
        if content.is_voice(self.policy.voice_level) {
            self.favour(from, now);
        }
        let Content::Media(routing) = content else {
            return true;
        };
        let track = TrackId {
            session: from,
            track: routing.track,
        };
        if track.track == Track::Camera && !self.last_n.passes(&track) && self.last_n.has_place() {
            self.change_places(now, LastN::fill);
        }
        self.last_n.passes(&track)
    }

    /// The video tracks that are live.
    pub(super) fn live_video(&self, now: Timestamp) -> Vec<TrackId> {
        let local = self.members.iter().flat_map(|(session, member)| {
            let tracks = member.video(&self.policy, now);
            tracks.map(|track| (*session, track))
        });
        local
            .chain(self.remotes.live_video(&self.policy, now))
            .map(TrackId::from)
            .collect()
    }

    /// Whether a video track is among those.
    pub(super) fn is_live(&self, track: TrackId, now: Timestamp) -> bool {
        let local = self.members.get(&track.session).into_iter();
        local
            .flat_map(|member| member.video(&self.policy, now))
            .chain(self.remotes.video_of(track.session, &self.policy, now))
            .any(|live| live == track.track)
    }

    /// When a member of any relay was last seen and heard.
    pub(super) fn activity(&self, session: SessionId) -> Option<&Activity> {
        match self.members.get(&session) {
            Some(member) => Some(&member.activity),
            None => self.remotes.activity(session),
        }
    }

    /// `speaker` speaks: its camera is what the others want to see.
    fn favour(&mut self, speaker: SessionId, now: Timestamp) {
        let interval = self.policy.speaker_interval;
        let activity = self.activity(speaker);
        let has_camera = |activity: &Activity| activity.has_camera(&self.policy, now);
        if self.last_n.is_time(speaker, interval, now) && activity.is_some_and(has_camera) {
            self.change_places(now, |last_n, cameras| {
                last_n.judge(speaker, cameras, interval, now);
            });
        }
    }

    /// Whoever is seen again by that is asked for a keyframe.
    fn change_places(&mut self, now: Timestamp, change: impl FnOnce(&mut LastN, &[Camera])) {
        let mut hidden = self.live_video(now);
        hidden.retain(|track| !self.last_n.passes(track));
        let local = self
            .members
            .iter()
            .map(|(session, member)| (*session, &member.activity));
        let cameras: Vec<Camera> = local
            .chain(self.remotes.activities())
            .filter(|(_, activity)| activity.has_camera(&self.policy, now))
            .map(|(session, activity)| Camera {
                session,
                voice: activity.voice(),
            })
            .collect();
        change(&mut self.last_n, &cameras);
        hidden.retain(|track| self.last_n.passes(track));
        for track in hidden {
            let sent = self.layers.get(&track).map(TrackLayers::sent);
            for spatial_layer in sent.unwrap_or_default().iter() {
                self.want_keyframe(
                    LayerId {
                        track,
                        spatial_layer,
                    },
                    now,
                );
            }
        }
    }
}
