//! Arithmetic on stretches of samples.

/// Most samples that are worked on at a time: those of two render quanta.
pub(super) const BLOCK: usize = 256;

/// The last `count` samples, or all if there are fewer.
pub(super) fn tail(samples: &[f32], count: usize) -> &[f32] {
    samples
        .get(samples.len().saturating_sub(count)..)
        .unwrap_or_default()
}

/// From all of `from` to all of `to`, linearly.
pub(super) fn crossfade(from: &[f32], to: &[f32]) -> impl ExactSizeIterator<Item = f32> {
    let steps = from.len().min(to.len()) + 1;
    from.iter().zip(to).enumerate().map(move |(i, (from, to))| {
        let weight = (i + 1) as f32 / steps as f32;
        from + (to - from) * weight
    })
}

/// Root of the mean square; 0 for nothing.
pub(super) fn rms(samples: &[f32]) -> f32 {
    let energy: f32 = samples.iter().map(|sample| sample * sample).sum();
    (energy / samples.len().max(1) as f32).sqrt()
}

/// Where a template was found again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Match {
    /// How far into the field it begins.
    pub(super) shift: usize,
    /// Normalised cross-correlation, -1 to 1.
    pub(super) correlation: f32,
}

/// Where in `field` the waveform is most similar to `template`; `None` if the field is the shorter one.
///
/// A first pass over every fourth sample at every fourth place costs a sixteenth; voices have little energy above the
/// 6 kHz that it can tell apart. A second pass looks at every place around the best one.
pub(super) fn best_match(template: &[f32], field: &[f32]) -> Option<Match> {
    let last = field.len().checked_sub(template.len())?;
    let coarse = best_of(template, field, (0..=last).step_by(COARSE), COARSE)?;
    let around = coarse.shift.saturating_sub(COARSE - 1)..=(coarse.shift + COARSE - 1).min(last);
    best_of(template, field, around, 1)
}

/// The best one among `shifts`, looking at every `step`th sample.
fn best_of(
    template: &[f32],
    field: &[f32],
    shifts: impl Iterator<Item = usize>,
    step: usize,
) -> Option<Match> {
    let matches = shifts.map(|shift| Match {
        shift,
        correlation: correlation(template, field.get(shift..).unwrap_or_default(), step),
    });
    matches.max_by(|a, b| a.correlation.total_cmp(&b.correlation))
}

fn correlation(a: &[f32], b: &[f32], step: usize) -> f32 {
    let mut product = 0.0;
    let (mut energy_a, mut energy_b) = (0.0, 0.0);
    for (a, b) in a.iter().zip(b).step_by(step) {
        product += a * b;
        energy_a += a * a;
        energy_b += b * b;
    }
    let norm = (energy_a * energy_b).sqrt();
    if norm > 0.0 { product / norm } else { 0.0 }
}

const COARSE: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(period: f32, len: usize) -> Vec<f32> {
        (0..len)
            .map(|i| (i as f32 * std::f32::consts::TAU / period).sin())
            .collect()
    }

    #[test]
    fn a_template_is_found_where_it_was_cut_out() {
        let noise: Vec<f32> = (0..1000)
            .scan((1_u32, 0.0), |(random, low), _| {
                *random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let white = (*random >> 8) as f32 / 8_388_608.0 - 1.0;
                *low += (white - *low) * 0.1;
                Some(*low)
            })
            .collect();
        let found = best_match(&noise[317..617], &noise).unwrap();
        assert_eq!(found.shift, 317);
        assert!(found.correlation > 0.999);
    }

    #[test]
    fn a_field_shorter_than_the_template_has_no_match() {
        assert!(best_match(&[1.0; 10], &[1.0; 9]).is_none());
        assert_eq!(best_match(&[1.0; 9], &[1.0; 9]).unwrap().shift, 0);
    }

    #[test]
    fn opposite_phase_correlates_negatively_and_silence_not_at_all() {
        let wave = sine(100.0, 200);
        let opposite: Vec<f32> = wave.iter().map(|sample| -sample).collect();
        assert!(best_match(&wave, &opposite).unwrap().correlation < -0.99);
        assert_eq!(best_match(&wave, &[0.0; 200]).unwrap().correlation, 0.0);
    }

    #[test]
    fn a_crossfade_touches_neither_end() {
        let faded: Vec<f32> = crossfade(&[1.0; 3], &[0.0; 3]).collect();
        assert_eq!(faded, [0.75, 0.5, 0.25]);
    }

    #[test]
    fn rms_of_a_full_sine_is_its_amplitude_over_root_two() {
        assert!((rms(&sine(100.0, 1000)) - 0.5_f32.sqrt()).abs() < 1e-3);
        assert_eq!(rms(&[]), 0.0);
    }
}
