//! Takes noise out of a voice, for the capture processor of `processor.js`: RNNoise behind a C ABI.
//!
//! A module of its own, because it is loaded only where somebody switches it on. It imports nothing, as is explained in
//! `audio-worklet`. JavaScript writes 10 ms of sound at a fixed place, calls [`exports::process`] and reads them there.

use std::cell::RefCell;

use nnnoiseless::DenoiseState;

/// Samples of 48 kHz mono that are processed at once: 10 ms.
const FRAME: usize = DenoiseState::FRAME_SIZE;
/// The network counts in 16-bit samples.
const SCALE: f32 = 32_768.0;

/// One voice. What comes out is 10 ms behind.
struct Denoiser {
    state: Box<DenoiseState<'static>>,
    /// What goes in and what comes out.
    samples: [f32; FRAME],
}

impl Denoiser {
    fn new() -> Self {
        Self {
            state: DenoiseState::new(),
            samples: [0.0; FRAME],
        }
    }

    fn process(&mut self) {
        let noisy = self.samples.map(|sample| {
            let sample = if sample.is_finite() { sample } else { 0.0 };
            sample.clamp(-1.0, 1.0) * SCALE
        });
        self.state.process_frame(&mut self.samples, &noisy);
        for sample in &mut self.samples {
            *sample = (*sample / SCALE).clamp(-1.0, 1.0);
        }
    }
}

thread_local! {
    static DENOISER: RefCell<Denoiser> = RefCell::new(Denoiser::new());
}

/// The functions that JavaScript sees. Pointers are offsets in the module's memory and stay the same.
#[expect(
    unsafe_code,
    reason = "only an unsafe attribute exports a function by its name"
)]
mod exports {
    use super::{DENOISER, Denoiser, FRAME};

    /// Where [`process`] finds samples and leaves them.
    #[unsafe(no_mangle)]
    extern "C" fn samples() -> *mut f32 {
        DENOISER.with_borrow_mut(|denoiser| denoiser.samples.as_mut_ptr())
    }

    /// Room at [`samples`].
    #[unsafe(no_mangle)]
    extern "C" fn frame_len() -> usize {
        FRAME
    }

    /// Takes the noise out of the samples.
    #[unsafe(no_mangle)]
    extern "C" fn process() {
        DENOISER.with_borrow_mut(Denoiser::process);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f32::consts::TAU;

    /// Three seconds through the network; the first one, in which it gets used to the sound, is left out.
    fn denoised(sound: impl Fn(usize) -> f32) -> Vec<f32> {
        let mut denoiser = Denoiser::new();
        let mut heard = Vec::new();
        for frame in 0..300 {
            for (i, sample) in denoiser.samples.iter_mut().enumerate() {
                *sample = sound(frame * FRAME + i);
            }
            denoiser.process();
            heard.extend(denoiser.samples);
        }
        heard.split_off(48_000)
    }

    fn decibels(samples: &[f32]) -> f32 {
        let power: f32 = samples.iter().map(|sample| sample * sample).sum();
        10.0 * (power / samples.len() as f32 + 1e-12).log10()
    }

    fn level(sound: impl Fn(usize) -> f32) -> f32 {
        decibels(&(48_000..144_000).map(sound).collect::<Vec<_>>())
    }

    /// Three seconds of a fan: white noise through a low-pass filter, at -32 dB.
    fn fan() -> Vec<f32> {
        let (mut random, mut low) = (0x2545_F491_u32, 0.0);
        let fan = std::iter::repeat_with(|| {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            let white = (random >> 8) as f32 / 8_388_608.0 - 1.0;
            low = 0.98 * low + 0.02 * white;
            0.4 * low
        });
        fan.take(300 * FRAME).collect()
    }

    /// A pitch that falls and rises, with the harmonics of an open vowel, in four syllables a second.
    fn voice(at: usize) -> f32 {
        let time = at as f32 / 48_000.0;
        let phase = 130.0 * time + 2.0 * (time * TAU * 0.7).sin();
        let tone: f32 = (1..=20)
            .map(|n| {
                let hertz = 130.0 * n as f32;
                let formant = |centre: f32| 1.0 / (1.0 + ((hertz - centre) / 150.0).powi(2));
                (formant(700.0) + 0.6 * formant(1_200.0) + 0.2) * (phase * n as f32 * TAU).sin()
            })
            .sum();
        let syllable = (time * 4.0 * TAU / 2.0).sin().powi(2);
        0.08 * tone * syllable
    }

    #[test]
    fn noise_becomes_much_quieter() {
        let fan = fan();
        let lowered = level(|at| fan[at]) - decibels(&denoised(|at| fan[at]));
        assert!(lowered > 20.0, "{lowered} dB");
    }

    #[test]
    fn a_voice_stays_with_noise_and_without() {
        let clean = decibels(&denoised(voice)) - level(voice);
        assert!(clean.abs() < 3.0, "{clean} dB");
        let fan = fan();
        let noisy = decibels(&denoised(|at| voice(at) + fan[at])) - level(voice);
        assert!(noisy.abs() < 4.0, "{noisy} dB");
    }

    #[test]
    fn rubbish_stays_within_the_range() {
        for rubbish in [f32::NAN, f32::INFINITY, -1e30, 1.0] {
            let heard = denoised(|_| rubbish);
            assert!(heard.iter().all(|sample| (-1.0..=1.0).contains(sample)));
        }
    }
}
