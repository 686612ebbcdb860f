//! Which video tracks members and other relays show, and what publishers hear of it.

use videocall_types::wishes::{EVERYTHING, FULL_HEIGHT};
use videocall_types::{SessionId, Timestamp, Wishes};

use super::Room;
use crate::demand::Union;
use crate::drop_reason::DropReason;
use crate::forward::TrackId;
use crate::member::Dialect;
use crate::messages;

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
        let before = std::mem::replace(&mut member.wishes, wishes.clone());
        self.demand.doubt(now);
        // First, so that the other relays send what they are asked for a keyframe of.
        self.publish_raised(&wishes);
        let tracks = self.wished(&wishes, now);
        self.raise(&tracks, &before, &wishes, now);
        Ok(())
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

    /// Somebody has joined who wants everything until it says otherwise: each picture begins with a keyframe, and what nobody
    /// has shown so far is sent again.
    pub(super) fn show_all(&mut self, now: Timestamp) {
        self.demand.doubt(now);
        self.publish_raised(&EVERYTHING);
        for track in self.live_video(now) {
            if self.demand.is_paused(&track) && self.demand.raise(track, FULL_HEIGHT) {
                self.tell_demand(track, Some(FULL_HEIGHT));
            }
            if self.last_n.passes(&track) {
                self.want_keyframe(track, now);
            }
        }
    }

    /// Another relay says what its members show.
    pub(super) fn remote_wishes(&mut self, before: &Wishes, wishes: &Wishes, now: Timestamp) {
        self.demand.doubt(now);
        let mut tracks = self.wished(wishes, now);
        // Each relay asks for its own members' tracks.
        tracks.retain(|track| self.members.contains_key(&track.session));
        self.raise(&tracks, before, wishes, now);
    }

    /// Tells publishers what has changed, if it is time.
    pub(super) fn review_demand(&mut self, now: Timestamp) {
        if !self.demand.is_due(now) {
            return;
        }
        let mut local = Union::default();
        for (session, member) in &self.members {
            if member.can.receive_media {
                local.add(&member.wishes, Some(*session));
            }
        }
        if self.remotes.any() {
            let wishes = local.to_wishes(|session| self.remotes.contains(session));
            if wishes != *self.published_wishes() {
                self.publish_wishes(wishes);
            }
        }
        let mut all = local;
        for wishes in self.remotes.wishes() {
            all.add(wishes, None);
        }
        let mut tracks = self.live_video(now);
        tracks.retain(|track| self.members.contains_key(&track.session));
        for track in tracks {
            let publisher = self.members.get(&track.session);
            let publisher = publisher.filter(|member| member.can.receive_media);
            let height = all.height(&track, publisher.map(|member| &member.wishes));
            let was_paused = self.demand.is_paused(&track);
            if self.demand.set(track, height) {
                self.tell_demand(track, height);
                if was_paused {
                    self.want_keyframe(track, now);
                }
            }
        }
    }

    /// The tracks that wishes are about.
    fn wished(&self, wishes: &Wishes, now: Timestamp) -> Vec<TrackId> {
        if wishes.others {
            return self.live_video(now);
        }
        let named = wishes.shown.keys();
        named
            .map(|(session, track)| TrackId {
                session: *session,
                track: *track,
            })
            .collect()
    }

    /// What somebody shows more of: publishers send more of it, and what was not shown before begins with a keyframe.
    fn raise(&mut self, tracks: &[TrackId], before: &Wishes, wishes: &Wishes, now: Timestamp) {
        for track in tracks.iter().copied() {
            let of = |wishes: &Wishes| wishes.height(track.session, track.track);
            let Some(height) = of(wishes).filter(|height| Some(*height) > of(before)) else {
                continue;
            };
            if self.members.contains_key(&track.session) && self.demand.raise(track, height) {
                self.tell_demand(track, Some(height));
            }
            if of(before).is_none() && self.last_n.passes(&track) {
                self.want_keyframe(track, now);
            }
        }
    }

    /// Other relays hear at once what they have to send that they did not.
    fn publish_raised(&mut self, wishes: &Wishes) {
        if !self.remotes.any() {
            return;
        }
        let mut union = Union::default();
        let published = self.published_wishes();
        union.add(published, None);
        union.add(wishes, None);
        let wishes = union.to_wishes(|session| self.remotes.contains(session));
        let rises = (wishes.others && !published.others)
            || wishes.shown.iter().any(|((session, track), height)| {
                published.height(*session, *track) < Some(*height)
            });
        if rises {
            self.publish_wishes(wishes);
        }
    }

    fn publish_wishes(&mut self, wishes: Wishes) {
        self.publish(messages::wishes(self.server, &wishes));
        self.published_wishes = Some(wishes);
    }

    fn published_wishes(&self) -> &Wishes {
        self.published_wishes.as_ref().unwrap_or(&EVERYTHING)
    }

    /// For whoever has missed it.
    pub(super) fn repeat_wishes(&mut self) {
        if let Some(wishes) = &self.published_wishes {
            self.publish(messages::wishes(self.server, wishes));
        }
    }

    /// A stock client does not know the message, and sends all.
    fn tell_demand(&mut self, track: TrackId, height: Option<u32>) {
        let publisher = self.members.get(&track.session);
        if publisher.is_some_and(|member| member.dialect == Dialect::Native) {
            let demand = messages::demand(track.track, height);
            self.send(vec![track.session], demand);
        }
    }
}
