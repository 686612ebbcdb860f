//! How much the arrival of packets varies, and the delay that makes up for it.

use std::collections::VecDeque;

use super::MS;

/// Learns from every arrival. Positions and times are in samples; a position counts the sender's samples and a time the
/// samples played here.
pub(super) struct Arrivals {
    /// Arrival time minus position of the last packets, the newest last.
    offsets: VecDeque<i64>,
    /// How many of the newest belong to the present flow.
    anchored: usize,
    newest: Option<Newest>,
    /// Share of the packets that came 0-10 ms, 10-20 ms, ... after the most punctual ones.
    histogram: [f32; BINS],
    learned: u32,
    target: usize,
    /// What waiting for repetitions takes, and until when that counts.
    repeats: usize,
    repeats_until: u64,
}

#[derive(Clone, Copy)]
struct Newest {
    sequence: u64,
    start: i64,
    end: i64,
}

impl Arrivals {
    pub(super) fn new() -> Self {
        Self {
            offsets: VecDeque::with_capacity(2 * SIDE + 1),
            anchored: 0,
            newest: None,
            histogram: [0.0; BINS],
            learned: 0,
            target: MIN_TARGET,
            repeats: 0,
            repeats_until: 0,
        }
    }

    /// Delay to aim at, in samples.
    pub(super) fn target(&self) -> usize {
        self.target.max(self.repeats + MIN_TARGET)
    }

    /// A packet came at `now` that comes again up to `later`, in samples. What is lost can be waited for so long.
    pub(super) fn repeats(&mut self, later: usize, now: u64) {
        if later >= self.repeats || now >= self.repeats_until {
            self.repeats = later.min(MAX_TARGET);
            self.repeats_until = now + REPEATS_HOLD;
        }
    }

    /// The sender counts anew: old positions mean nothing any more. What was learned about the network stays.
    pub(super) fn restart(&mut self) {
        self.offsets.clear();
        self.anchored = 0;
        self.newest = None;
    }

    /// The flow paused and the next packet is the first one of a new flow: how punctual it is, nobody knows.
    pub(super) fn anchor(&mut self) {
        self.anchored = 0;
    }

    /// A packet came at `now`.
    pub(super) fn packet(&mut self, sequence: u64, len: usize, now: u64) {
        let len = len as i64;
        let start = match self.newest {
            None => 0,
            Some(newest) if sequence > newest.sequence => {
                newest.end + (sequence - newest.sequence - 1) as i64 * len
            }
            Some(newest) => newest.start - (newest.sequence - sequence) as i64 * len,
        };
        let end = start + len;
        if self.newest.is_none_or(|newest| sequence > newest.sequence) {
            self.newest = Some(Newest {
                sequence,
                start,
                end,
            });
        }
        if self.offsets.len() > 2 * SIDE {
            self.offsets.pop_front();
        }
        self.offsets.push_back(now as i64 - start);
        self.anchored = (self.anchored + 1).min(SIDE);
        self.learn();
    }

    /// Delay between the arrival of the most punctual packets and their turn, if the next sample to be produced is
    /// heard at `time` and lies `span` samples before the end of the newest packet.
    pub(super) fn delay(&self, time: u64, span: usize) -> i64 {
        let newest = self.offsets.iter().rev().take(self.anchored.max(1));
        match (self.newest, newest.min()) {
            (Some(Newest { end, .. }), Some(punctual)) => {
                time as i64 - (end - span as i64) - punctual
            }
            _ => 0,
        }
    }

    /// Takes the packet in the middle of the memory into the histogram.
    ///
    /// It is compared with the most punctual ones before and after it, and only what exceeds both counts: a delay
    /// that comes and does not go away again is a pause of the sender or a longer path, and waiting longer for each
    /// packet would not help.
    fn learn(&mut self) {
        if self.offsets.len() <= 2 * SIDE {
            return;
        }
        let before = self.offsets.iter().take(SIDE + 1).min();
        let after = self.offsets.iter().skip(SIDE).min();
        let (Some(offset), Some(before), Some(after)) = (self.offsets.get(SIDE), before, after)
        else {
            return;
        };
        let variation = usize::try_from(offset - before.max(after)).unwrap_or(0);
        let own = (variation / BIN).min(BINS - 1);

        // The first ones count equally; without that, the first one of all would count for seconds.
        let forget = FORGET.min(1.0 - 1.0 / (self.learned as f32 + 1.0));
        self.learned = self.learned.saturating_add(1);
        for (bin, share) in self.histogram.iter_mut().enumerate() {
            *share *= forget;
            if bin == own {
                *share += 1.0 - forget;
            }
        }
        self.target = self.quantile();
    }

    fn quantile(&self) -> usize {
        let mut beyond = 0.0;
        let mut needed = BINS;
        for share in self.histogram.iter().rev() {
            beyond += share;
            if beyond > TOO_LATE {
                break;
            }
            needed -= 1;
        }
        // One bin more for what the measuring of arrivals in whole render quanta hides.
        ((needed + 1) * BIN).clamp(MIN_TARGET, MAX_TARGET)
    }
}

/// Packets on either side with which one is compared: half a second.
const SIDE: usize = 25;
const BIN: usize = 10 * MS;
const BINS: usize = 50;
/// Share of the packets that may come after their turn.
const TOO_LATE: f32 = 0.03;
/// After each packet: half of what is known is from the last 3 s.
const FORGET: f32 = 0.995;
/// A packet before a pause or behind a loss repeats less than the others (2 s).
const REPEATS_HOLD: u64 = 2000 * MS as u64;
const MIN_TARGET: usize = 20 * MS;
const MAX_TARGET: usize = 500 * MS;

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds packets of 20 ms; `extra` is what each is late, in milliseconds. Returns the target in milliseconds.
    fn target_after(extra: impl Iterator<Item = u64>) -> usize {
        let mut arrivals = Arrivals::new();
        for (i, extra) in extra.enumerate() {
            arrivals.packet(i as u64, 960, 960 * i as u64 + extra * MS as u64);
        }
        arrivals.target() / MS
    }

    #[test]
    fn punctual_packets_need_the_minimum() {
        assert_eq!(target_after(std::iter::repeat_n(0, 500)), 20);
    }

    #[test]
    fn the_target_covers_what_most_packets_need() {
        let mostly_25 = (0..500).map(|i| [0, 25, 25, 25][i % 4]);
        assert_eq!(target_after(mostly_25), 40);
        let one_in_50_at_200 = (0..1000).map(|i| if i % 50 == 0 { 200 } else { 0 });
        assert_eq!(target_after(one_in_50_at_200), 20, "2 % may be late");
        let one_in_20_at_200 = (0..1000).map(|i| if i % 20 == 0 { 200 } else { 0 });
        assert_eq!(target_after(one_in_20_at_200), 220);
        let one_in_5_at_900 = (0..1000).map(|i| if i % 5 == 0 { 900 } else { 0 });
        assert_eq!(target_after(one_in_5_at_900), 500);
    }

    #[test]
    fn a_longer_path_and_pauses_are_not_jitter() {
        let longer_path = (0..500).map(|i| if i < 250 { 0 } else { 150 });
        assert_eq!(target_after(longer_path), 20);
        let pauses_of_380 = (0..500).map(|i| i * 380);
        assert_eq!(target_after(pauses_of_380), 20);
        let shorter_path = (0..500).map(|i| if i < 250 { 150 } else { 0 });
        assert_eq!(target_after(shorter_path), 20);
    }

    #[test]
    fn a_burst_is_forgotten_within_seconds() {
        let outage = |len: usize| {
            (0..len).map(|i| match i {
                500..510 => 200 - 20 * (i as u64 - 500),
                _ => 0,
            })
        };
        assert!(target_after(outage(540)) >= 80);
        assert_eq!(target_after(outage(540 + 250)), 20);
    }

    #[test]
    fn delay_counts_from_the_most_punctual_packet() {
        let mut arrivals = Arrivals::new();
        arrivals.packet(0, 960, 100);
        arrivals.packet(1, 960, 1500);
        assert_eq!(
            arrivals.delay(100, 1920),
            0,
            "the first one is played as it comes"
        );
        assert_eq!(arrivals.delay(1500, 1920), 1400);
        arrivals.anchor();
        arrivals.packet(2, 960, 5000);
        assert_eq!(arrivals.delay(5000, 960), 0, "a new flow");
    }
}
