//! Loudness as the routing header carries it.

/// RMS from 0 to 1 as an RFC 6464 level: 0 (loudest) to 127 (silence) in -dBov.
#[must_use]
pub fn audio_level(rms: f32) -> u8 {
    // The cast saturates, which takes care of silence.
    (-20.0 * rms.max(0.0).log10()).round().clamp(0.0, 127.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loudness_is_logarithmic() {
        let levels = [
            (1.0, 0),
            (2.0, 0),
            (0.1, 20),
            (0.01, 40),
            (0.000_000_1, 127),
            (0.0, 127),
            (-1.0, 127),
        ];
        for (rms, level) in levels {
            assert_eq!(audio_level(rms), level, "{rms}");
        }
        assert_eq!(audio_level(f32::NAN), 127);
    }
}
