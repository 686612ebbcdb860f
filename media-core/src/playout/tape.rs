//! What was produced: the part that is still to be played, and the past before it.

use super::MS;
use super::signal::tail;

/// The end of the output. Its past is where concealment and stretching find what to repeat.
pub(super) struct Tape {
    samples: Vec<f32>,
    unplayed: usize,
}

impl Tape {
    /// A past of silence.
    pub(super) fn new() -> Self {
        let mut samples = Vec::with_capacity(LENGTH);
        samples.resize(HISTORY, 0.0);
        Self {
            samples,
            unplayed: 0,
        }
    }

    /// The last [`HISTORY`] samples that were produced.
    pub(super) fn history(&self) -> &[f32] {
        tail(&self.samples, HISTORY)
    }

    /// How many produced samples are not played yet.
    pub(super) fn unplayed(&self) -> usize {
        self.unplayed
    }

    /// Appends.
    pub(super) fn extend(&mut self, samples: impl ExactSizeIterator<Item = f32>) {
        let added = samples.len();
        if self.samples.len() + added > LENGTH {
            let surplus = self
                .samples
                .len()
                .saturating_sub(HISTORY.max(self.unplayed));
            self.samples.drain(..surplus);
        }
        self.samples.extend(samples);
        self.unplayed += added;
    }

    /// Plays as much as `out` holds and is there.
    pub(super) fn play(&mut self, out: &mut [f32]) {
        let next = tail(&self.samples, self.unplayed);
        let count = next.len().min(out.len());
        for (out, sample) in out.iter_mut().zip(next) {
            *out = *sample;
        }
        self.unplayed -= count;
    }
}

/// Samples of the past that are kept (30 ms): the longest pitch period and as much again as is compared.
pub(super) const HISTORY: usize = 30 * MS;
/// Room for several operations, so that the past is moved rarely.
const LENGTH: usize = 4 * HISTORY;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_out_in_order_and_stay_as_history() {
        let mut tape = Tape::new();
        let mut played = Vec::new();
        for round in 0..50 {
            tape.extend((0..300).map(|i| (round * 300 + i) as f32));
            let mut out = [0.0; 300];
            tape.play(&mut out);
            played.extend(out);
            assert_eq!(tape.unplayed(), 0);
        }
        assert!(
            played
                .iter()
                .enumerate()
                .all(|(i, sample)| *sample == i as f32)
        );
        assert_eq!(tape.history().len(), HISTORY);
        assert_eq!(tape.history().last(), Some(&14_999.0));
        assert_eq!(tape.samples.capacity(), LENGTH, "nothing was allocated");
    }
}
