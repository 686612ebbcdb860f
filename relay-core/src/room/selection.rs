//! Which video each member gets.

use std::collections::BTreeMap;

use videocall_types::{SessionId, Timestamp, Wishes};

use super::Room;
use crate::command::Command;
use crate::drop_reason::DropReason;
use crate::forward::{LayerId, TrackId};
use crate::layers::TrackLayers;
use crate::member::{Dialect, Member};
use crate::selection::{Selection, Shown, filling, select};

/// The voices that a receiver gets at most.
const VOICES: usize = 3;

impl<H> Room<H> {
    /// A member says what it shows.
    ///
    /// # Errors
    /// The reason why it gets nothing anyway.
    pub fn wish(
        &mut self,
        from: SessionId,
        wishes: Wishes,
        now: Timestamp,
    ) -> Result<(), DropReason> {
        let member = self.members.get_mut(&from).ok_or(DropReason::NotMember)?;
        if !member.can.receive_media {
            return Err(DropReason::NotAllowed);
        }
        member.wishes = wishes;
        self.select_for(from, None, now);
        Ok(())
    }

    /// A member's connection carries so many bits per second; `None`: all that it gets.
    pub fn limit_downlink(&mut self, session: SessionId, limit: Option<u64>, now: Timestamp) {
        if let Some(member) = self.members.get_mut(&session) {
            member.limit = limit;
            self.select_for(session, None, now);
            self.consider_lack_of(session);
        }
    }

    /// What somebody who joins gets until it says what it shows: everything, but in a large room, where that would be too
    /// much, only if it can't say.
    pub(super) fn first_wishes(&self, dialect: Dialect) -> Wishes {
        if dialect == Dialect::Native && self.people() >= self.policy.large_above {
            Wishes::nothing()
        } else {
            Wishes::everything()
        }
    }

    /// What is sent of a track is not what it was. `coming`: a keyframe of this layer is at hand.
    pub(super) fn layers_changed(
        &mut self,
        track: TrackId,
        coming: Option<LayerId>,
        now: Timestamp,
    ) {
        let wants = |member: &Member<H>| member.wishes.want(track.session, track.track);
        let members = self.members.iter();
        let concerned: Vec<SessionId> = members
            .filter(|(session, member)| **session != track.session && wants(member))
            .map(|(session, _)| *session)
            .collect();
        for session in concerned {
            self.select_for(session, coming, now);
        }
    }

    /// What members get whose connection does not carry all depends on what the layers take at the moment.
    pub(super) fn select_for_limited(&mut self, now: Timestamp) {
        let members = self.members.iter();
        let limited: Vec<SessionId> = members
            .filter(|(_, member)| member.limit.is_some())
            .map(|(session, _)| *session)
            .collect();
        for session in limited {
            self.select_for(session, None, now);
        }
    }

    /// Chooses what a member gets; sees to it that it is sent, and that it begins with a keyframe, unless that is `coming`.
    pub(super) fn select_for(
        &mut self,
        session: SessionId,
        coming: Option<LayerId>,
        now: Timestamp,
    ) {
        let voices = self.people().saturating_sub(1).min(VOICES) as u64;
        let tracks = self.shown_by(session, now);
        let Some(member) = self.members.get(&session) else {
            return;
        };
        if !member.can.receive_media {
            return;
        }
        let shown = tracks.into_iter().map(|(track, height)| Shown {
            track,
            height,
            is_live: self.is_live(track, now),
            layers: self.layers.get(&track),
            present: member.picks.get(&track).and_then(|pick| pick.grade()),
        });
        let selection = select(member.limit, voices, shown.collect(), now);
        let is_limited = member.limit.is_some();
        if member.wanted != selection.wanted {
            let wanted = selection.wanted;
            self.commands.push_back(Command::Want { session, wanted });
        }
        let waiting = self.aim(session, &selection, is_limited);
        self.demand.doubt(now);
        self.raise(session, &selection.grades);
        for layer in waiting {
            if Some(layer) != coming && self.last_n.passes(&layer.track) {
                self.want_keyframe(layer, now);
            }
        }
    }

    /// The tracks that a member shows, with their heights.
    fn shown_by(&self, session: SessionId, now: Timestamp) -> BTreeMap<TrackId, u32> {
        let Some(member) = self.members.get(&session) else {
            return BTreeMap::new();
        };
        let wishes = &member.wishes;
        let named = wishes.shown.iter();
        let mut shown: BTreeMap<TrackId, u32> = named
            .map(|(track, height)| (TrackId::from(*track), *height))
            .collect();
        if wishes.others {
            for track in self.live_video(now) {
                if let Some(height) = wishes.height(track.session, track.track) {
                    shown.entry(track).or_insert(height);
                }
            }
        }
        shown.retain(|track, _| track.session != session);
        shown
    }

    /// A member gets what was chosen. Returns the layers that it needs a keyframe of.
    fn aim(
        &mut self,
        session: SessionId,
        Selection { grades, wanted }: &Selection,
        is_limited: bool,
    ) -> Vec<LayerId> {
        let Some(member) = self.members.get_mut(&session) else {
            return Vec::new();
        };
        member.wanted = *wanted;
        let (wishes, layers) = (&member.wishes, &self.layers);
        let sent = |track: &TrackId| layers.get(track).map(TrackLayers::sent).unwrap_or_default();
        member.picks.retain(|track, pick| {
            let height = wishes.height(track.session, track.track);
            if let Some(height) = height.filter(|_| !grades.contains_key(track)) {
                // It is not live, but goes on where it was.
                pick.aim(Some(filling(track.track, height)), sent(track), false);
            }
            height.is_some()
        });
        let mut waiting = Vec::new();
        for (track, grade) in grades {
            let pick = member.picks.entry(*track).or_default();
            let waits = pick.aim(*grade, sent(track), is_limited);
            if let Some(spatial_layer) = pick.target().filter(|_| waits) {
                waiting.push(LayerId {
                    track: *track,
                    spatial_layer,
                });
            }
        }
        waiting
    }
}
