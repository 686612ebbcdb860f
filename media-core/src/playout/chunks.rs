//! Decoded packets in the order of their numbers.

use std::collections::VecDeque;

use super::{CAPACITY, MAX_CHUNK};

/// The packets from the one that is played next. Buffers are used again, so that only growth allocates.
pub(super) struct Chunks {
    /// The first is number `next`; `None` has not arrived. The last one is never `None`.
    slots: VecDeque<Option<Vec<f32>>>,
    next: u64,
    /// Samples of the first one that are played already.
    offset: usize,
    /// Samples that are there and not played.
    available: usize,
    missing: usize,
    /// Length of the packet that arrived last: what a missing one is taken to have.
    usual_len: usize,
    /// Packets in a row that were too late.
    late_run: usize,
    spare: Vec<Vec<f32>>,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inserted {
    /// It waits for its turn.
    InTime,
    /// Its turn is over.
    Late,
    /// It is there already.
    Duplicate,
    /// Its number is so far off that the sender must count anew: everything else is gone.
    Restarted,
}

impl Chunks {
    /// Empty.
    pub(super) fn new() -> Self {
        Self {
            slots: VecDeque::with_capacity(WINDOW),
            next: 0,
            offset: 0,
            available: 0,
            missing: 0,
            usual_len: 0,
            late_run: 0,
            spare: Vec::with_capacity(WINDOW),
        }
    }

    /// Takes a packet in. The first one of all is a restart.
    pub(super) fn insert(&mut self, sequence: u64, samples: &[f32]) -> Inserted {
        let first = self.usual_len == 0;
        self.usual_len = samples.len().min(MAX_CHUNK);
        if first {
            self.restart(sequence, samples);
            return Inserted::Restarted;
        }
        let Some(ahead) = sequence.checked_sub(self.next) else {
            self.late_run += 1;
            if self.next - sequence > WINDOW as u64 || self.late_run >= LATE_RUN {
                self.restart(sequence, samples);
                return Inserted::Restarted;
            }
            return Inserted::Late;
        };
        let farthest = self.slots.len() + WINDOW.min(CAPACITY / self.usual_len);
        match usize::try_from(ahead) {
            Ok(ahead) if ahead < farthest => self.place(ahead, samples),
            _ => {
                self.restart(sequence, samples);
                Inserted::Restarted
            }
        }
    }

    /// Nothing has arrived that is not played.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Number of the packet that is played next.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Samples of the packet that is played next that are played already.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// From the next sample to the end of the last packet, missing ones included, in samples.
    pub(super) fn span(&self) -> usize {
        self.available + self.missing * self.usual_len
    }

    /// Copies what can be played without a gap, as far as `out` reaches. Returns how many samples.
    pub(super) fn peek(&self, out: &mut [f32]) -> usize {
        let mut room = out.iter_mut();
        let mut copied = 0;
        let mut offset = self.offset;
        for chunk in self.slots.iter().map_while(Option::as_ref) {
            let rest = chunk.get(offset..).unwrap_or_default();
            // The shorter side comes first: the iterator that runs out must not swallow a place of the other.
            for (sample, place) in rest.iter().zip(room.by_ref()) {
                *place = *sample;
                copied += 1;
            }
            if room.len() == 0 {
                break;
            }
            offset = 0;
        }
        copied
    }

    /// Drops the next `count` samples, at most up to a gap.
    pub(super) fn consume(&mut self, count: usize) {
        let mut left = count;
        while let Some(Some(chunk)) = self.slots.front() {
            let rest = chunk.len() - self.offset;
            if left < rest {
                self.offset += left;
                self.available -= left;
                return;
            }
            left -= rest;
            self.pop();
        }
    }

    /// Gives up on the missing packets that are due. Returns how many.
    pub(super) fn skip_missing(&mut self) -> usize {
        let mut skipped = 0;
        while let Some(None) = self.slots.front() {
            self.pop();
            skipped += 1;
        }
        skipped
    }

    /// Length that a missing packet is taken to have, in samples.
    pub(super) fn usual_len(&self) -> usize {
        self.usual_len
    }

    /// Drops the first packet, if it is there.
    pub(super) fn drop_first(&mut self) {
        if let Some(Some(_)) = self.slots.front() {
            self.pop();
        }
    }

    fn restart(&mut self, sequence: u64, samples: &[f32]) {
        while !self.slots.is_empty() {
            self.pop();
        }
        self.next = sequence;
        self.place(0, samples);
    }

    fn place(&mut self, ahead: usize, samples: &[f32]) -> Inserted {
        self.late_run = 0;
        while self.slots.len() <= ahead {
            self.slots.push_back(None);
            self.missing += 1;
        }
        match self.slots.get_mut(ahead) {
            Some(slot @ None) => {
                let mut chunk = self.spare.pop().unwrap_or_default();
                chunk.extend(samples.iter().take(MAX_CHUNK).copied().map(clean));
                self.available += chunk.len();
                self.missing -= 1;
                *slot = Some(chunk);
                Inserted::InTime
            }
            _ => Inserted::Duplicate,
        }
    }

    fn pop(&mut self) {
        match self.slots.pop_front() {
            Some(Some(mut chunk)) => {
                self.available -= chunk.len() - self.offset;
                chunk.clear();
                self.spare.push(chunk);
            }
            Some(None) => self.missing -= 1,
            None => return,
        }
        self.offset = 0;
        self.next = self.next.saturating_add(1);
    }
}

/// A decoder's output is not trusted to be within its range.
fn clean(sample: f32) -> f32 {
    if sample.is_finite() {
        sample.clamp(-1.0, 1.0)
    } else {
        0.0
    }
}

/// A number further off than this, or than [`CAPACITY`], is a restart.
const WINDOW: usize = 256;
/// So many late packets in a row, and nothing in between, are a restart by a small step back.
const LATE_RUN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(value: f32) -> [f32; 960] {
        [value; 960]
    }

    fn read(chunks: &mut Chunks, count: usize) -> Vec<f32> {
        let mut out = vec![0.0; count];
        let copied = chunks.peek(&mut out);
        chunks.consume(copied);
        out.truncate(copied);
        out
    }

    #[test]
    fn packets_are_read_in_order_across_their_borders() {
        let mut chunks = Chunks::new();
        assert_eq!(chunks.insert(7, &chunk(0.7)), Inserted::Restarted);
        assert_eq!(chunks.insert(9, &chunk(0.9)), Inserted::InTime);
        assert_eq!(chunks.span(), 3 * 960);
        assert_eq!(read(&mut chunks, 2000).len(), 960, "up to the gap");
        assert_eq!(chunks.insert(8, &chunk(0.8)), Inserted::InTime);
        let rest = read(&mut chunks, 2000);
        assert_eq!(rest, [chunk(0.8), chunk(0.9)].concat());
        assert!(chunks.is_empty());
        assert_eq!((chunks.next(), chunks.span()), (10, 0));
    }

    #[test]
    fn duplicates_and_late_packets_are_told_apart() {
        let mut chunks = Chunks::new();
        chunks.insert(0, &chunk(0.0));
        chunks.insert(1, &chunk(0.1));
        assert_eq!(chunks.insert(1, &chunk(0.5)), Inserted::Duplicate);
        read(&mut chunks, 960);
        assert_eq!(chunks.insert(0, &chunk(0.5)), Inserted::Late);
        assert_eq!(read(&mut chunks, 960), chunk(0.1));
    }

    #[test]
    fn a_gap_is_skipped_and_counted() {
        let mut chunks = Chunks::new();
        chunks.insert(0, &chunk(0.0));
        chunks.insert(4, &chunk(0.4));
        read(&mut chunks, 960);
        assert_eq!(chunks.skip_missing(), 3);
        assert_eq!(chunks.span(), 960);
        assert_eq!(read(&mut chunks, 960), chunk(0.4));
        assert_eq!(chunks.skip_missing(), 0);
    }

    #[test]
    fn a_number_far_off_restarts_in_either_direction() {
        for (from, to) in [(5, 5 + 256), (1000, 10), (u64::MAX, 0), (0, u64::MAX)] {
            let mut chunks = Chunks::new();
            chunks.insert(from, &chunk(0.1));
            assert_eq!(
                chunks.insert(to, &chunk(0.2)),
                Inserted::Restarted,
                "{from} to {to}"
            );
            assert_eq!(read(&mut chunks, 2000), chunk(0.2));
        }
    }

    #[test]
    fn a_small_step_back_is_late_at_first_and_a_restart_in_the_end() {
        let mut chunks = Chunks::new();
        chunks.insert(100, &chunk(0.1));
        let inserted: Vec<_> = (50..58).map(|n| chunks.insert(n, &chunk(0.2))).collect();
        assert_eq!(inserted[..7], [Inserted::Late; 7]);
        assert_eq!(inserted[7], Inserted::Restarted);
        assert_eq!(chunks.next(), 57);
    }

    #[test]
    fn samples_are_made_finite_and_cut_to_the_range() {
        let mut chunks = Chunks::new();
        chunks.insert(
            0,
            &[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 2.0, -2.0, 0.5],
        );
        assert_eq!(read(&mut chunks, 10), [0.0, 0.0, 0.0, 1.0, -1.0, 0.5]);
    }
}
