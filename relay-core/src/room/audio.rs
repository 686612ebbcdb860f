//! Whose voice the members get.

use videocall_types::{SessionId, Timestamp, Track};

use super::Room;
use crate::forward::Content;

impl<H> Room<H> {
    /// Whether anybody gets what `from` sent: in a large room only the loudest voices go on, to members and to other relays
    /// alike. Whoever is among the loudest of all is among the loudest here.
    pub(super) fn is_heard(&mut self, from: SessionId, content: &Content, now: Timestamp) -> bool {
        let Content::Media(routing) = content else {
            return true;
        };
        // Of level 0 is what nobody has measured.
        if routing.track != Track::Microphone || routing.audio_level == 0 {
            return true;
        }
        self.people() <= self.policy.large_above
            || self
                .loudest
                .admits(from, routing.audio_level, &self.policy, now)
    }
}
