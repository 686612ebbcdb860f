//! When the numbers of the last second are due, and the rates in them.

use std::time::Duration;

use videocall_types::Timestamp;

const INTERVAL: Duration = Duration::from_secs(1);

/// The second that is being measured.
#[derive(Debug)]
pub(super) struct Interval {
    start: Timestamp,
}

impl Interval {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { start: now }
    }

    /// The length of the interval if it is over; the next one begins.
    pub(super) fn end(&mut self, now: Timestamp) -> Option<Duration> {
        let elapsed = now - self.start;
        (elapsed >= INTERVAL).then(|| {
            self.start = now;
            elapsed
        })
    }

    pub(super) fn poll_timeout(&self) -> Timestamp {
        self.start + INTERVAL
    }
}

pub(super) fn bits_per_second(bytes: u64, elapsed: Duration) -> u64 {
    let micros = elapsed.as_micros().max(1);
    u64::try_from(u128::from(bytes) * 8_000_000 / micros).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_follow_the_true_length_of_the_interval() {
        assert_eq!(bits_per_second(125, Duration::from_secs(1)), 1000);
        assert_eq!(bits_per_second(125, Duration::from_secs(2)), 500);
        assert_eq!(bits_per_second(u64::MAX, Duration::ZERO), u64::MAX);
    }
}
