//! How often sound is sent, because packets get lost on the way to those who hear it.

use videocall_types::{Redundancy, SessionId};

use super::Room;
use crate::drop_reason::DropReason;
use crate::member::Dialect;
use crate::messages;

impl<H> Room<H> {
    /// A member says what it lacks of what it hears.
    ///
    /// # Errors
    /// The reason why it hears nothing.
    pub fn lack(&mut self, from: SessionId, lacks: Redundancy) -> Result<(), DropReason> {
        let member = self.members.get(&from).ok_or(DropReason::NotMember)?;
        if !member.can.receive_media {
            return Err(DropReason::NotAllowed);
        }
        self.lack.set(from, lacks);
        self.review_lack();
        Ok(())
    }

    /// Tells publishers and other relays what has changed. A stock client does not know the message.
    pub(super) fn review_lack(&mut self) {
        let (members, remotes) = (&self.members, &self.remotes);
        let news = self.lack.review(
            members.len(),
            |session| members.contains_key(&session),
            |session| remotes.contains(session),
        );
        for (session, redundancy) in news.publishers {
            let publisher = self.members.get(&session);
            if publisher.is_some_and(|member| member.dialect == Dialect::Native) {
                self.send(vec![session], messages::redundancy(&redundancy));
            }
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
