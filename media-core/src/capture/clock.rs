//! One clock for everything that a sender captures.

use std::time::Duration;

use videocall_types::Timestamp;

/// A device whose clock runs away by more has been restarted.
const JUMP: Duration = Duration::from_secs(1);
/// One part in so many of a late arrival is taken for drift: that follows 0.02 % of drift and hides jitter.
const DRIFT: u32 = 256;

/// Maps the timestamps of a capture device, which start anywhere, to the common clock.
///
/// A frame arrives some time after it was captured, never before, so that the quickest arrivals tell the distance of the
/// clocks best.
#[derive(Debug, Default)]
pub struct CaptureClock {
    /// A time of the device in microseconds and what it is on the common clock.
    anchor: Option<(i64, Timestamp)>,
}

impl CaptureClock {
    /// A frame with this device time, in microseconds, arrived `now`.
    pub fn observe(&mut self, device_us: i64, now: Timestamp) {
        let expected = self.map(device_us);
        let moved = match expected {
            Some(expected) if now < expected => now,
            Some(expected) if now - expected < JUMP => expected + (now - expected) / DRIFT,
            _ => now,
        };
        self.anchor = Some((device_us, moved));
    }

    /// A device time on the common clock. `None` before the first frame.
    #[must_use]
    pub fn map(&self, device_us: i64) -> Option<Timestamp> {
        let (device, common) = self.anchor?;
        let distance = device_us.saturating_sub(device);
        let micros = common.as_micros().saturating_add_signed(distance);
        Some(Timestamp::from_micros(micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: i64 = 33_333;

    /// Feeds frames that take `delay(n)` to arrive and returns how far the last one's capture time is off, in microseconds.
    fn error(frames: i64, drift: f64, delay: impl Fn(i64) -> u64) -> i64 {
        let mut clock = CaptureClock::default();
        let mut last = 0;
        for n in 0..frames {
            let captured = 5_000_000 + u64::try_from(n * INTERVAL).unwrap();
            let device = ((n * INTERVAL) as f64 * (1.0 + drift)) as i64 - 777;
            clock.observe(device, Timestamp::from_micros(captured + delay(n)));
            last = clock.map(device).unwrap().as_micros() as i64 - captured as i64;
        }
        last
    }

    #[test]
    fn jitter_does_not_show() {
        let off = error(300, 0.0, |n| if n % 5 == 0 { 2_000 } else { 12_000 });
        assert!((2_000..2_300).contains(&off), "{off}");
    }

    #[test]
    fn drift_is_followed_both_ways() {
        for drift in [-0.000_2, 0.000_2] {
            let off = error(30_000, drift, |_| 1_000);
            assert!((-1_000..3_000).contains(&off), "{off} at {drift}");
        }
    }

    #[test]
    fn a_restarted_device_is_noticed() {
        let mut clock = CaptureClock::default();
        clock.observe(90_000_000, Timestamp::from_millis(1000));
        clock.observe(0, Timestamp::from_millis(1033));
        assert_eq!(clock.map(0), Some(Timestamp::from_millis(1033)));
        clock.observe(500_000_000, Timestamp::from_millis(1066));
        assert_eq!(clock.map(500_000_000), Some(Timestamp::from_millis(1066)));
    }

    #[test]
    fn nothing_is_known_at_first() {
        assert_eq!(CaptureClock::default().map(0), None);
    }
}
