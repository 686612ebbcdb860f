//! How evenly frames arrive, and how long to hold one back so that they come out evenly.

use std::time::Duration;

use videocall_types::Timestamp;

/// The sender's clock was set, or it is another sender: what was learned does not hold.
const JUMP_US: u64 = 1_000_000;
/// Variation that nobody sees is not worth a delay.
const UNSEEN_US: f64 = 10_000.0;
const MAX_HOLD_US: f64 = 200_000.0;
/// The fastest transit is looked for in the last one to two windows, so that clock drift does not add up.
const WINDOW: Duration = Duration::from_secs(2);

/// Interarrival jitter (RFC 3550, 6.4.1) and the fastest transit of late.
#[derive(Debug, Default)]
pub(super) struct Arrival {
    last_transit: Option<i64>,
    jitter_us: f64,
    fastest: i64,
    fastest_before: i64,
    window_start: Timestamp,
}

impl Arrival {
    /// A frame captured at `capture_time_us` on the sender's clock arrived `now`: how long to hold it back.
    /// Zero while arrival is even.
    pub(super) fn hold(&mut self, capture_time_us: u64, now: Timestamp) -> Duration {
        // The clocks have nothing in common, so that only differences of transits mean something.
        let transit = now.as_micros().wrapping_sub(capture_time_us) as i64;
        let variation = self
            .last_transit
            .map_or(u64::MAX, |last| transit.wrapping_sub(last).unsigned_abs());
        self.last_transit = Some(transit);
        if variation >= JUMP_US {
            self.jitter_us = 0.0;
            (self.fastest, self.fastest_before, self.window_start) = (transit, transit, now);
            return Duration::ZERO;
        }
        self.jitter_us += (variation as f64 - self.jitter_us) / 16.0;
        if now - self.window_start >= WINDOW {
            (self.fastest_before, self.fastest, self.window_start) = (self.fastest, transit, now);
        }
        self.fastest = self.fastest.min(transit);
        let slower_by = transit.wrapping_sub(self.fastest.min(self.fastest_before)) as f64;
        let target = (2.0 * self.jitter_us - UNSEEN_US).clamp(0.0, MAX_HOLD_US);
        Duration::from_micros((target - slower_by).clamp(0.0, target) as u64)
    }

    /// Smoothed variation in milliseconds.
    pub(super) fn jitter_ms(&self) -> f64 {
        self.jitter_us / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FRAME_US: u64 = 33_333;

    /// Holds of frames captured every 33 ms that travel for `transits` microseconds.
    fn holds(transits: &[u64]) -> Vec<Duration> {
        let mut arrival = Arrival::default();
        let frames = (0_u64..).zip(transits);
        frames
            .map(|(n, transit)| {
                let capture = 77_000_000_000 + n * FRAME_US;
                arrival.hold(
                    capture,
                    Timestamp::from_micros(1_000_000 + n * FRAME_US + transit),
                )
            })
            .collect()
    }

    #[test]
    fn even_arrival_adds_nothing() {
        assert!(holds(&[20_000; 300]).iter().all(Duration::is_zero));
    }

    #[test]
    fn a_large_frame_now_and_then_adds_nothing() {
        let mut transits = [20_000; 300];
        transits
            .iter_mut()
            .step_by(90)
            .for_each(|transit| *transit += 40_000);
        assert!(holds(&transits).iter().all(Duration::is_zero));
    }

    #[test]
    fn uneven_arrival_is_evened_out() {
        let transits: Vec<u64> = (0..300)
            .map(|n| if n % 2 == 0 { 20_000 } else { 70_000 })
            .collect();
        let holds = holds(&transits);
        let released: Vec<u64> = transits
            .iter()
            .zip(&holds)
            .map(|(transit, hold)| transit + hold.as_micros() as u64)
            .collect();
        let late = &released[200..];
        let spread = late.iter().max().unwrap() - late.iter().min().unwrap();
        assert!(spread < 1_000, "{spread} us");
        assert!(late.iter().all(|transit| *transit < 20_000 + 100_000));
    }

    proptest! {
        #[test]
        fn a_hold_is_never_longer_than_the_bound(frames in prop::collection::vec((any::<u64>(), any::<u64>()), 0..100)) {
            let mut arrival = Arrival::default();
            for (capture, now) in frames {
                prop_assert!(arrival.hold(capture, Timestamp::from_micros(now)) <= Duration::from_millis(200));
            }
        }
    }
}
