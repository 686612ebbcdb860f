//! Who else is in the room.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use videocall_types::proto::control::{self as wire, Presence};
use videocall_types::{DisplayName, SessionId, UserId};

use crate::event::Participant;

/// More than any room has; what a relay names beyond it is not taken in.
const MAX_PARTICIPANTS: usize = 4096;
/// The relay may still know a session of ours from before a loss.
const MAX_OWN: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Roster {
    participants: BTreeMap<SessionId, Participant>,
    own: VecDeque<SessionId>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Difference {
    Left(SessionId),
    /// New, or not as before.
    Changed(Participant),
}

impl Roster {
    /// `session` is us, and never somebody else.
    pub(super) fn add_own(&mut self, session: SessionId) {
        self.own.push_back(session);
        if self.own.len() > MAX_OWN {
            self.own.pop_front();
        }
    }

    pub(super) fn contains(&self, session: SessionId) -> bool {
        self.participants.contains_key(&session)
    }

    /// Takes in what the relay says: the differences, those who left first.
    pub(super) fn apply(&mut self, presence: Presence) -> Vec<Difference> {
        let left: Vec<SessionId> = presence
            .left
            .iter()
            .filter_map(|raw| SessionId::new(*raw))
            .collect();
        let named: Vec<Participant> = presence
            .participants
            .into_iter()
            .filter_map(|p| self.read(p))
            .collect();
        let gone: Vec<SessionId> = if presence.snapshot {
            let stay: BTreeSet<SessionId> = named
                .iter()
                .map(|participant| participant.session)
                .collect();
            self.participants
                .keys()
                .filter(|session| !stay.contains(session))
                .copied()
                .collect()
        } else {
            left
        };
        let mut differences = Vec::new();
        for session in gone {
            if self.participants.remove(&session).is_some() {
                differences.push(Difference::Left(session));
            }
        }
        for participant in named {
            if self.is_news(&participant) {
                self.participants
                    .insert(participant.session, participant.clone());
                differences.push(Difference::Changed(participant));
            }
        }
        differences
    }

    fn is_news(&self, participant: &Participant) -> bool {
        match self.participants.get(&participant.session) {
            Some(known) => known != participant,
            None => self.participants.len() < MAX_PARTICIPANTS,
        }
    }

    /// `None` for ourselves and for what no relay admits.
    fn read(&self, participant: wire::Participant) -> Option<Participant> {
        let session =
            SessionId::new(participant.session_id).filter(|session| !self.own.contains(session))?;
        let user: UserId = std::str::from_utf8(&participant.user_id)
            .ok()?
            .parse()
            .ok()?;
        let name = DisplayName::new(&participant.display_name).or_user(&user);
        let state = participant.state.unwrap_or_default();
        Some(Participant {
            session,
            user_id: user.into(),
            display_name: name.into(),
            camera: state.camera,
            microphone: state.microphone,
            screen: state.screen,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(session: u64, user: &str, camera: bool) -> wire::Participant {
        let mut participant = wire::Participant::new();
        participant.session_id = session;
        participant.user_id = user.to_owned().into();
        participant.state.mut_or_insert_default().camera = camera;
        participant
    }

    fn presence(snapshot: bool, participants: &[wire::Participant], left: &[u64]) -> Presence {
        let mut presence = Presence::new();
        presence.snapshot = snapshot;
        presence.participants = participants.to_vec();
        presence.left = left.to_vec();
        presence
    }

    fn ids(differences: &[Difference]) -> Vec<String> {
        let id = |difference: &Difference| match difference {
            Difference::Left(session) => format!("-{}", session.get()),
            Difference::Changed(participant) => format!("+{}", participant.session.get()),
        };
        differences.iter().map(id).collect()
    }

    #[test]
    fn only_differences_come_out() {
        let mut roster = Roster::default();
        let (ada, bob) = (named(1, "ada", false), named(2, "bob", true));
        assert_eq!(
            ids(&roster.apply(presence(true, &[ada.clone(), bob.clone()], &[]))),
            ["+1", "+2"]
        );
        assert!(
            roster
                .apply(presence(true, &[bob.clone(), ada], &[]))
                .is_empty()
        );
        assert_eq!(
            ids(&roster.apply(presence(false, &[named(1, "ada", true)], &[9]))),
            ["+1"]
        );
        assert_eq!(
            ids(&roster.apply(presence(true, &[bob, named(3, "eve", false)], &[]))),
            ["-1", "+3"]
        );
        assert_eq!(ids(&roster.apply(presence(false, &[], &[2, 0, 2]))), ["-2"]);
    }

    #[test]
    fn neither_we_nor_the_inadmissible_are_taken_in() {
        let mut roster = Roster::default();
        roster.add_own(SessionId::new(4).unwrap());
        let strange = [
            named(4, "me", true),
            named(0, "nobody", true),
            named(5, "a b", true),
            named(6, "", true),
        ];
        assert!(roster.apply(presence(true, &strange, &[])).is_empty());
        let many: Vec<wire::Participant> = (10..10_000).map(|n| named(n, "x", false)).collect();
        assert_eq!(
            roster.apply(presence(false, &many, &[])).len(),
            MAX_PARTICIPANTS
        );
    }

    #[test]
    fn a_name_is_made_presentable() {
        let mut ada = named(1, "ada", false);
        ada.display_name = "\u{202E} ".into();
        let differences = Roster::default().apply(presence(true, &[ada], &[]));
        let [Difference::Changed(participant)] = &differences[..] else {
            panic!("{differences:?}")
        };
        assert_eq!(participant.display_name, "ada");
    }
}
