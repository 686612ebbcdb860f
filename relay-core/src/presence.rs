//! Who is known to be in the room, and what has changed since everybody was told.

use std::collections::BTreeMap;
use std::time::Duration;

use videocall_types::{SessionId, Timestamp};

use crate::member::Profile;

/// What everybody is told next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// New in the room.
    pub joined: Vec<(SessionId, Profile)>,
    /// With a new state.
    pub changed: Vec<(SessionId, Profile)>,
    /// Gone.
    pub left: Vec<(SessionId, Profile)>,
}

/// Batches changes: the first one is told at once, those that follow soon after it together.
///
/// A newcomer is shown what was told last and gets the rest with everybody else. So each receiver hears of every
/// arrival once and of every departure once, in this order.
#[derive(Debug)]
pub struct Presence {
    interval: Duration,
    told: BTreeMap<SessionId, Profile>,
    untold: BTreeMap<SessionId, Option<Profile>>,
    last_told: Option<Timestamp>,
}

impl Presence {
    /// An empty room where `interval` is the shortest time between two [`flush`](Self::flush)es.
    #[must_use]
    pub const fn new(interval: Duration) -> Self {
        Self {
            interval,
            told: BTreeMap::new(),
            untold: BTreeMap::new(),
            last_told: None,
        }
    }

    /// `session` is in the room, with this profile.
    pub fn set(&mut self, session: SessionId, profile: Profile) {
        if self.told.get(&session) == Some(&profile) {
            self.untold.remove(&session);
        } else {
            self.untold.insert(session, Some(profile));
        }
    }

    /// `session` is not in the room any more.
    pub fn remove(&mut self, session: SessionId) {
        if self.told.contains_key(&session) {
            self.untold.insert(session, None);
        } else {
            self.untold.remove(&session);
        }
    }

    /// Those whom everybody was told of.
    pub fn told(&self) -> impl Iterator<Item = (SessionId, &Profile)> {
        self.told
            .iter()
            .map(|(session, profile)| (*session, profile))
    }

    /// When the next [`flush`](Self::flush) is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        if self.untold.is_empty() {
            return None;
        }
        Some(
            self.last_told
                .map_or(Timestamp::ZERO, |last| last + self.interval),
        )
    }

    /// What is to be told now, if it is due.
    pub fn flush(&mut self, now: Timestamp) -> Option<Changes> {
        if self.poll_timeout()? > now {
            return None;
        }
        self.last_told = Some(now);
        let mut changes = Changes::default();
        for (session, profile) in std::mem::take(&mut self.untold) {
            match profile {
                Some(profile) => match self.told.insert(session, profile.clone()) {
                    Some(_) => changes.changed.push((session, profile)),
                    None => changes.joined.push((session, profile)),
                },
                None => changes
                    .left
                    .extend(self.told.remove(&session).map(|profile| (session, profile))),
            }
        }
        Some(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::member::MediaState;
    use videocall_types::DisplayName;

    fn id(raw: u64) -> SessionId {
        SessionId::new(raw).unwrap()
    }

    fn profile(user: &str, camera: bool) -> Profile {
        let state = MediaState {
            camera,
            ..MediaState::default()
        };
        Profile {
            user: user.parse().unwrap(),
            name: DisplayName::new(user),
            state,
        }
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn the_first_change_is_told_at_once_and_the_next_ones_together() {
        let mut presence = Presence::new(Duration::from_millis(50));
        assert_eq!(presence.poll_timeout(), None);
        presence.set(id(1), profile("ada", false));
        assert_eq!(
            presence.flush(at(10)).unwrap().joined,
            [(id(1), profile("ada", false))]
        );

        presence.set(id(1), profile("ada", true));
        presence.set(id(2), profile("bob", false));
        assert_eq!(presence.poll_timeout(), Some(at(60)));
        assert_eq!(presence.flush(at(59)), None);
        let changes = presence.flush(at(60)).unwrap();
        assert_eq!(changes.joined, [(id(2), profile("bob", false))]);
        assert_eq!(changes.changed, [(id(1), profile("ada", true))]);
        assert_eq!(presence.poll_timeout(), None);
    }

    #[test]
    fn what_undoes_itself_is_not_told() {
        let mut presence = Presence::new(Duration::from_millis(50));
        presence.set(id(1), profile("ada", false));
        presence.flush(at(0));
        presence.set(id(1), profile("ada", true));
        presence.set(id(1), profile("ada", false));
        presence.set(id(2), profile("bob", false));
        presence.remove(id(2));
        assert_eq!(presence.poll_timeout(), None);
    }

    #[test]
    fn a_newcomer_sees_what_was_told() {
        let mut presence = Presence::new(Duration::from_millis(50));
        presence.set(id(1), profile("ada", false));
        presence.flush(at(0));
        presence.remove(id(1));
        assert_eq!(presence.told().count(), 1);
        assert_eq!(
            presence.flush(at(50)).unwrap().left,
            [(id(1), profile("ada", false))]
        );
        assert_eq!(presence.told().count(), 0);
    }
}
