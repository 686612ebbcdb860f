//! Playing faster or slower without a change of pitch.
//!
//! A stretch leaves out or repeats `lag` samples: a multiple of the pitch period, because that is where the waveform is
//! most similar to itself. Over [`OVERLAP`] samples one place fades into the other.

use super::MS;
use super::signal::{best_match, crossfade, rms, tail};

/// How many samples to leave out of `ahead`, which has `longest + OVERLAP` at least: from [`MIN_LAG`] to `longest`.
/// `history` is what was produced before it.
pub(super) fn find_shorter(
    history: &[f32],
    ahead: &[f32],
    longest: usize,
    required: f32,
) -> Option<usize> {
    let mut joined = [0.0; JOINED];
    let joined = join(
        &mut joined,
        tail(history, CONTEXT),
        ahead.get(..longest + OVERLAP)?,
    );
    let template = joined.get(..CONTEXT + OVERLAP)?;
    let field = joined.get(MIN_LAG..)?;
    Some(MIN_LAG + find(template, field, required)?)
}

/// What is played instead of the first `lag + OVERLAP` samples of `ahead`: [`OVERLAP`] samples.
pub(super) fn shorter(ahead: &[f32], lag: usize) -> impl ExactSizeIterator<Item = f32> {
    let kept = ahead.get(..OVERLAP).unwrap_or_default();
    crossfade(kept, ahead.get(lag..).unwrap_or_default())
}

/// How many samples to put in between `history` and `ahead`.
pub(super) fn find_longer(history: &[f32], ahead: &[f32], required: f32) -> Option<usize> {
    let mut joined = [0.0; JOINED];
    let joined = join(
        &mut joined,
        tail(history, CONTEXT + MAX_LAG),
        ahead.get(..OVERLAP)?,
    );
    let template = tail(joined, CONTEXT + OVERLAP);
    let field = joined.get(..joined.len().checked_sub(MIN_LAG)?)?;
    Some(MAX_LAG - find(template, field, required)?)
}

/// Fills `out`, `lag` samples, with what is played before `ahead`.
pub(super) fn longer(history: &[f32], ahead: &[f32], out: &mut [f32]) {
    let repeated = tail(history, out.len());
    out.copy_from_slice(repeated);
    for (out, faded) in out.iter_mut().zip(crossfade(ahead, repeated)) {
        *out = faded;
    }
}

/// The similarity that justifies a stretch if the delay is off by `off` samples: the more it is off, the less beautiful
/// the stretch has to be.
pub(super) fn required_similarity(off: i64) -> f32 {
    0.9 - off.abs() as f32 / (100 * MS) as f32
}

/// Where `template` is found again, if it is similar enough or too quiet for anybody to hear the seam.
fn find(template: &[f32], field: &[f32], required: f32) -> Option<usize> {
    let found = best_match(template, field)?;
    (found.correlation >= required || rms(template) < QUIET).then_some(found.shift)
}

fn join<'a>(space: &'a mut [f32], first: &[f32], second: &[f32]) -> &'a [f32] {
    let mut len = 0;
    for (place, sample) in space.iter_mut().zip(first.iter().chain(second)) {
        *place = *sample;
        len += 1;
    }
    space.get(..len).unwrap_or_default()
}

/// Shortest stretch (5 ms). Higher voices repeat themselves several times within the range.
pub(super) const MIN_LAG: usize = 5 * MS;
/// Longest stretch (20 ms), one period of the lowest voices.
pub(super) const MAX_LAG: usize = 20 * MS;
/// Samples over which one place fades into the other (5 ms).
pub(super) const OVERLAP: usize = 5 * MS;
/// Samples before the seam that are compared too (5 ms).
const CONTEXT: usize = 5 * MS;
const JOINED: usize = CONTEXT + MAX_LAG + OVERLAP;
/// RMS below which everything may be stretched (-50 dBFS).
const QUIET: f32 = 0.003;
