//! Who is told what of whom.

use videocall_types::{Packet, SessionId, Timestamp};

use super::{NewMember, Room};
use crate::member::Dialect;
use crate::messages;
use crate::presence::Changes;

impl<H> Room<H> {
    /// Tells a newcomer who is there.
    pub(super) fn welcome(&mut self, new: &NewMember) {
        let to = vec![new.session];
        self.send(
            to.clone(),
            messages::session_assigned(new.dialect, new.session, new.secret),
        );
        if !new.can.receive_events {
            return;
        }
        match new.dialect {
            Dialect::Native => {
                // Whoever comes back was told of already.
                let others = self.presence.told().filter(|(id, _)| *id != new.session);
                let snapshot = messages::presence(true, others, std::iter::empty());
                self.send(to.clone(), snapshot);
                if !self.speakers.told().is_empty() {
                    self.send(to, messages::speakers(self.speakers.told()));
                }
            }
            Dialect::Stock => {
                let started =
                    messages::meeting_started(&self.meeting, self.started_unix_ms, &new.user);
                let joined = self
                    .presence
                    .told()
                    .map(|(id, p)| messages::participant_joined(&self.meeting, id, p));
                let packets: Vec<Packet> = std::iter::once(started).chain(joined).collect();
                for packet in packets {
                    self.send(to.clone(), packet);
                }
            }
        }
    }

    /// Tells everybody what has changed, if it is time.
    pub(super) fn announce(&mut self, now: Timestamp) {
        if let Some(changes) = self.presence.flush(now) {
            self.announce_to_native(&changes);
            self.announce_to_stock(&changes);
            self.announce_to_relays(&changes);
        }
    }

    fn announce_to_native(&mut self, changes: &Changes) {
        let news = || {
            changes
                .joined
                .iter()
                .chain(&changes.changed)
                .map(|(session, profile)| (*session, profile))
        };
        let left = || changes.left.iter().map(|(session, _)| *session);
        let receivers = self.listeners(Dialect::Native);
        // Nobody hears of oneself.
        let (concerned, others): (Vec<_>, Vec<_>) = receivers
            .into_iter()
            .partition(|to| news().any(|(id, _)| id == *to));
        for to in concerned {
            let of_others: Vec<_> = news().filter(|(session, _)| *session != to).collect();
            if !of_others.is_empty() || !changes.left.is_empty() {
                self.send(
                    vec![to],
                    messages::presence(false, of_others.into_iter(), left()),
                );
            }
        }
        if !others.is_empty() {
            self.send(others, messages::presence(false, news(), left()));
        }
    }

    fn announce_to_stock(&mut self, changes: &Changes) {
        let receivers = self.listeners(Dialect::Stock);
        if receivers.is_empty() {
            return;
        }
        for (session, profile) in &changes.left {
            self.send(
                receivers.clone(),
                messages::participant_left(&self.meeting, *session, profile),
            );
        }
        for (session, profile) in &changes.joined {
            let to: Vec<SessionId> = receivers
                .iter()
                .copied()
                .filter(|to| to != session)
                .collect();
            if !to.is_empty() {
                self.send(
                    to,
                    messages::participant_joined(&self.meeting, *session, profile),
                );
            }
        }
    }

    /// Each relay speaks for its own members.
    fn announce_to_relays(&mut self, changes: &Changes) {
        let departed = std::mem::take(&mut self.departed);
        if !self.remotes.any() {
            return;
        }
        let news = changes.joined.iter().chain(&changes.changed);
        let news: Vec<_> = news
            .filter(|(session, _)| self.members.contains_key(session))
            .collect();
        let left = changes.left.iter().map(|(session, _)| *session);
        let left: Vec<SessionId> = left.filter(|session| departed.contains(session)).collect();
        if !news.is_empty() || !left.is_empty() {
            let news = news
                .into_iter()
                .map(|(session, profile)| (*session, profile));
            let delta = messages::members(self.server, false, news, left.into_iter());
            self.publish(delta);
        }
    }

    pub(super) fn listeners(&self, dialect: Dialect) -> Vec<SessionId> {
        let members = self
            .members
            .iter()
            .filter(|(_, m)| m.dialect == dialect && m.can.receive_events);
        members.map(|(session, _)| *session).collect()
    }
}
