//! What sessions count for the overload controller, on the way of every packet: no lock, no allocation.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What sessions count.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    bytes_sent: AtomicU64,
    longest_wait_us: AtomicU64,
}

impl Meter {
    /// A session sent a packet of so many bytes.
    pub(crate) fn sent(&self, bytes: usize) {
        self.bytes_sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Media reached the session that sends it so long after it came in.
    pub(crate) fn waited(&self, wait: Duration) {
        let micros = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        // Mostly it is not the longest, and then nothing is written that other cores would have to fetch.
        if micros > self.longest_wait_us.load(Ordering::Relaxed) {
            self.longest_wait_us.fetch_max(micros, Ordering::Relaxed);
        }
    }

    /// Bytes that were sent since the start.
    pub(crate) fn bytes_sent(&self) -> u64 {
        self.bytes_sent.load(Ordering::Relaxed)
    }

    /// The longest wait since the last call.
    pub(crate) fn take_longest_wait(&self) -> Duration {
        Duration::from_micros(self.longest_wait_us.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_add_up_and_the_longest_wait_is_taken_once() {
        let meter = Meter::default();
        meter.sent(100);
        meter.sent(20);
        for millis in [5, 40, 7] {
            meter.waited(Duration::from_millis(millis));
        }
        assert_eq!(meter.bytes_sent(), 120);
        assert_eq!(meter.take_longest_wait(), Duration::from_millis(40));
        assert_eq!(meter.take_longest_wait(), Duration::ZERO);
        assert_eq!(meter.bytes_sent(), 120);
    }
}
