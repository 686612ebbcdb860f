//! What publishers and other relays hear of the video that members get.

use std::collections::BTreeMap;

use videocall_types::demand::EVERYTHING;
use videocall_types::layers::layer_for;
use videocall_types::{Interest, LayerSet, SessionId, Timestamp};

use super::Room;
use crate::demand::Union;
use crate::forward::TrackId;
use crate::member::Member;
use crate::messages;
use crate::selection::Grade;

impl<H> Room<H> {
    /// Publishers send more at once when somebody gets more; other relays pass on more.
    pub(super) fn raise(&mut self, session: SessionId, grades: &BTreeMap<TrackId, Option<Grade>>) {
        // First, so that the other relays send what they are asked for a keyframe of.
        if let Some(member) = self.members.get(&session) {
            let interest = interest(member);
            self.publish_raised(&interest);
        }
        for (track, grade) in grades {
            if let Some(grade) = grade {
                self.raise_demand(*track, LayerSet::only(grade.layer));
            }
        }
    }

    fn raise_demand(&mut self, track: TrackId, layers: LayerSet) {
        if self.members.contains_key(&track.session)
            && let Some(layers) = self.demand.raise(track, layers)
        {
            self.tell_demand(track, layers);
        }
    }

    /// Another relay says what its members get. It asks for the keyframes itself.
    pub(super) fn remote_interest(&mut self, interest: &Interest, now: Timestamp) {
        self.demand.doubt(now);
        let mut wanted: BTreeMap<TrackId, LayerSet> = BTreeMap::new();
        if interest.others {
            let live = self.live_video(now).into_iter();
            wanted.extend(live.map(|track| (track, LayerSet::full(track.track))));
        }
        let named = interest.tracks.iter();
        wanted.extend(named.map(|(track, layers)| (TrackId::from(*track), *layers)));
        for (track, layers) in wanted {
            self.raise_demand(track, layers);
        }
    }

    /// Tells publishers what has changed, if it is time.
    pub(super) fn review_demand(&mut self, now: Timestamp) {
        if !self.demand.is_due(now) {
            return;
        }
        let mut local = Union::default();
        for (session, member) in &self.members {
            if member.can.receive_media {
                local.add(&interest(member), Some(*session));
            }
        }
        if self.remotes.any() {
            let interest = local.to_interest(|session| self.remotes.contains(session));
            if interest != *self.published_interest() {
                self.publish_interest(interest);
            }
        }
        let mut all = local;
        for interest in self.remotes.interests() {
            all.add(interest, None);
        }
        let mut tracks = self.live_video(now);
        tracks.retain(|track| self.members.contains_key(&track.session));
        for track in tracks {
            let publisher = self.members.get(&track.session);
            let is_open =
                publisher.is_some_and(|member| member.can.receive_media && member.wishes.others);
            let layers = all.layers(&track, is_open);
            if self.demand.set(track, layers) {
                self.tell_demand(track, layers);
            }
        }
    }

    /// Other relays hear at once what they have to send that they did not.
    fn publish_raised(&mut self, interest: &Interest) {
        if !self.remotes.any() {
            return;
        }
        let mut union = Union::default();
        let published = self.published_interest();
        union.add(published, None);
        union.add(interest, None);
        let interest = union.to_interest(|session| self.remotes.contains(session));
        let rises = (interest.others && !published.others)
            || interest.tracks.iter().any(|((session, track), layers)| {
                !published.layers(*session, *track).covers(*layers)
            });
        if rises {
            self.publish_interest(interest);
        }
    }

    fn publish_interest(&mut self, interest: Interest) {
        self.publish(messages::interest(self.server, &interest));
        self.published_interest = Some(interest);
    }

    fn published_interest(&self) -> &Interest {
        self.published_interest.as_ref().unwrap_or(&EVERYTHING)
    }

    /// For whoever has missed it.
    pub(super) fn repeat_interest(&mut self) {
        if let Some(interest) = &self.published_interest {
            self.publish(messages::interest(self.server, interest));
        }
    }

    /// A stock client sends all.
    fn tell_demand(&mut self, track: TrackId, layers: LayerSet) {
        self.tell_native(track.session, || messages::demand(track.track, layers));
    }
}

/// What a member gets, or would get of what is not sent yet.
fn interest<H>(member: &Member<H>) -> Interest {
    let wished = member
        .wishes
        .shown
        .iter()
        .map(|((session, track), height)| {
            let layers = LayerSet::only(layer_for(*track, *height));
            ((*session, *track), layers)
        });
    let mut tracks: BTreeMap<_, _> = wished.collect();
    for (track, pick) in &member.picks {
        let layers = pick.grade().map(|grade| LayerSet::only(grade.layer));
        tracks.insert((track.session, track.track), layers.unwrap_or_default());
    }
    Interest {
        tracks,
        others: member.wishes.others,
    }
}
