//! What comes out of decoders, counted by the driver, which alone sees it.

use std::collections::BTreeMap;

use videocall_types::{SessionId, Track};

use crate::event::{Output, Stats};

/// Pixels that a canvas has at most: those of a 4K screen, 33 MB.
const MAX_PIXELS: u64 = 3840 * 2160;

/// The size in which a picture of this size is drawn, in pixels: its own, or less if the sender, who may send anything,
/// would fill our memory with it.
#[must_use]
pub fn drawn_size((width, height): (u32, u32)) -> (u32, u32) {
    let pixels = u64::from(width) * u64::from(height);
    if pixels <= MAX_PIXELS {
        return (width, height);
    }
    let scale = (MAX_PIXELS as f64 / pixels as f64).sqrt();
    let most = u32::try_from(MAX_PIXELS).unwrap_or(u32::MAX);
    let width = ((f64::from(width) * scale) as u32).clamp(1, most);
    let height = ((f64::from(height) * scale) as u32).max(1);
    (width, height.min(most / width))
}

/// The outputs of all received tracks since the last numbers.
#[derive(Debug, Default)]
pub struct Outputs {
    tracks: BTreeMap<(SessionId, Track), Seen>,
}

/// How a track is played at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Playout {
    /// See [`Output::Sound`].
    pub delay_ms: f64,
    /// Packets that came after they were due, or twice, since the track's start.
    pub late: u64,
    /// Packets thrown away because too much sound was waiting, since the track's start.
    pub dropped: u64,
}

#[derive(Debug)]
enum Seen {
    Pictures {
        count: u32,
        width: u32,
        height: u32,
    },
    Sound {
        /// When the last numbers were taken.
        before: Playout,
        now: Playout,
    },
}

impl Outputs {
    /// A picture of this size, in pixels, came out.
    pub fn picture(&mut self, session: SessionId, track: Track, (width, height): (u32, u32)) {
        let before = match self.tracks.get(&(session, track)) {
            Some(Seen::Pictures { count, .. }) => *count,
            _ => 0,
        };
        let seen = Seen::Pictures {
            count: before.saturating_add(1),
            width,
            height,
        };
        self.tracks.insert((session, track), seen);
    }

    /// Sound is played like this at present.
    pub fn playout(&mut self, session: SessionId, track: Track, playout: Playout) {
        let before = match self.tracks.get(&(session, track)) {
            Some(Seen::Sound { before, .. }) => *before,
            _ => Playout::default(),
        };
        let seen = Seen::Sound {
            before,
            now: playout,
        };
        self.tracks.insert((session, track), seen);
    }

    /// The track's decoder is closed: what comes next is another stream.
    pub fn closed(&mut self, session: SessionId, track: Track) {
        self.tracks.remove(&(session, track));
    }

    /// Adds what came out to the call's numbers. The next second begins.
    pub fn complete(&mut self, stats: &mut Stats) {
        for track in &mut stats.tracks {
            track.output = self
                .tracks
                .get_mut(&(track.session, track.track))
                .map(Seen::take);
        }
    }
}

impl Seen {
    fn take(&mut self) -> Output {
        match self {
            Self::Pictures {
                count,
                width,
                height,
            } => Output::Pictures {
                count: std::mem::take(count),
                width: *width,
                height: *height,
            },
            Self::Sound { before, now } => {
                let before = std::mem::replace(before, *now);
                Output::Sound {
                    delay_ms: now.delay_ms,
                    // They start at 0 again when the player forgets a stream.
                    late: now.late.saturating_sub(before.late),
                    dropped: now.dropped.saturating_sub(before.dropped),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Drops, TrackStats};

    fn session() -> SessionId {
        SessionId::new(7).unwrap()
    }

    fn complete(outputs: &mut Outputs, track: Track) -> Option<Output> {
        let mut stats = Stats {
            tracks: vec![TrackStats {
                session: session(),
                track,
                layer: None,
                codec: None,
                frames: 0,
                drops: Drops::default(),
                bps: 0,
                jitter_ms: 0.0,
                output: None,
            }],
            ..Stats::default()
        };
        outputs.complete(&mut stats);
        stats.tracks[0].output
    }

    fn pictures(count: u32, width: u32, height: u32) -> Option<Output> {
        Some(Output::Pictures {
            count,
            width,
            height,
        })
    }

    fn playout(delay_ms: f64, late: u64, dropped: u64) -> Playout {
        Playout {
            delay_ms,
            late,
            dropped,
        }
    }

    fn sound(delay_ms: f64, late: u64, dropped: u64) -> Option<Output> {
        Some(Output::Sound {
            delay_ms,
            late,
            dropped,
        })
    }

    #[test]
    fn only_huge_pictures_are_drawn_smaller() {
        for size in [(0, 0), (640, 360), (3840, 2160), (2160, 3840)] {
            assert_eq!(drawn_size(size), size);
        }
        assert_eq!(drawn_size((4000, 4000)), (2880, 2880));
        assert_eq!(drawn_size((7680, 4320)), (3840, 2160));
        for size in [(u32::MAX, 1), (1, u32::MAX), (u32::MAX, u32::MAX)] {
            let (width, height) = drawn_size(size);
            assert!(width >= 1 && height >= 1);
            assert!(u64::from(width) * u64::from(height) <= MAX_PIXELS);
        }
    }

    #[test]
    fn pictures_are_counted_anew_each_second_and_their_size_stays() {
        let mut outputs = Outputs::default();
        assert_eq!(complete(&mut outputs, Track::Camera), None);
        outputs.picture(session(), Track::Camera, (640, 360));
        outputs.picture(session(), Track::Camera, (1280, 720));
        assert_eq!(
            complete(&mut outputs, Track::Camera),
            pictures(2, 1280, 720)
        );
        assert_eq!(
            complete(&mut outputs, Track::Camera),
            pictures(0, 1280, 720)
        );
        assert_eq!(complete(&mut outputs, Track::Screen), None);
    }

    #[test]
    fn sound_tells_its_delay_and_what_the_last_second_cost() {
        let mut outputs = Outputs::default();
        outputs.playout(session(), Track::Microphone, playout(40.0, 2, 1));
        outputs.playout(session(), Track::Microphone, playout(60.0, 3, 1));
        assert_eq!(complete(&mut outputs, Track::Microphone), sound(60.0, 3, 1));
        outputs.playout(session(), Track::Microphone, playout(50.0, 5, 1));
        assert_eq!(complete(&mut outputs, Track::Microphone), sound(50.0, 2, 0));
        outputs.playout(session(), Track::Microphone, playout(30.0, 0, 0));
        assert_eq!(complete(&mut outputs, Track::Microphone), sound(30.0, 0, 0));
    }

    #[test]
    fn a_closed_track_starts_from_nothing() {
        let mut outputs = Outputs::default();
        outputs.picture(session(), Track::Camera, (640, 360));
        outputs.closed(session(), Track::Camera);
        assert_eq!(complete(&mut outputs, Track::Camera), None);
    }
}
