//! Sources that give no pictures while nothing changes, such as a shared screen.

use std::time::Duration;

use videocall_types::Timestamp;

/// A source that is silent for this long shows something that does not change.
const STILL_AFTER: Duration = Duration::from_millis(200);

/// Knows whether the last picture of a source must be encoded again.
#[derive(Debug, Default)]
pub struct Still {
    /// When the last picture came.
    last: Option<Timestamp>,
    /// It was left out.
    owed: bool,
}

impl Still {
    /// A picture came, and was `encoded` or left out.
    pub fn picture(&mut self, encoded: bool, now: Timestamp) {
        self.last = Some(now);
        self.owed = !encoded;
    }

    /// Whether to encode the last picture again: it was left out, or a keyframe is wanted, and no newer one comes.
    #[must_use]
    pub fn is_due(&self, keyframe_wanted: bool, now: Timestamp) -> bool {
        let is_still = self.last.is_some_and(|last| now - last >= STILL_AFTER);
        is_still && (self.owed || keyframe_wanted)
    }

    /// The last picture was encoded again.
    pub fn repeated(&mut self) {
        self.owed = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_picture_is_repeated_when_it_is_owed_or_wanted() {
        let at = Timestamp::from_millis;
        let mut still = Still::default();
        assert!(!still.is_due(true, at(900)), "there is none");
        still.picture(true, at(1000));
        assert!(!still.is_due(true, at(1100)), "a new one may come");
        assert!(!still.is_due(false, at(1200)));
        assert!(still.is_due(true, at(1200)));
        still.picture(false, at(2000));
        assert!(still.is_due(false, at(2200)));
        still.repeated();
        assert!(!still.is_due(false, at(2400)));
    }
}
