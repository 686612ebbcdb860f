//! How many earlier frames a sound's packets would have to repeat for nothing to be missing.

use std::collections::VecDeque;

use videocall_types::limits::MAX_REDUNDANCY;

/// Packets may be late by so many others before they count as lost.
const SETTLED: u32 = 16;
/// A jump over more packets than this is a new count, not a loss.
const MAX_JUMP: u64 = 500;
/// Reviews, one a second, that decide about more, and about less.
const RISE: usize = 5;
const FALL: usize = 20;
/// So many missing frames within [`RISE`] call for more.
const TOO_MANY: u32 = 3;
/// What may be missing for less to suffice: one frame in so many.
const UNHEARD_ONE_IN: u32 = 200;

/// Frames that are missing at each degree of redundancy.
type Missing = [u32; MAX_REDUNDANCY as usize + 1];

/// Counts the losses of one track's packets, whatever could be recovered, and derives what it lacks.
#[derive(Debug, Default)]
pub(super) struct LossMeter {
    newest: Option<u64>,
    /// Bit `n`: packet `newest - n` has come.
    seen: u64,
    /// Packets in a row that are missing before the oldest one that is not settled.
    run: u32,
    /// Since the last review.
    second: Second,
    /// The newest first.
    seconds: VecDeque<Second>,
    lacking: u8,
    /// Reviews since `lacking` has changed.
    unchanged: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Second {
    packets: u32,
    missing: Missing,
}

impl LossMeter {
    /// A packet came.
    pub(super) fn packet(&mut self, sequence: u64) {
        let Some(newest) = self.newest else {
            return self.start(sequence);
        };
        match sequence.checked_sub(newest) {
            Some(ahead) if ahead > MAX_JUMP => self.start(sequence),
            Some(ahead) => {
                for _ in 0..ahead {
                    self.settle();
                    self.seen <<= 1;
                }
                self.newest = Some(sequence);
                self.seen |= 1;
            }
            None if newest - sequence < u64::from(SETTLED) => {
                self.seen |= 1 << (newest - sequence);
            }
            None if newest - sequence > MAX_JUMP => self.start(sequence),
            None => {}
        }
    }

    /// The next packet may be any.
    pub(super) fn restart(&mut self) {
        self.newest = None;
    }

    /// A second is over: how many earlier frames each packet should repeat.
    pub(super) fn review(&mut self) -> u8 {
        self.seconds.truncate(FALL - 1);
        self.seconds.push_front(std::mem::take(&mut self.second));
        self.unchanged = self.unchanged.saturating_add(1);
        let needed = self.sufficient(RISE, |missing, _| missing < TOO_MANY);
        let possible = self.sufficient(FALL, |missing, packets| {
            missing.saturating_mul(UNHEARD_ONE_IN) <= packets
        });
        if needed > self.lacking {
            (self.lacking, self.unchanged) = (needed, 0);
        } else if possible < self.lacking && self.unchanged >= FALL {
            (self.lacking, self.unchanged) = (possible.max(needed), 0);
        }
        self.lacking
    }

    /// Whatever came before has no gaps.
    fn start(&mut self, sequence: u64) {
        self.newest = Some(sequence);
        self.seen = u64::MAX;
        self.run = 0;
    }

    /// The oldest packet that is not settled will not come any more if it has not come by now.
    fn settle(&mut self) {
        self.second.packets += 1;
        if self.seen & (1 << (SETTLED - 1)) != 0 {
            self.run = 0;
            return;
        }
        self.run = self.run.saturating_add(1);
        // The packet after a gap brings back as many of the frames before it as it repeats.
        for (repeated, missing) in (0..).zip(&mut self.second.missing) {
            *missing += u32::from(self.run > repeated);
        }
    }

    /// The least redundancy with which what was missing in the last `seconds` is `fine`, or all there is.
    fn sufficient(&self, seconds: usize, fine: impl Fn(u32, u32) -> bool) -> u8 {
        let of_late = || self.seconds.iter().take(seconds);
        let packets = of_late().map(|second| second.packets).sum();
        let fine = |frames: &u8| {
            let missing = of_late().filter_map(|second| second.missing.get(usize::from(*frames)));
            fine(missing.sum(), packets)
        };
        (0..MAX_REDUNDANCY).find(fine).unwrap_or(MAX_REDUNDANCY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a listener lacks after each second in which packets are lost at the places of that second.
    fn lacking(seconds: &[&[u64]]) -> Vec<u8> {
        let mut meter = LossMeter::default();
        let lost_in = |(second, lost): (u64, &&[u64])| {
            for place in (0..50).filter(|place| !lost.contains(place)) {
                meter.packet(second * 50 + place);
            }
            meter.review()
        };
        (0..).zip(seconds).map(lost_in).collect()
    }

    #[test]
    fn single_losses_lack_one_frame_and_pairs_two() {
        assert_eq!(lacking(&[&[], &[5, 20], &[]]), [0, 0, 0]);
        assert_eq!(lacking(&[&[], &[5, 20], &[10], &[]]), [0, 0, 1, 1]);
        assert_eq!(lacking(&[&[], &[5, 6, 10, 11, 20, 21]]), [0, 2]);
        assert_eq!(lacking(&[&[], &[5, 6, 7, 8, 9, 10]]), [0, 2]);
    }

    #[test]
    fn what_helps_is_kept_for_20_seconds_after_the_last_need() {
        let lost: &[u64] = &[5, 10, 15];
        let mut seconds = vec![lost];
        seconds.extend([&[] as &[u64]; 30]);
        let lacking = lacking(&seconds);
        assert!(lacking[..20].iter().all(|frames| *frames == 1));
        assert_eq!(lacking[25], 0);
    }

    #[test]
    fn late_packets_restarts_and_pauses_are_no_loss() {
        let mut meter = LossMeter::default();
        for n in (0..200).step_by(10) {
            (0..10).rev().for_each(|late| meter.packet(n + late));
        }
        meter.packet(1 << 60);
        meter.packet(0);
        meter.packet(5_000);
        meter.restart();
        meter.packet(5_100);
        (5_100..5_200).for_each(|n| meter.packet(n));
        assert_eq!(meter.review(), 0);
        assert_eq!(meter.seconds[0].missing, [0; 3]);
    }

    proptest! {
        #[test]
        fn any_numbers_do_not_panic(sequences in prop::collection::vec(any::<u64>(), 0..100)) {
            let mut meter = LossMeter::default();
            for sequence in sequences {
                meter.packet(sequence);
                prop_assert!(meter.review() <= MAX_REDUNDANCY);
            }
        }
    }
}
