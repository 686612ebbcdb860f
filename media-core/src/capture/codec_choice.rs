//! Which codec a video track is encoded with.

use std::time::Duration;

use videocall_types::Codec;

/// So many pictures are watched before the encoder is judged.
const WINDOW: u32 = 60;
/// An encoder that keeps up exceeds the interval of pictures in less than one of so many.
const TOLERATED: u32 = 3;

/// Whether an encoder keeps up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// It does, as far as is known.
    Good,
    /// It did not: the next codec takes its place.
    NextCodec,
    /// It does not, and there is no faster one: the pictures are too large.
    TooSlow,
}

/// The best codec that the browser has and that is fast enough. It only ever steps down: a codec that was too slow once
/// is not tried again.
#[derive(Debug)]
pub struct CodecChoice {
    /// What is left to choose from; the present one is first.
    candidates: Vec<Codec>,
    watched: u32,
    slow: u32,
}

impl CodecChoice {
    /// Chooses among what the browser can encode, best first.
    #[must_use]
    pub fn new(candidates: Vec<Codec>) -> Self {
        Self {
            candidates,
            watched: 0,
            slow: 0,
        }
    }

    /// The codec to use; `None` if there is none.
    #[must_use]
    pub fn codec(&self) -> Option<Codec> {
        self.candidates.first().copied()
    }

    /// A picture took this long to encode while one came every `interval`.
    pub fn encoded(&mut self, took: Duration, interval: Duration) -> Pace {
        self.watched += 1;
        self.slow += u32::from(took > interval);
        if self.watched < WINDOW {
            return Pace::Good;
        }
        let too_slow = self.slow * TOLERATED > self.watched;
        (self.watched, self.slow) = (0, 0);
        match (too_slow, self.candidates.len()) {
            (false, _) => Pace::Good,
            (true, 0 | 1) => Pace::TooSlow,
            (true, _) => {
                self.step_down();
                Pace::NextCodec
            }
        }
    }

    /// The encoder failed. True if there is another codec to go on with.
    pub fn failed(&mut self) -> bool {
        self.step_down()
    }

    fn step_down(&mut self) -> bool {
        (self.watched, self.slow) = (0, 0);
        if !self.candidates.is_empty() {
            self.candidates.remove(0);
        }
        !self.candidates.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(33);

    /// What came of it that was not good.
    fn encode(choice: &mut CodecChoice, pictures: u32, slow_every: u32) -> Option<Pace> {
        let took = |n| Duration::from_millis(if n % slow_every == 0 { 50 } else { 10 });
        let mut paces = (1..=pictures).map(|n| choice.encoded(took(n), INTERVAL));
        paces.find(|pace| *pace != Pace::Good)
    }

    #[test]
    fn a_fast_encoder_stays() {
        let mut choice = CodecChoice::new(vec![Codec::Vp9, Codec::Vp8]);
        assert_eq!(encode(&mut choice, 1000, 4), None);
        assert_eq!(choice.codec(), Some(Codec::Vp9));
    }

    #[test]
    fn a_slow_encoder_is_replaced_once() {
        let mut choice = CodecChoice::new(vec![Codec::Vp9, Codec::Vp8]);
        assert_eq!(encode(&mut choice, WINDOW - 1, 2), None);
        assert_eq!(encode(&mut choice, 1, 1), Some(Pace::NextCodec));
        assert_eq!(choice.codec(), Some(Codec::Vp8));
        assert_eq!(
            encode(&mut choice, 1000, 1),
            Some(Pace::TooSlow),
            "there is nothing left to change to"
        );
        assert_eq!(choice.codec(), Some(Codec::Vp8));
    }

    #[test]
    fn failures_use_up_the_candidates() {
        let mut choice = CodecChoice::new(vec![Codec::Vp9, Codec::Vp8]);
        assert!(choice.failed());
        assert_eq!(choice.codec(), Some(Codec::Vp8));
        assert!(!choice.failed());
        assert_eq!(choice.codec(), None);
        assert!(!choice.failed());
    }
}
