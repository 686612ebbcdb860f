//! One direction of a network, as a model.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use videocall_types::Timestamp;

use super::Conditions;

/// The shortest timeout of TCP, about as on Linux. Each further one takes twice as long as the one before.
const RETRANSMISSION_TIMEOUT: Duration = Duration::from_millis(200);
/// In a call a segment of a stream is followed by another one after about so long.
const NEXT_SEGMENT: Duration = Duration::from_millis(20);

/// One direction: a drop-tail queue in front of a sender of limited rate, then a path with loss, delay and jitter. The same
/// seed and the same calls give the same answers. `now` never goes back.
#[derive(Clone, Debug)]
pub struct Link {
    conditions: Conditions,
    random: StdRng,
    /// In the bad state of the loss model.
    is_losing: bool,
    /// When everything that was taken has been sent.
    free_at: Timestamp,
    /// The latest arrival of a packet.
    newest: Timestamp,
}

impl Link {
    /// A link that is free.
    #[must_use]
    pub fn new(conditions: Conditions, seed: u64) -> Self {
        Self {
            conditions,
            random: StdRng::seed_from_u64(seed),
            is_losing: false,
            free_at: Timestamp::ZERO,
            newest: Timestamp::ZERO,
        }
    }

    /// From now on. What was taken before arrives as it would have.
    pub fn set(&mut self, conditions: Conditions) {
        self.conditions = conditions;
    }

    /// A packet of `len` bytes: when it arrives, or `None` if it is dropped or lost. Packets arrive in order.
    pub fn send(&mut self, len: usize, now: Timestamp) -> Option<Timestamp> {
        if self.is_black_hole() || self.room_at(len, now) > now {
            return None;
        }
        let sent = self.transmit(len, now);
        if self.loses() {
            return None;
        }
        self.newest = self.newest.max(sent + self.travel());
        Some(self.newest)
    }

    /// A segment of a reliable stream: when it arrives, after as many losses as it has. It occupies the link once. `None`: not
    /// before the conditions change; ask again then.
    ///
    /// Each stream keeps its order itself: a segment is delivered when all before it are. It waits for
    /// [`room_at`](Self::room_at) before it sends, as congestion control would make it.
    pub fn send_segment(&mut self, len: usize, now: Timestamp) -> Option<Timestamp> {
        if self.is_black_hole() {
            return None;
        }
        let mut arrival = self.transmit(len, now) + self.travel();
        let mut repair = self.first_repair();
        let mut timeout = RETRANSMISSION_TIMEOUT;
        let mut is_lost = self.loses();
        while is_lost {
            arrival = arrival + repair;
            (repair, timeout) = (timeout, timeout * 2);
            // The burst is over by then.
            is_lost = self.random.random::<f64>() < self.conditions.loss_percent / 100.0;
        }
        Some(arrival)
    }

    /// How much later a lost segment arrives, if its first repetition does. It is sent a round trip and a quarter after the next
    /// segment, whose acknowledgement tells of the loss (RFC 8985); in a burst that one is lost as well, and the timeout ends
    /// the waiting.
    fn first_repair(&self) -> Duration {
        if self.conditions.burst > 1.0 {
            return RETRANSMISSION_TIMEOUT;
        }
        let round_trip = Duration::from_secs_f64(2.0 * self.conditions.delay_ms / 1000.0);
        (NEXT_SEGMENT + round_trip * 5 / 4).min(RETRANSMISSION_TIMEOUT)
    }

    /// When the queue has room for `len` bytes more. An empty one takes a packet of any size.
    #[must_use]
    pub fn room_at(&self, len: usize, now: Timestamp) -> Timestamp {
        let may_wait = self.conditions.queue_bytes.saturating_sub(len);
        let drained = self.time_for(may_wait);
        let micros = u64::try_from(drained.as_micros()).unwrap_or(u64::MAX);
        let room_at = Timestamp::from_micros(self.free_at.as_micros().saturating_sub(micros));
        room_at.max(now)
    }

    fn is_black_hole(&self) -> bool {
        self.conditions.black_hole || self.conditions.loss_percent >= 100.0
    }

    fn transmit(&mut self, len: usize, now: Timestamp) -> Timestamp {
        self.free_at = self.free_at.max(now) + self.time_for(len);
        self.free_at
    }

    fn time_for(&self, bytes: usize) -> Duration {
        if self.conditions.rate_kbps <= 0.0 {
            return Duration::ZERO;
        }
        Duration::from_secs_f64(bytes as f64 * 8.0 / (self.conditions.rate_kbps * 1000.0))
    }

    fn travel(&mut self) -> Duration {
        let jitter = self.conditions.jitter_ms * self.random.random::<f64>();
        Duration::from_secs_f64((self.conditions.delay_ms + jitter) / 1000.0)
    }

    fn loses(&mut self) -> bool {
        let share = self.conditions.loss_percent / 100.0;
        let dice = self.random.random::<f64>();
        self.is_losing = if self.conditions.burst <= 1.0 {
            dice < share
        } else if self.is_losing {
            dice >= 1.0 / self.conditions.burst
        } else {
            dice < share / (1.0 - share) / self.conditions.burst
        };
        self.is_losing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn lossy(loss_percent: f64, burst: f64) -> Conditions {
        Conditions {
            loss_percent,
            burst,
            ..Conditions::default()
        }
    }

    /// The share of lost packets in percent, and how many are lost in a row on average.
    fn measure(conditions: Conditions, seed: u64) -> (f64, f64) {
        let mut link = Link::new(conditions, seed);
        let lost: Vec<bool> = (0..100_000)
            .map(|n| link.send(1000, at(n)).is_none())
            .collect();
        let count = lost.iter().filter(|lost| **lost).count() as f64;
        let bursts = lost
            .windows(2)
            .filter(|pair| pair == &[false, true])
            .count() as f64;
        (count / 1000.0, count / bursts)
    }

    #[test]
    fn a_perfect_link_delivers_at_once() {
        let mut link = Link::new(Conditions::default(), 1);
        for now in [at(0), at(0), at(7)] {
            assert_eq!(link.send(1_000_000, now), Some(now));
            assert_eq!(link.send_segment(1_000_000, now), Some(now));
        }
    }

    #[test]
    fn loss_has_its_share_and_its_bursts() {
        let (share, burst) = measure(lossy(5.0, 0.0), 1);
        assert!(
            (4.7..5.3).contains(&share) && burst < 1.1,
            "{share} {burst}"
        );
        let (share, burst) = measure(lossy(10.0, 5.0), 2);
        assert!((9.0..11.0).contains(&share), "{share}");
        assert!((4.7..5.3).contains(&burst), "{burst}");
    }

    #[test]
    fn a_seed_says_it_all() {
        let conditions = Conditions {
            jitter_ms: 30.0,
            ..lossy(10.0, 3.0)
        };
        let run = |seed| {
            let mut link = Link::new(conditions.clone(), seed);
            (0..1000).map(|n| link.send(100, at(n))).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }

    #[test]
    fn jitter_stays_in_its_bounds_and_in_order() {
        let conditions = Conditions {
            delay_ms: 40.0,
            jitter_ms: 20.0,
            ..Conditions::default()
        };
        let mut link = Link::new(conditions, 3);
        let mut before = at(0);
        for n in 0..1000 {
            let arrival = link.send(100, at(n)).unwrap();
            assert!(arrival >= before && arrival >= at(n + 40) && arrival <= at(n + 60));
            before = arrival;
        }
    }

    #[test]
    fn a_full_queue_drops_and_drains_at_the_rate() {
        let conditions = Conditions {
            rate_kbps: 800.0,
            delay_ms: 10.0,
            queue_bytes: 3000,
            ..Conditions::default()
        };
        let mut link = Link::new(conditions, 4);
        // 1000 bytes take 10 ms.
        assert_eq!(link.send(1000, at(0)), Some(at(20)));
        assert_eq!(link.send(1000, at(0)), Some(at(30)));
        assert_eq!(link.send(1000, at(0)), Some(at(40)));
        assert_eq!(link.send(1000, at(9)), None);
        assert_eq!(link.room_at(1000, at(9)), at(10));
        assert_eq!(link.send(1000, at(10)), Some(at(50)));
        assert_eq!(link.send(1000, at(100)), Some(at(120)));
        // What never fits passes when nothing waits.
        assert_eq!(link.send(8000, at(109)), None);
        assert_eq!(link.send(8000, at(110)), Some(at(200)));
    }

    #[test]
    fn a_segment_is_never_lost_but_late() {
        let mut link = Link::new(lossy(20.0, 0.0), 5);
        let (mut in_time, mut once, mut twice) = (0, 0, 0);
        for n in 0..10_000 {
            match (link.send_segment(1000, at(n)).unwrap() - at(n)).as_millis() {
                0 => in_time += 1,
                20 => once += 1,
                220 => twice += 1,
                millis => assert!(((millis - 20) / 200 + 1).is_power_of_two(), "{millis}"),
            }
        }
        assert!((7800..8200).contains(&in_time), "{in_time}");
        assert!((1500..1700).contains(&once), "{once}");
        assert!((260..380).contains(&twice), "{twice}");
    }

    #[test]
    fn nothing_leaves_a_black_hole_until_it_is_gone() {
        let mut link = Link::new(Conditions::black_hole(), 6);
        assert_eq!(link.send(1, at(0)), None);
        assert_eq!(link.send_segment(1, at(0)), None);
        link.set(lossy(100.0, 0.0));
        assert_eq!(link.send_segment(1, at(1)), None);
        link.set(Conditions::default());
        assert_eq!(link.send(1, at(2)), Some(at(2)));
        assert_eq!(link.send_segment(1, at(2)), Some(at(2)));
    }
}
