//! Thins pictures out to a rate.

use std::time::Duration;

use videocall_types::Timestamp;

/// Chooses which pictures of a source are kept so that they are not more than a number per second.
#[derive(Debug, Default)]
pub struct Cadence {
    due: Timestamp,
    /// When the last one that was kept was captured.
    last: Option<Timestamp>,
    /// Smoothed distance of those that were kept.
    interval: Duration,
}

impl Cadence {
    /// Whether to keep the picture that was captured `at`.
    pub fn keep(&mut self, at: Timestamp, max_fps: u32) -> bool {
        let interval = Duration::from_secs(1) / max_fps.max(1);
        // Sources jitter: a picture that is a little early counts as being on time.
        if at + interval / 4 < self.due && self.due - at <= 2 * interval {
            return false;
        }
        let on_time = self.due + interval;
        let keeps_beat = on_time > at && on_time - at <= 2 * interval;
        self.due = if keeps_beat { on_time } else { at + interval };
        self.measure(at);
        true
    }

    /// How far apart the kept pictures are, on average over the last ones. Zero before the second.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.interval
    }

    fn measure(&mut self, at: Timestamp) {
        if let Some(last) = self.last.replace(at) {
            let gap = at - last;
            self.interval = if self.interval.is_zero() {
                gap
            } else {
                (self.interval * 7 + gap) / 8
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many pictures of a second are kept, at `source` per second with a jitter of +-5 ms.
    fn kept(source: u64, max_fps: u32) -> usize {
        let mut cadence = Cadence::default();
        let at = |n: u64| {
            Timestamp::from_micros(7_000_000 + n * 1_000_000 / source + (n * 7_919) % 10_000)
        };
        (0..source)
            .filter(|n| cadence.keep(at(*n), max_fps))
            .count()
    }

    #[test]
    fn a_slower_source_passes_whole() {
        assert_eq!(kept(20, 30), 20);
        assert_eq!(kept(30, 30), 30);
    }

    #[test]
    fn a_faster_source_is_thinned() {
        assert_eq!(kept(60, 30), 30);
        assert_eq!(kept(30, 15), 15);
    }

    #[test]
    fn it_goes_on_after_a_gap_and_after_a_step_back() {
        let mut cadence = Cadence::default();
        assert!(cadence.keep(Timestamp::from_millis(60_000), 10));
        assert!(cadence.keep(Timestamp::from_millis(90_000), 10));
        assert!(!cadence.keep(Timestamp::from_millis(90_010), 10));
        assert!(cadence.keep(Timestamp::from_millis(10), 10));
    }

    #[test]
    fn the_interval_is_that_of_kept_pictures() {
        let mut cadence = Cadence::default();
        assert_eq!(cadence.interval(), Duration::ZERO);
        for n in 0..60 {
            cadence.keep(Timestamp::from_millis(n * 20), 25);
        }
        assert_eq!(cadence.interval(), Duration::from_millis(40));
    }
}
