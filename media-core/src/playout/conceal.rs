//! What is heard where nothing arrived.

use super::MS;
use super::noise::ComfortNoise;
use super::signal::{best_match, crossfade, tail};
use super::stretch::{MAX_LAG, MIN_LAG};

/// The last pitch periods over and over, fading to comfort noise within 100 ms; that one goes away if the pause lasts,
/// because then the person has muted.
pub(super) struct Concealment {
    /// What is repeated: one period, twice.
    periods: Vec<f32>,
    /// Samples made since the sound broke off.
    made: usize,
    /// By how much the first sample is off from where the sound broke off.
    step: f32,
    noise: ComfortNoise,
}

impl Concealment {
    /// Of silence.
    pub(super) fn new() -> Self {
        Self {
            periods: Vec::with_capacity(2 * MAX_LAG),
            made: NOISE_END,
            step: 0.0,
            noise: ComfortNoise::new(),
        }
    }

    /// Learns what the background sounds like.
    pub(super) fn hear(&mut self, samples: &[f32]) {
        self.noise.hear(samples);
    }

    /// Continues `history`, which has just broken off.
    pub(super) fn start(&mut self, history: &[f32]) {
        let template = tail(history, COMPARED);
        let field_end = history.len().saturating_sub(MIN_LAG);
        let field = tail(
            history.get(..field_end).unwrap_or_default(),
            MAX_LAG - MIN_LAG + COMPARED,
        );
        let longest = MIN_LAG + field.len().saturating_sub(COMPARED);
        let lag = best_match(template, field).map_or(longest, |found| longest - found.shift);

        // The end of the period leads over to its beginning as the sound before the period did.
        let period = tail(history, lag);
        let before = history
            .get(..history.len().saturating_sub(lag))
            .unwrap_or_default();
        let seam = || crossfade(tail(period, OVERLAP), tail(before, OVERLAP));
        let body = || period.iter().take(lag.saturating_sub(OVERLAP)).copied();
        self.periods.clear();
        self.periods
            .extend(body().chain(seam()).chain(body()).chain(seam()));
        let last = |samples: &[f32]| samples.last().copied().unwrap_or(0.0);
        self.step = last(period) - last(before);
        self.made = 0;
    }

    /// The next `out.len()` samples.
    pub(super) fn fill(&mut self, out: &mut [f32]) {
        for out in out {
            let repeated = self.upcoming().first().copied().unwrap_or(0.0);
            let periodic = repeated + self.step * ramp_down(self.made, 0, OVERLAP);
            let gain = ramp_down(self.made, HOLD, FADED);
            let background = (1.0 - gain) * ramp_down(self.made, NOISE_HOLD, NOISE_END);
            *out = (periodic * gain + self.noise.next() * background).clamp(-1.0, 1.0);
            self.made = (self.made + 1).min(NOISE_END);
        }
    }

    /// Nothing is left of the sound that broke off.
    pub(super) fn is_faded(&self) -> bool {
        self.made >= FADED
    }

    /// How many samples to go on until `next` follows in phase.
    pub(super) fn phase_of(&self, next: &[f32]) -> usize {
        if self.is_faded() {
            return 0;
        }
        let field = self.upcoming();
        let field = field.get(..next.len() + LONGEST_WAIT).unwrap_or(field);
        best_match(next, field).map_or(0, |found| found.shift)
    }

    /// At least one period from the present place on.
    fn upcoming(&self) -> &[f32] {
        let from = self.made % (self.periods.len() / 2).max(1);
        self.periods.get(from..).unwrap_or_default()
    }
}

/// 1 before `start`, 0 from `end` on, linear in between.
fn ramp_down(at: usize, start: usize, end: usize) -> f32 {
    let left = end.saturating_sub(at.max(start));
    left as f32 / (end - start) as f32
}

/// Samples at the end of the history for which the lag is looked up (10 ms).
const COMPARED: usize = 10 * MS;
/// Samples over which a period leads over to the next one (2.5 ms).
const OVERLAP: usize = 5 * MS / 2;
/// Longest search for the phase (10 ms): it adds to the delay.
const LONGEST_WAIT: usize = 10 * MS;
const HOLD: usize = 20 * MS;
const FADED: usize = 100 * MS;
/// A sender with discontinuous transmission refreshes the background every 400 ms.
const NOISE_HOLD: usize = 600 * MS;
const NOISE_END: usize = 1000 * MS;
