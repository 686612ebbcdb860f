//! Who has lost the connection and may come back, and who has come back over another one.

use std::collections::BTreeMap;
use std::time::Duration;

use videocall_types::{Redundancy, Resume, SessionId, Timestamp};

use super::{NewMember, Room};

/// Which connection carries which session, as far as it is not the one that began it, and which sessions have none.
#[derive(Debug, Default)]
pub(super) struct Connections {
    /// By connection.
    resumed: BTreeMap<SessionId, SessionId>,
    /// Sessions without a connection, and until when they are waited for.
    absent: BTreeMap<SessionId, Timestamp>,
}

impl Connections {
    pub(super) fn forget(&mut self, session: SessionId, connection: SessionId) {
        self.resumed.remove(&connection);
        self.absent.remove(&session);
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        self.absent.values().min().copied()
    }
}

impl<H> Room<H> {
    /// Somebody comes back into a session, whether its connection is known to be lost or not: it is told who is there, and the
    /// others notice nothing. The way to the old connection, which is of no use any more.
    ///
    /// # Errors
    /// `new` and `handle` as they were if there is no such session, or it is somebody else's: they can
    /// [`join`](Self::join).
    pub fn resume(
        &mut self,
        mut new: NewMember,
        resume: &Resume,
        handle: H,
        now: Timestamp,
    ) -> Result<H, (NewMember, H)> {
        let session = resume.session;
        let member = self.members.get_mut(&session);
        let own = member.filter(|member| {
            member.secret == Some(resume.secret) && member.profile.user == new.user
        });
        let Some(member) = own else {
            return Err((new, handle));
        };
        let old = std::mem::replace(&mut member.handle, handle);
        let old_connection = std::mem::replace(&mut member.connection, new.session);
        member.can = new.can;
        // It has nothing of what the old one was sent.
        (member.limit, member.wanted) = (None, None);
        member.lacks = Redundancy::default();
        member.picks.clear();
        self.connections.forget(session, old_connection);
        self.connections.resumed.insert(new.session, session);
        new.session = session;
        new.secret = Some(resume.secret);
        self.welcome(&new);
        // What the client was told of demand and redundancy is lost with the connection.
        self.demand.forget(session);
        self.lack.forget(session);
        self.review_lack();
        self.select_for(session, None, now);
        Ok(old)
    }

    /// `connection` is lost; nothing was heard over it since `heard`. Whom it carries may come back.
    pub fn lose(&mut self, connection: SessionId, heard: Timestamp, now: Timestamp) {
        let Some(session) = self.carried_by(connection) else {
            return;
        };
        let until = heard + self.policy.absence;
        let may_return = self
            .members
            .get(&session)
            .is_some_and(|member| member.secret.is_some());
        if may_return && until > now {
            self.connections.absent.insert(session, until);
        } else {
            self.remove(session, now);
        }
    }

    /// This relay stops: nobody comes back into a session of its.
    pub fn end_waiting(&mut self, now: Timestamp) {
        self.policy.absence = Duration::ZERO;
        for session in std::mem::take(&mut self.connections.absent).into_keys() {
            self.remove(session, now);
        }
    }

    /// Whoever did not come back in time has left.
    pub(super) fn end_absences(&mut self, now: Timestamp) {
        let absent = &self.connections.absent;
        let due: Vec<SessionId> = absent
            .iter()
            .filter(|(_, until)| **until <= now)
            .map(|(session, _)| *session)
            .collect();
        for session in due {
            self.remove(session, now);
        }
    }

    /// The session that a connection carries.
    pub(super) fn carried_by(&self, connection: SessionId) -> Option<SessionId> {
        let resumed = self.connections.resumed.get(&connection);
        let session = *resumed.unwrap_or(&connection);
        self.members
            .get(&session)
            .filter(|member| member.connection == connection)
            .map(|_| session)
    }
}
