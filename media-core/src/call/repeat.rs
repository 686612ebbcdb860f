//! Earlier frames of our sound in the packets of later ones, for listeners to whom packets get lost.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use videocall_types::limits::{MAX_DATAGRAM_PACKET_BYTES, MAX_REDUNDANCY};
use videocall_types::{Redundancy, Track};

use crate::frame::LocalFrame;

/// A listener takes a repeated frame to be captured 20 ms before the next one, give or take. Before a pause there was
/// silence, which nobody misses.
const SUCCESSIVE_US: std::ops::RangeInclusive<u64> = 10_000..=30_000;

/// The largest part of a packet that is not its frames: what the relay stamps on it, the routing header, names of fields.
const OVERHEAD: usize = 250;

/// The last frames of our sounds.
#[derive(Debug, Default)]
pub(super) struct Repeaters(BTreeMap<Track, Repeater>);

#[derive(Debug, Default)]
struct Repeater {
    /// How many frames go along with the next.
    wanted: u8,
    /// The newest first.
    sent: VecDeque<Sent>,
}

#[derive(Debug)]
struct Sent {
    capture_time_us: u64,
    data: Bytes,
}

impl Repeaters {
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Packets shall repeat so many frames from now on.
    pub(super) fn set(&mut self, redundancy: &Redundancy) {
        for repeater in self.0.values_mut() {
            repeater.wanted = 0;
        }
        for ((_, track), frames) in &redundancy.frames {
            self.0.entry(*track).or_default().wanted = *frames;
        }
    }

    /// `frame` is sent now: the frames to repeat beside it, the newest first. None for video.
    pub(super) fn next(&mut self, frame: &LocalFrame) -> Vec<Bytes> {
        if !frame.track.is_audio() {
            return Vec::new();
        }
        let repeater = self.0.entry(frame.track).or_default();
        let earlier = repeater.earlier(frame);
        repeater.sent.truncate(usize::from(MAX_REDUNDANCY) - 1);
        repeater.sent.push_front(Sent {
            capture_time_us: frame.capture_time_us,
            data: frame.data.clone(),
        });
        earlier
    }
}

impl Repeater {
    fn earlier(&self, frame: &LocalFrame) -> Vec<Bytes> {
        let mut room = MAX_DATAGRAM_PACKET_BYTES.saturating_sub(OVERHEAD + frame.data.len());
        let mut next_us = frame.capture_time_us;
        let mut earlier = Vec::new();
        for sent in self.sent.iter().take(self.wanted.into()) {
            let gap = next_us.saturating_sub(sent.capture_time_us);
            let Some(left) = room.checked_sub(sent.data.len()) else {
                break;
            };
            if !SUCCESSIVE_US.contains(&gap) {
                break;
            }
            (room, next_us) = (left, sent.capture_time_us);
            earlier.push(sent.data.clone());
        }
        earlier
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use videocall_types::SessionId;

    fn frame(ms: u64, bytes: usize) -> LocalFrame {
        let data = Bytes::from(vec![ms as u8; bytes]);
        LocalFrame::sound(Track::Microphone, ms * 1_000, 20_000, 30, data)
    }

    /// What goes along with frames captured at `times` (milliseconds); each frame is its time.
    fn earlier(wanted: u8, times: &[u64], bytes: usize) -> Vec<Vec<u8>> {
        let mut repeaters = Repeaters::default();
        let own = SessionId::new(1).unwrap();
        let redundancy = Redundancy {
            frames: [((own, Track::Microphone), wanted)].into(),
        };
        repeaters.set(&redundancy);
        let repeated = times.iter().map(|time| {
            let frames = repeaters.next(&frame(*time, bytes));
            frames.iter().map(|data| data[0]).collect()
        });
        repeated.collect()
    }

    #[test]
    fn the_last_ones_go_along_newest_first() {
        let none: &[u8] = &[];
        assert_eq!(earlier(0, &[0, 20, 40], 80), [none, none, none]);
        assert_eq!(earlier(1, &[0, 20, 40], 80), [none, &[0], &[20]]);
        assert_eq!(
            earlier(2, &[0, 21, 40, 60], 80),
            [none, &[0], &[21, 0], &[40, 21]]
        );
    }

    #[test]
    fn nothing_of_before_a_pause_is_repeated() {
        let none: &[u8] = &[];
        assert_eq!(earlier(2, &[0, 100, 120], 80), [none, none, &[100]]);
        assert_eq!(earlier(2, &[60, 20, 40], 80), [none, none, &[20]]);
    }

    #[test]
    fn a_packet_still_fits_a_datagram() {
        let none: &[u8] = &[];
        assert_eq!(earlier(2, &[0, 20, 40], 280), [none, &[0], &[20, 0]]);
        assert_eq!(earlier(2, &[0, 20, 40], 300), [none, &[0], &[20]]);
        assert_eq!(earlier(2, &[0, 20, 40], 900), [none, none, none]);
    }

    #[test]
    fn what_is_not_named_any_more_is_not_repeated() {
        let mut repeaters = Repeaters::default();
        let own = SessionId::new(1).unwrap();
        repeaters.set(&Redundancy {
            frames: [((own, Track::Microphone), 2)].into(),
        });
        repeaters.next(&frame(0, 80));
        repeaters.set(&Redundancy::default());
        assert!(repeaters.next(&frame(20, 80)).is_empty());
    }
}
