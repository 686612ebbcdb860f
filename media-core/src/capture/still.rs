//! Sources that give no pictures while nothing changes, such as a shared screen.

use std::time::Duration;

use videocall_types::Timestamp;

/// A source that is silent for this long shows something that does not change.
const STILL_AFTER: Duration = Duration::from_millis(100);
/// So often a picture that does not change is encoded again, each time sharper: an encoder that has no time to lose makes
/// text of a new picture blurred.
const REFINEMENTS: u8 = 4;

/// Knows whether the last picture of a source must be encoded again.
#[derive(Debug, Default)]
pub struct Still {
    /// When the last picture came, or was encoded again.
    last: Option<Timestamp>,
    /// It was left out.
    owed: bool,
    /// How often it is still to be encoded for being sharp.
    refinements: u8,
}

impl Still {
    /// A picture came, and was `encoded` or left out.
    pub fn picture(&mut self, encoded: bool, now: Timestamp) {
        self.last = Some(now);
        self.owed = !encoded;
        self.refinements = REFINEMENTS;
    }

    /// Whether to encode the last picture again: it was left out, is not sharp yet, or a keyframe is wanted, and no newer
    /// one comes.
    #[must_use]
    pub fn is_due(&self, keyframe_wanted: bool, now: Timestamp) -> bool {
        let is_still = self.last.is_some_and(|last| now - last >= STILL_AFTER);
        is_still && (self.owed || self.refinements > 0 || keyframe_wanted)
    }

    /// The last picture was encoded again, as a `keyframe` or not. A keyframe begins blurred.
    pub fn repeated(&mut self, keyframe: bool, now: Timestamp) {
        self.last = Some(now);
        self.refinements = match self.refinements {
            _ if self.owed || keyframe => REFINEMENTS,
            left => left.saturating_sub(1),
        };
        self.owed = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When a picture is encoded again that came at 1000 ms, looked at every 50 ms for a second.
    fn repetitions(encoded: bool, keyframe_wanted_at: u64) -> Vec<u64> {
        let at = Timestamp::from_millis;
        let mut still = Still::default();
        let mut wanted = false;
        still.picture(encoded, at(1000));
        let mut repeated = Vec::new();
        for ms in (1000..2000).step_by(50) {
            wanted |= ms == keyframe_wanted_at;
            if still.is_due(wanted, at(ms)) {
                still.repeated(std::mem::take(&mut wanted), at(ms));
                repeated.push(ms);
            }
        }
        repeated
    }

    #[test]
    fn the_last_picture_becomes_sharp_within_half_a_second() {
        assert_eq!(repetitions(true, 0), [1100, 1200, 1300, 1400]);
        assert_eq!(
            repetitions(false, 0),
            [1100, 1200, 1300, 1400, 1500],
            "it was left out"
        );
    }

    #[test]
    fn a_keyframe_of_a_still_picture_is_sharpened_as_well() {
        let expected = [1100, 1200, 1300, 1400, 1500, 1600, 1700, 1800, 1900];
        assert_eq!(repetitions(true, 1500), expected);
    }

    #[test]
    fn moving_pictures_are_not_repeated() {
        let at = Timestamp::from_millis;
        let mut still = Still::default();
        assert!(!still.is_due(true, at(900)), "there is none");
        for ms in (1000..2000).step_by(50) {
            still.picture(true, at(ms));
            assert!(!still.is_due(true, at(ms + 50)));
        }
    }
}
