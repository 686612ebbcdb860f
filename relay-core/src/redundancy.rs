//! How many earlier frames the packets of each sound shall repeat: what listeners lack, and what publishers were told.

use std::collections::BTreeMap;

use videocall_types::limits::MAX_REDUNDANCY;
use videocall_types::{Redundancy, ServerId, SessionId, Track};

/// One listener in so many may lack something before everybody's packets become larger for it: its network is worse than
/// that of the others, and with it the room's traffic would rise by half.
const IGNORED_ONE_IN: usize = 20;

/// What is lacked where, and who was told.
#[derive(Debug, Default)]
pub(crate) struct Lack {
    listeners: BTreeMap<SessionId, Redundancy>,
    relays: BTreeMap<ServerId, Redundancy>,
    told: BTreeMap<SessionId, Redundancy>,
    /// What the other relays were told.
    published: Option<Redundancy>,
}

/// Who has to be told something else than before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// Publishers of this relay.
    pub(crate) publishers: Vec<(SessionId, Redundancy)>,
    /// The other relays.
    pub(crate) relays: Option<Redundancy>,
}

impl Lack {
    /// A listener of this relay says what it lacks.
    pub(crate) fn set(&mut self, listener: SessionId, mut lacks: Redundancy) {
        // Nobody hears oneself.
        lacks.frames.retain(|(session, _), _| *session != listener);
        if lacks.frames.is_empty() {
            self.listeners.remove(&listener);
        } else {
            self.listeners.insert(listener, lacks);
        }
    }

    /// Another relay says what its members lack.
    pub(crate) fn set_relay(&mut self, server: ServerId, lacks: Redundancy) {
        self.relays.insert(server, lacks);
    }

    /// `session` has left.
    pub(crate) fn forget(&mut self, session: SessionId) {
        self.listeners.remove(&session);
        self.told.remove(&session);
    }

    /// A relay has no members any more.
    pub(crate) fn forget_relay(&mut self, server: ServerId) {
        self.relays.remove(&server);
    }

    /// What the other relays were told, for whoever has missed it.
    pub(crate) fn published(&self) -> Option<&Redundancy> {
        self.published.as_ref()
    }

    /// Compares what is lacked with what was told, in a room with so many members on this relay.
    pub(crate) fn review(
        &mut self,
        members: usize,
        is_ours: impl Fn(SessionId) -> bool,
        is_remote: impl Fn(SessionId) -> bool,
    ) -> News {
        let local = self.of_most(members);
        let mut wanted: BTreeMap<SessionId, Redundancy> = BTreeMap::new();
        // Whoever was told of something hears when it is over.
        for session in self.told.keys() {
            wanted.insert(*session, Redundancy::default());
        }
        let lacks = std::iter::once(&local).chain(self.relays.values());
        for ((session, track), frames) in lacks.flat_map(|lacks| &lacks.frames) {
            if is_ours(*session) {
                let frames_by_track = &mut wanted.entry(*session).or_default().frames;
                let most = frames_by_track.entry((*session, *track)).or_default();
                *most = (*frames).max(*most);
            }
        }
        let mut news = News::default();
        for (session, redundancy) in &wanted {
            if self.told.get(session) != Some(redundancy) {
                news.publishers.push((*session, redundancy.clone()));
            }
        }
        self.told = wanted;
        self.told
            .retain(|_, redundancy| !redundancy.frames.is_empty());
        let mut remote = local;
        remote.frames.retain(|(session, _), _| is_remote(*session));
        let nothing = Redundancy::default();
        if self.published.as_ref().unwrap_or(&nothing) != &remote {
            news.relays = Some(remote.clone());
            self.published = Some(remote);
        }
        news
    }

    /// What suffices for all listeners but the few worst ones.
    fn of_most(&self, members: usize) -> Redundancy {
        let mut lacking: BTreeMap<(SessionId, Track), [usize; MAX_REDUNDANCY as usize]> =
            BTreeMap::new();
        for (track, frames) in self.listeners.values().flat_map(|lacks| &lacks.frames) {
            let lacking = lacking.entry(*track).or_default();
            lacking
                .iter_mut()
                .take(usize::from(*frames))
                .for_each(|listeners| *listeners += 1);
        }
        let ignored = members / IGNORED_ONE_IN;
        let suffices = |lacking: [usize; MAX_REDUNDANCY as usize]| {
            let steps = lacking.iter().take_while(|listeners| **listeners > ignored);
            u8::try_from(steps.count()).unwrap_or(MAX_REDUNDANCY)
        };
        let tracks = lacking.into_iter();
        let frames = tracks.map(|(track, lacking)| (track, suffices(lacking)));
        Redundancy {
            frames: frames.filter(|(_, frames)| *frames > 0).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: SessionId = SessionId::new(1).unwrap();

    fn of_ada(frames: u8) -> Redundancy {
        Redundancy {
            frames: [((ADA, Track::Microphone), frames)].into(),
        }
    }

    /// What Ada hears when listeners 2, 3, ... of a room of `members` lack `frames`.
    fn told(members: usize, frames: &[u8]) -> Vec<u8> {
        let mut lack = Lack::default();
        for (listener, frames) in (2..).zip(frames) {
            lack.set(SessionId::new(listener).unwrap(), of_ada(*frames));
        }
        let news = lack.review(members, |session| session == ADA, |_| false);
        assert_eq!(news.relays, None);
        heard(news)
    }

    /// The frames for Ada's microphone in each message to her.
    fn heard(news: News) -> Vec<u8> {
        let to_ada = news.publishers.into_iter();
        to_ada
            .map(|(_, redundancy)| redundancy.frames.values().copied().max().unwrap_or(0))
            .collect()
    }

    #[test]
    fn in_a_small_room_the_worst_listener_decides() {
        assert_eq!(told(4, &[1, 2]), [2]);
        assert_eq!(told(19, &[1]), [1]);
    }

    #[test]
    fn in_a_large_room_one_in_twenty_is_left_alone() {
        assert_eq!(told(20, &[2]), [0; 0]);
        assert_eq!(told(20, &[1, 2]), [1]);
        assert_eq!(told(1_000, &[2; 50]), [0; 0]);
        assert_eq!(told(1_000, &[2; 51]), [2]);
    }

    #[test]
    fn only_what_changes_is_told() {
        let mut lack = Lack::default();
        let bob = SessionId::new(2).unwrap();
        let review = |lack: &mut Lack| {
            let news = lack.review(2, |session| session == ADA, |_| false);
            heard(news)
        };
        lack.set(bob, of_ada(1));
        assert_eq!(review(&mut lack), [1]);
        assert_eq!(review(&mut lack), [0; 0]);
        lack.set_relay(ServerId(7), of_ada(2));
        assert_eq!(review(&mut lack), [2]);
        lack.forget_relay(ServerId(7));
        assert_eq!(review(&mut lack), [1]);
        lack.forget(bob);
        assert_eq!(review(&mut lack), [0]);
        lack.set(ADA, of_ada(2));
        assert_eq!(review(&mut lack), [0; 0], "nobody hears oneself");
    }

    #[test]
    fn other_relays_hear_what_concerns_their_members() {
        let mut lack = Lack::default();
        let bob = SessionId::new(2).unwrap();
        lack.set(bob, of_ada(1));
        let news = lack.review(1, |session| session == bob, |session| session == ADA);
        assert_eq!(news.relays, Some(of_ada(1)));
        lack.forget(bob);
        let news = lack.review(0, |_| false, |session| session == ADA);
        assert_eq!(news.relays, Some(Redundancy::default()));
    }
}
