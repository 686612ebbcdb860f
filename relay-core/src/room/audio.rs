//! Whose voice the members get, and who speaks.

use videocall_types::{SessionId, Timestamp, Track};

use super::Room;
use crate::forward::Content;
use crate::member::{Activity, Dialect};
use crate::messages;

/// RFC 6464.
const SILENCE: u8 = 127;

impl<H> Room<H> {
    /// Whether anybody gets what `from` sent: in a large room only the loudest voices go on, to members and to other relays
    /// alike. Whoever is among the loudest of all is among the loudest here.
    pub(super) fn is_heard(&mut self, from: SessionId, content: &Content, now: Timestamp) -> bool {
        let Content::Media(routing) = content else {
            return true;
        };
        if routing.track != Track::Microphone {
            return true;
        }
        // Of level 0 is what nobody has measured.
        let is_measured = routing.audio_level > 0;
        let level = if is_measured {
            routing.audio_level
        } else {
            self.claimed_level(from)
        };
        let has_place = self.loudest.hear(from, level, &self.policy, now);
        self.review_speakers(now);
        has_place || !is_measured || self.people() <= self.policy.large_above
    }

    /// Tells everybody who speaks, if it has changed and it is time.
    pub(super) fn review_speakers(&mut self, now: Timestamp) {
        if let Some(speakers) = self.speakers.review(&self.loudest, &self.policy, now) {
            let message = messages::speakers(speakers);
            let receivers = self.listeners(Dialect::Native);
            if !receivers.is_empty() {
                self.send(receivers, message);
            }
        }
    }

    fn claimed_level(&self, from: SessionId) -> u8 {
        if self.activity(from).is_some_and(Activity::says_it_speaks) {
            self.policy.voice_level
        } else {
            SILENCE
        }
    }
}
