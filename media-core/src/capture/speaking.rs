//! Whether the person speaks, from the loudness of the microphone.

use std::time::Duration;

use videocall_types::Timestamp;

/// Louder than this is speech: -40 dBFS.
const LOUD: f32 = 0.01;
/// It must stay loud for so long, so that a click is no speech.
const ATTACK: Duration = Duration::from_millis(60);
/// It must stay quiet for so long, so that a breath is no end.
const RELEASE: Duration = Duration::from_millis(600);

/// Tells speech from silence, without flicker.
#[derive(Debug, Default)]
pub struct SpeakingDetector {
    speaking: bool,
    loud_since: Option<Timestamp>,
    quiet_since: Option<Timestamp>,
}

impl SpeakingDetector {
    /// The microphone's RMS level from 0 to 1 of a frame that ended `now`. `Some` when the answer changes.
    pub fn observe(&mut self, level: f32, now: Timestamp) -> Option<bool> {
        let changed = if level > LOUD {
            self.quiet_since = None;
            let since = *self.loud_since.get_or_insert(now);
            !self.speaking && now - since >= ATTACK
        } else {
            self.loud_since = None;
            let since = *self.quiet_since.get_or_insert(now);
            self.speaking && now - since >= RELEASE
        };
        if changed {
            self.speaking = !self.speaking;
        }
        changed.then_some(self.speaking)
    }

    /// The microphone went off. `Some` when the answer changes.
    pub fn stop(&mut self) -> Option<bool> {
        std::mem::take(self).speaking.then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME_MS: u64 = 20;

    /// Feeds one level per frame and lists the changes with the time of their frame in milliseconds.
    fn changes(detector: &mut SpeakingDetector, levels: &[f32]) -> Vec<(u64, bool)> {
        let times = (0..).step_by(20);
        let observe = |(ms, level): (u64, &f32)| {
            Some((ms, detector.observe(*level, Timestamp::from_millis(ms))?))
        };
        times.zip(levels).filter_map(observe).collect()
    }

    fn frames(ms: u64, level: f32) -> Vec<f32> {
        vec![level; usize::try_from(ms / FRAME_MS).unwrap()]
    }

    #[test]
    fn a_click_is_no_speech() {
        let levels = [frames(100, 0.0), frames(60, 0.5), frames(100, 0.0)].concat();
        assert_eq!(changes(&mut SpeakingDetector::default(), &levels), []);
    }

    #[test]
    fn speech_begins_late_and_ends_later() {
        let levels = [frames(100, 0.0), frames(200, 0.2), frames(1000, 0.001)].concat();
        assert_eq!(
            changes(&mut SpeakingDetector::default(), &levels),
            [(160, true), (900, false)]
        );
    }

    #[test]
    fn a_breath_does_not_end_it() {
        let levels = [frames(200, 0.2), frames(580, 0.0), frames(200, 0.2)].concat();
        assert_eq!(
            changes(&mut SpeakingDetector::default(), &levels),
            [(60, true)]
        );
    }

    #[test]
    fn muting_ends_it_at_once() {
        let mut detector = SpeakingDetector::default();
        assert_eq!(detector.stop(), None);
        changes(&mut detector, &frames(200, 0.2));
        assert_eq!(detector.stop(), Some(false));
        assert_eq!(detector.stop(), None);
    }
}
