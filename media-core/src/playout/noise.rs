//! Comfort noise: what the background of a speaker sounds like while packets pause.

use super::signal::rms;

/// Noise as loud as the quietest sound lately, with the high frequencies softened.
pub(super) struct ComfortNoise {
    floor: f32,
    previous: f32,
    random: u32,
}

impl ComfortNoise {
    pub(super) fn new() -> Self {
        Self {
            floor: LOUDEST,
            previous: 0.0,
            random: 0x9E37_79B9,
        }
    }

    /// Learns from a packet that arrived.
    pub(super) fn hear(&mut self, samples: &[f32]) {
        self.floor = rms(samples)
            .min(self.floor * RISE + SMALLEST_RISE)
            .min(LOUDEST);
    }

    /// The next sample.
    pub(super) fn next(&mut self) -> f32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        let white = (self.random >> 8) as f32 / 8_388_608.0 - 1.0;
        self.previous = self.previous * SMOOTHING + white * (1.0 - SMOOTHING);
        self.previous * self.floor / UNIT_RMS
    }
}

/// RMS that is background at most (-46 dBFS): more is somebody who talks without a pause.
const LOUDEST: f32 = 0.005;
/// How fast the floor follows a background that becomes louder: about 2 dB a second.
const RISE: f32 = 1.004;
const SMALLEST_RISE: f32 = 1e-6;
/// Pole of the low-pass filter.
const SMOOTHING: f32 = 0.7;
/// RMS of the filter's output for white noise between -1 and 1: `sqrt((1 - SMOOTHING) / (1 + SMOOTHING) / 3)`.
const UNIT_RMS: f32 = 0.2425;

#[cfg(test)]
mod tests {
    use super::*;

    fn level(noise: &mut ComfortNoise) -> f32 {
        let samples: Vec<f32> = (0..48_000).map(|_| noise.next()).collect();
        rms(&samples)
    }

    #[test]
    fn it_is_as_loud_as_the_quietest_packet() {
        let mut noise = ComfortNoise::new();
        noise.hear(&[0.3; 960]);
        noise.hear(&[0.002; 960]);
        noise.hear(&[0.3; 960]);
        assert!((level(&mut noise) - 0.002).abs() < 0.0001);
    }

    #[test]
    fn digital_silence_has_no_noise_and_loud_sound_is_no_background() {
        let mut noise = ComfortNoise::new();
        assert!(level(&mut noise) < 0.0052);
        noise.hear(&[0.0; 960]);
        assert_eq!(level(&mut noise), 0.0);
        for _ in 0..20_000 {
            noise.hear(&[0.5; 960]);
        }
        assert!((level(&mut noise) - LOUDEST).abs() < 0.0002);
    }
}
