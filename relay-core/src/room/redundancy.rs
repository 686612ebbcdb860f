//! How often sound is sent, because packets get lost on the way to those who hear it.

use videocall_types::{Redundancy, SessionId};

use super::Room;
use crate::drop_reason::DropReason;
use crate::messages;

impl<H> Room<H> {
    /// A member says what it lacks of what it hears.
    ///
    /// # Errors
    /// The reason why it hears nothing.
    pub fn lack(&mut self, from: SessionId, lacks: Redundancy) -> Result<(), DropReason> {
        let member = self.members.get_mut(&from).ok_or(DropReason::NotMember)?;
        if !member.can.receive_media {
            return Err(DropReason::NotAllowed);
        }
        member.lacks = lacks;
        self.consider_lack_of(from);
        Ok(())
    }

    /// What gets lost where there is too much already must not be sent twice.
    pub(super) fn consider_lack_of(&mut self, session: SessionId) {
        if let Some(member) = self.members.get(&session) {
            let counts = member.limit.is_none();
            let lacks = if counts {
                member.lacks.clone()
            } else {
                Redundancy::default()
            };
            self.lack.set(session, lacks);
            self.review_lack();
        }
    }

    /// Tells publishers and other relays what has changed.
    pub(super) fn review_lack(&mut self) {
        let (members, remotes) = (&self.members, &self.remotes);
        let news = self.lack.review(
            members.len(),
            |session| members.contains_key(&session),
            |session| remotes.contains(session),
        );
        for (session, redundancy) in news.publishers {
            self.tell_native(session, || messages::redundancy(&redundancy));
        }
        if let Some(redundancy) = news.relays {
            self.publish(messages::remote_redundancy(self.server, &redundancy));
        }
    }

    /// For whoever has missed it.
    pub(super) fn repeat_lack(&mut self) {
        if let Some(redundancy) = self.lack.published() {
            let event = messages::remote_redundancy(self.server, redundancy);
            self.publish(event);
        }
    }
}
