//! Whether the connection is alive, and how long a round trip takes.

use std::collections::VecDeque;
use std::time::Duration;

use videocall_types::Timestamp;

const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// Nothing received for this long while probes were sent: the connection is dead.
const SILENCE: Duration = Duration::from_secs(5);
/// The same when there is a reason to doubt the connection.
const SILENCE_IN_DOUBT: Duration = Duration::from_secs(2);
/// A timer that fires this late means that we were asleep, not the relay.
const STALL: Duration = Duration::from_secs(1);
/// Probes that wait for an answer; older ones are forgotten.
const MAX_WAITING: usize = 16;
/// RFC 6298: the share of a new sample in the smoothed round trip.
const GAIN: f64 = 0.125;

#[derive(Debug)]
pub(super) struct Watchdog {
    next_probe: Timestamp,
    dead_at: Timestamp,
    waiting: VecDeque<Timestamp>,
    rtt_ms: Option<f64>,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Verdict {
    Wait,
    /// Send a probe that carries this moment.
    Probe(Timestamp),
    Dead,
}

impl Watchdog {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            next_probe: now,
            dead_at: now + SILENCE,
            waiting: VecDeque::new(),
            rtt_ms: None,
        }
    }

    /// Anything arrived.
    pub(super) fn received(&mut self, now: Timestamp) {
        self.dead_at = now + SILENCE;
    }

    /// The probe that carried `sent` came back.
    pub(super) fn answered(&mut self, sent: Timestamp, now: Timestamp) {
        let Some(index) = self.waiting.iter().position(|probe| *probe == sent) else {
            return;
        };
        self.waiting.remove(index);
        let sample = (now - sent).as_secs_f64() * 1000.0;
        let smoothed = self
            .rtt_ms
            .map_or(sample, |rtt| rtt + GAIN * (sample - rtt));
        self.rtt_ms = Some(smoothed);
    }

    /// Smoothed round trip to the relay in milliseconds.
    pub(super) fn rtt_ms(&self) -> Option<f64> {
        self.rtt_ms
    }

    /// The network may have changed under the connection: ask now.
    pub(super) fn doubt(&mut self, now: Timestamp) {
        self.next_probe = now;
        self.dead_at = self.dead_at.min(now + SILENCE_IN_DOUBT);
    }

    pub(super) fn handle_timeout(&mut self, now: Timestamp) -> Verdict {
        if now - self.next_probe >= STALL {
            // What arrived while we were asleep is still to be handed in.
            self.dead_at = self.dead_at.max(now + SILENCE_IN_DOUBT);
        }
        if now >= self.dead_at {
            return Verdict::Dead;
        }
        if now < self.next_probe {
            return Verdict::Wait;
        }
        self.next_probe = now + PROBE_INTERVAL;
        if self.waiting.len() == MAX_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(now);
        Verdict::Probe(now)
    }

    pub(super) fn poll_timeout(&self) -> Timestamp {
        self.next_probe.min(self.dead_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn silence_is_death_and_an_answer_is_life() {
        let mut dog = Watchdog::new(at(0));
        for second in 0..5 {
            assert_eq!(
                dog.handle_timeout(at(second * 1000)),
                Verdict::Probe(at(second * 1000))
            );
        }
        dog.received(at(4200));
        assert_eq!(dog.handle_timeout(at(5000)), Verdict::Probe(at(5000)));
        for second in 6..=9 {
            assert_eq!(
                dog.handle_timeout(at(second * 1000)),
                Verdict::Probe(at(second * 1000))
            );
        }
        assert_eq!(dog.poll_timeout(), at(9200));
        assert_eq!(dog.handle_timeout(at(9199)), Verdict::Wait);
        assert_eq!(dog.handle_timeout(at(9200)), Verdict::Dead);
    }

    #[test]
    fn own_sleep_is_not_the_silence_of_the_relay() {
        let mut dog = Watchdog::new(at(0));
        assert_eq!(dog.handle_timeout(at(0)), Verdict::Probe(at(0)));
        assert_eq!(dog.handle_timeout(at(60_000)), Verdict::Probe(at(60_000)));
        assert_eq!(dog.handle_timeout(at(61_000)), Verdict::Probe(at(61_000)));
        assert_eq!(dog.handle_timeout(at(62_000)), Verdict::Dead);
    }

    #[test]
    fn a_changed_network_gets_two_seconds() {
        let mut dog = Watchdog::new(at(0));
        assert_eq!(dog.handle_timeout(at(0)), Verdict::Probe(at(0)));
        dog.doubt(at(500));
        assert_eq!(dog.handle_timeout(at(500)), Verdict::Probe(at(500)));
        assert_eq!(dog.handle_timeout(at(1500)), Verdict::Probe(at(1500)));
        assert_eq!(dog.handle_timeout(at(2500)), Verdict::Dead);
    }

    #[test]
    fn round_trips_are_smoothed_and_only_own_probes_count() {
        let mut dog = Watchdog::new(at(0));
        assert_eq!(dog.handle_timeout(at(0)), Verdict::Probe(at(0)));
        assert_eq!(dog.handle_timeout(at(1000)), Verdict::Probe(at(1000)));
        dog.answered(at(7), at(10));
        assert_eq!(dog.rtt_ms(), None);
        dog.answered(at(0), at(40));
        dog.answered(at(0), at(900));
        assert_eq!(dog.rtt_ms(), Some(40.0));
        dog.answered(at(1000), at(1120));
        assert_eq!(dog.rtt_ms(), Some(50.0));
    }
}
