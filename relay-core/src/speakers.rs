//! Who speaks, as the members are told.

use videocall_types::{SessionId, Timestamp};

use crate::loudest::{Loudest, Voice};
use crate::policy::RoomPolicy;

/// Those of the [`Loudest`] who speak: in the order in which they began, except that whoever is much louder than the first
/// one leads.
#[derive(Debug, Default)]
pub(crate) struct Speakers {
    order: Vec<SessionId>,
    /// What the members were told last.
    told: Vec<SessionId>,
    told_at: Option<Timestamp>,
}

impl Speakers {
    /// Takes in who speaks by now. What the members are to be told, if that is due.
    pub(crate) fn review(
        &mut self,
        loudest: &Loudest,
        policy: &RoomPolicy,
        now: Timestamp,
    ) -> Option<&[SessionId]> {
        let end = |voice: &Voice| voice.end_of_speech(policy.voice_hold);
        let speaks = |voice: &Voice| end(voice).is_some_and(|end| now < end);
        self.order
            .retain(|session| loudest.voice(*session).is_some_and(speaks));
        for voice in loudest.voices().iter().filter(|voice| speaks(voice)) {
            if !self.order.contains(&voice.session) {
                self.order.push(voice.session);
            }
        }
        self.choose_leader(loudest);
        if self.order == self.told || self.next(policy) > now {
            return None;
        }
        self.told.clone_from(&self.order);
        self.told_at = Some(now);
        Some(&self.told)
    }

    /// What the members were told last.
    pub(crate) fn told(&self) -> &[SessionId] {
        &self.told
    }

    /// When [`review`](Self::review) has something to say, if nobody speaks meanwhile.
    pub(crate) fn poll_timeout(&self, loudest: &Loudest, policy: &RoomPolicy) -> Option<Timestamp> {
        if self.order != self.told {
            return Some(self.next(policy));
        }
        let end = |session| loudest.voice(session)?.end_of_speech(policy.voice_hold);
        let ends = self.order.iter().map(|session| end(*session));
        // Whoever has no voice any more has left.
        let first = ends.map(|end| end.unwrap_or(Timestamp::ZERO)).min()?;
        Some(first.max(self.next(policy)))
    }

    fn choose_leader(&mut self, loudest: &Loudest) {
        let Some(leader) = self.order.first().and_then(|first| loudest.voice(*first)) else {
            return;
        };
        let drowns = |session| {
            loudest
                .voice(session)
                .is_some_and(|voice| voice.drowns(leader))
        };
        let challenger = self.order.iter().position(|session| drowns(*session));
        if let Some(at) = challenger
            && let Some(front) = self.order.get_mut(..=at)
        {
            front.rotate_right(1);
        }
    }

    fn next(&self, policy: &RoomPolicy) -> Timestamp {
        self.told_at
            .map_or(Timestamp::ZERO, |told| told + policy.speakers_interval)
    }
}
