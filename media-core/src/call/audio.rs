//! Sound of one track on its way to playout, which puts it in order itself: only duplicates and what comes too late
//! to be heard are kept from it.

use videocall_types::{Recent, Timestamp};

use super::arrival::Arrival;
use super::behind::Behind;
use super::lack::LossMeter;
use crate::frame::RemoteFrame;

/// Later than this behind the newest frame, sound is of no use.
const LATE_US: u64 = 1_000_000;
/// A jump over more frames than this is a new count, not a loss.
const MAX_LOSS: u64 = 10_000;
/// Length of the frames that packets repeat.
const FRAME_US: u64 = 20_000;

#[derive(Debug, Default)]
pub(super) struct AudioFilter {
    newest: Option<Newest>,
    arrival: Arrival,
    behind: Behind,
    losses: LossMeter,
    lost: u64,
}

#[derive(Clone, Copy, Debug)]
struct Newest {
    capture_time_us: u64,
    /// The frames that have come, up to the newest.
    seen: Recent,
}

impl AudioFilter {
    /// What playout shall get of a packet, in the order to decode it: the frame, and before it those that it repeats and
    /// that are missing.
    pub(super) fn accept(&mut self, mut frame: RemoteFrame, now: Timestamp) -> Vec<RemoteFrame> {
        self.losses.packet(frame.sequence);
        let mut accepted = self.recover(&mut frame);
        if self.is_in_time(&frame) {
            self.arrival.hold(frame.capture_time_us, now);
            accepted.push(frame);
        }
        accepted
    }

    /// The next frame may be any.
    pub(super) fn restart(&mut self) {
        self.newest = None;
        self.losses.restart();
    }

    /// A second is over: how many earlier frames each packet should repeat.
    pub(super) fn review_losses(&mut self) -> u8 {
        self.losses.review()
    }

    /// Frames that never came, since the last call.
    pub(super) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    pub(super) fn jitter_ms(&self) -> f64 {
        self.arrival.jitter_ms()
    }

    /// The frames that `packet` repeats and that are missing right before it. One that has a place further back has come
    /// with an earlier packet, or is of no use any more.
    fn recover(&mut self, packet: &mut RemoteFrame) -> Vec<RemoteFrame> {
        let ahead = self
            .newest
            .and_then(|newest| packet.sequence.checked_sub(newest.seen.newest()));
        let missing = ahead
            .and_then(|ahead| ahead.checked_sub(1))
            .filter(|missing| *missing <= MAX_LOSS)
            .map_or(0, |missing| usize::try_from(missing).unwrap_or(usize::MAX));
        let repeated = (1..).zip(&packet.earlier).take(missing);
        let mut frames: Vec<RemoteFrame> = repeated
            .map(|(back, data)| RemoteFrame {
                sequence: packet.sequence - back,
                capture_time_us: packet.capture_time_us.saturating_sub(back * FRAME_US),
                data: data.clone(),
                earlier: packet.earlier.clone(),
                ..*packet
            })
            .collect();
        frames.reverse();
        frames.retain(|frame| self.is_in_time(frame));
        frames
    }

    fn is_in_time(&mut self, frame: &RemoteFrame) -> bool {
        let Some(newest) = &mut self.newest else {
            self.newest = Some(Newest::first(frame));
            return true;
        };
        if let Some(ahead) = frame
            .sequence
            .checked_sub(newest.seen.newest())
            .filter(|ahead| *ahead > 0)
        {
            self.behind.ahead();
            if ahead <= MAX_LOSS {
                self.lost += ahead - 1;
            }
            newest.seen.advance(frame.sequence, true);
            newest.capture_time_us = frame.capture_time_us;
            return true;
        }
        let distance = newest.seen.newest() - frame.sequence;
        if self
            .behind
            .is_restart(distance, frame.capture_time_us > newest.capture_time_us)
        {
            *newest = Newest::first(frame);
            return true;
        }
        let is_late = newest.capture_time_us - frame.capture_time_us > LATE_US;
        let is_new = !is_late && newest.seen.insert(frame.sequence);
        if is_new {
            self.lost = self.lost.saturating_sub(1);
        }
        is_new
    }
}

impl Newest {
    fn first(frame: &RemoteFrame) -> Self {
        Self {
            capture_time_us: frame.capture_time_us,
            seen: Recent::only(frame.sequence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;
    use videocall_types::{Codec, SessionId, Track};

    fn frame(sequence: u64, capture_time_us: u64) -> RemoteFrame {
        RemoteFrame {
            session: SessionId::new(1).unwrap(),
            track: Track::Microphone,
            codec: Codec::Opus,
            keyframe: true,
            spatial_layer: 0,
            sequence,
            reference: 1,
            capture_time_us,
            data: Bytes::new(),
            earlier: Vec::new(),
        }
    }

    fn accepts(filter: &mut AudioFilter, frame: RemoteFrame) -> bool {
        !filter.accept(frame, Timestamp::ZERO).is_empty()
    }

    /// What passes of 20 ms frames with these numbers, and how many were lost.
    fn pass(sequences: &[u64]) -> (Vec<u64>, u64) {
        let mut filter = AudioFilter::default();
        let mut passed = sequences.to_vec();
        passed.retain(|n| accepts(&mut filter, frame(*n, n.wrapping_mul(20_000))));
        (passed, filter.take_lost())
    }

    #[test]
    fn late_ones_pass_and_duplicates_do_not() {
        assert_eq!(
            pass(&[5, 6, 9, 7, 7, 9, 8, 6, 10]),
            (vec![5, 6, 9, 7, 8, 10], 0)
        );
        assert_eq!(pass(&[0, 1, 4]), (vec![0, 1, 4], 2));
    }

    #[test]
    fn a_second_late_is_too_late() {
        assert_eq!(pass(&[0, 52, 1, 2, 3]), (vec![0, 52, 2, 3], 49));
    }

    #[test]
    fn a_sender_that_counts_anew_is_heard_at_once() {
        let mut filter = AudioFilter::default();
        assert!(accepts(&mut filter, frame(1 << 63, 1_000_000)));
        assert!(accepts(&mut filter, frame(0, 0)));
        assert!(accepts(&mut filter, frame(1, 20_000)));
        assert!(accepts(&mut filter, frame(0, 50_000)));
        assert!(accepts(&mut filter, frame(u64::MAX, 0)));
        assert!(accepts(&mut filter, frame(0, 0)));
    }

    #[test]
    fn what_a_packet_repeats_takes_the_place_of_what_was_lost() {
        let packet = |sequence: u64, repeats: u64| RemoteFrame {
            data: Bytes::from(sequence.to_string()),
            earlier: (1..=repeats)
                .map(|back| Bytes::from((sequence - back).to_string()))
                .collect(),
            ..frame(sequence, sequence * 20_000)
        };
        let mut filter = AudioFilter::default();
        let mut passed = Vec::new();
        for packet in [
            packet(5, 2),
            packet(6, 2),
            packet(8, 1),
            packet(7, 2),
            packet(12, 2),
        ] {
            passed.extend(filter.accept(packet, Timestamp::ZERO));
        }
        let sequences: Vec<u64> = passed.iter().map(|frame| frame.sequence).collect();
        assert_eq!(sequences, [5, 6, 7, 8, 10, 11, 12]);
        for frame in passed {
            assert_eq!(frame.data, frame.sequence.to_string());
            assert_eq!(frame.capture_time_us, frame.sequence * 20_000);
        }
        assert_eq!(filter.take_lost(), 1);
    }

    proptest! {
        #[test]
        fn nothing_passes_twice(sequences in prop::collection::vec(0..40u64, 0..7)) {
            let mut filter = AudioFilter::default();
            for n in sequences {
                accepts(&mut filter, frame(n, n * 20_000));
                prop_assert!(!accepts(&mut filter, frame(n, n * 20_000)));
            }
        }

        #[test]
        fn any_numbers_and_clocks_do_not_panic(frames in prop::collection::vec((any::<u64>(), any::<u64>()), 0..200)) {
            let mut filter = AudioFilter::default();
            for (sequence, capture) in frames {
                accepts(&mut filter, frame(sequence, capture));
            }
        }
    }
}
