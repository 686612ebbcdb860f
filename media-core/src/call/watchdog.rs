//! Whether the connection is alive, and how long a round trip takes.

use std::collections::VecDeque;
use std::time::Duration;

use videocall_types::Timestamp;

const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// Nothing received for this long while probes were sent: the connection is dead.
const SILENCE: Duration = Duration::from_secs(5);
/// The same when there is a reason to doubt the connection.
const SILENCE_IN_DOUBT: Duration = Duration::from_secs(2);
/// Media that stops for this long is a reason to send a probe.
const PAUSE: Duration = Duration::from_millis(300);
/// A probe should be answered, or something else arrive, in three smoothed round trips, but not sooner than the first of these
/// and not later than the second. Otherwise the connection is suspect.
const ANSWER: [Duration; 2] = [Duration::from_millis(700), Duration::from_secs(2)];
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
    media_at: Timestamp,
    /// When it is looked whether media goes on; `None`: none came since it did not.
    next_look: Option<Timestamp>,
    /// The first probe since something arrived.
    asked_at: Option<Timestamp>,
    /// Has been said of this silence.
    is_suspect: bool,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Verdict {
    Wait,
    /// Send a probe that carries this moment.
    Probe(Timestamp),
    /// It seems to deliver nothing. Said once.
    Suspect,
    Dead,
}

impl Watchdog {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            next_probe: now,
            dead_at: now + SILENCE,
            waiting: VecDeque::new(),
            rtt_ms: None,
            media_at: now,
            next_look: None,
            asked_at: None,
            is_suspect: false,
        }
    }

    /// Anything arrived.
    pub(super) fn received(&mut self, now: Timestamp) {
        self.dead_at = now + SILENCE;
        self.asked_at = None;
        self.is_suspect = false;
    }

    /// A frame of somebody arrived.
    pub(super) fn media(&mut self, now: Timestamp) {
        self.media_at = now;
        self.next_look.get_or_insert(now + PAUSE);
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
            self.asked_at = None;
        }
        if now >= self.dead_at {
            return Verdict::Dead;
        }
        if self.suspect_at().is_some_and(|at| now >= at) {
            self.is_suspect = true;
            return Verdict::Suspect;
        }
        if self.next_look.is_some_and(|at| now >= at) {
            let due = self.media_at + PAUSE;
            self.next_look = Some(due).filter(|due| *due > now);
            if self.next_look.is_none() && self.asked_at.is_none() {
                self.next_probe = now;
            }
        }
        if now < self.next_probe {
            return Verdict::Wait;
        }
        self.next_probe = now + PROBE_INTERVAL;
        self.asked_at.get_or_insert(now);
        if self.waiting.len() == MAX_WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(now);
        Verdict::Probe(now)
    }

    pub(super) fn poll_timeout(&self) -> Timestamp {
        let others = [self.next_look, self.suspect_at()];
        others
            .into_iter()
            .flatten()
            .fold(self.next_probe.min(self.dead_at), Timestamp::min)
    }

    fn suspect_at(&self) -> Option<Timestamp> {
        let [soonest, latest] = ANSWER;
        let round_trips = Duration::from_secs_f64(self.rtt_ms.unwrap_or_default() * 3.0 / 1000.0);
        let asked_at = self.asked_at.filter(|_| !self.is_suspect)?;
        Some(asked_at + round_trips.clamp(soonest, latest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// What it says at the moments at which it wants to be asked, up to `end` in milliseconds.
    fn run(dog: &mut Watchdog, end: u64) -> Vec<(u64, Verdict)> {
        let mut said = Vec::new();
        while dog.poll_timeout() <= at(end)
            && said.last().is_none_or(|(_, last)| *last != Verdict::Dead)
        {
            let now = dog.poll_timeout();
            let verdict = dog.handle_timeout(now);
            if verdict != Verdict::Wait {
                said.push((now.as_micros() / 1000, verdict));
            }
        }
        said
    }

    fn probe(millis: u64) -> (u64, Verdict) {
        (millis, Verdict::Probe(at(millis)))
    }

    #[test]
    fn silence_is_first_suspect_and_then_death() {
        let mut dog = Watchdog::new(at(0));
        assert_eq!(run(&mut dog, 500), [probe(0)]);
        dog.received(at(500));
        let expected = [
            probe(1000),
            (1700, Verdict::Suspect),
            probe(2000),
            probe(3000),
            probe(4000),
            probe(5000),
            (5500, Verdict::Dead),
        ];
        assert_eq!(run(&mut dog, 9000), expected);
    }

    #[test]
    fn each_silence_is_suspect_once() {
        let mut dog = Watchdog::new(at(0));
        assert_eq!(
            run(&mut dog, 1500),
            [probe(0), (700, Verdict::Suspect), probe(1000)]
        );
        dog.received(at(1500));
        assert_eq!(
            run(&mut dog, 2800)[..],
            [probe(2000), (2700, Verdict::Suspect)]
        );
    }

    #[test]
    fn a_pause_of_media_is_a_reason_to_ask() {
        let mut dog = Watchdog::new(at(0));
        assert_eq!(run(&mut dog, 20), [probe(0)]);
        dog.answered(at(0), at(20));
        for millis in (20..=900).step_by(20) {
            assert_eq!(run(&mut dog, millis), [], "{millis}");
            dog.received(at(millis));
            dog.media(at(millis));
        }
        let said = run(&mut dog, 1950);
        assert_eq!(said, [probe(1000), (1700, Verdict::Suspect)]);

        let mut dog = Watchdog::new(at(0));
        assert_eq!(run(&mut dog, 0), [probe(0)]);
        dog.received(at(100));
        dog.media(at(100));
        assert_eq!(run(&mut dog, 1200), [probe(400), (1100, Verdict::Suspect)]);
    }

    #[test]
    fn own_sleep_is_not_the_silence_of_the_relay() {
        let mut dog = Watchdog::new(at(0));
        assert_eq!(dog.handle_timeout(at(0)), Verdict::Probe(at(0)));
        assert_eq!(dog.handle_timeout(at(60_000)), Verdict::Probe(at(60_000)));
        let expected = [
            (60_700, Verdict::Suspect),
            probe(61_000),
            (62_000, Verdict::Dead),
        ];
        assert_eq!(run(&mut dog, 70_000), expected);
    }

    #[test]
    fn a_changed_network_gets_two_seconds() {
        let mut dog = Watchdog::new(at(0));
        assert_eq!(run(&mut dog, 500), [probe(0)]);
        dog.received(at(500));
        dog.doubt(at(500));
        let expected = [
            probe(500),
            (1200, Verdict::Suspect),
            probe(1500),
            (2500, Verdict::Dead),
        ];
        assert_eq!(run(&mut dog, 9000), expected);
    }

    #[test]
    fn round_trips_are_smoothed_and_only_own_probes_count() {
        let mut dog = Watchdog::new(at(0));
        assert_eq!(dog.handle_timeout(at(0)), Verdict::Probe(at(0)));
        dog.received(at(10));
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
