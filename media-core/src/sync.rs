//! Lip sync: a person's picture is shown when the sound that was captured with it is heard.
//!
//! Sound waits for its playout; pictures, which usually are there sooner, wait for their sound. Without sound a picture
//! never waits.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use videocall_types::{SessionId, Timestamp, Track};

/// No picture waits longer: then the sound is late, and both would be.
const MAX_HOLD: Duration = Duration::from_millis(250);
/// Two clocks that are apart by more have nothing to do with each other, as with some stock senders.
const UNRELATED: Duration = Duration::from_secs(2);
/// A silent sender refreshes its sound every 400 ms; after this time without any, it has none.
const SOUND_HOLD: Duration = Duration::from_secs(2);
/// Pictures of one track that wait. Decoders run out of memory for pictures that are not given back.
const MAX_WAITING: usize = 8;
/// How fast the moment of hearing follows what is told of it, and from where on it jumps: 100 ms.
const SMOOTHING: i64 = 4;
const JUMP_US: i64 = 100_000;

type Key = (SessionId, Track);

/// The received pictures on their way to the screen. `P` is the driver's picture.
#[derive(Debug)]
pub struct LipSync<P> {
    sounds: BTreeMap<Key, Sound>,
    waiting: BTreeMap<Key, VecDeque<Waiting<P>>>,
}

#[derive(Clone, Copy, Debug)]
struct Sound {
    /// From capture to hearing, in microseconds, between clocks that have nothing in common.
    transit_us: i64,
    told_at: Timestamp,
}

#[derive(Debug)]
struct Waiting<P> {
    due: Timestamp,
    picture: P,
}

impl<P> Default for LipSync<P> {
    fn default() -> Self {
        Self {
            sounds: BTreeMap::new(),
            waiting: BTreeMap::new(),
        }
    }
}

impl<P> LipSync<P> {
    /// What a sound captured at `captured_us`, in microseconds on the sender's clock, is heard at `at`.
    pub fn heard(
        &mut self,
        session: SessionId,
        track: Track,
        captured_us: u64,
        at: Timestamp,
        now: Timestamp,
    ) {
        let told = at.as_micros().wrapping_sub(captured_us) as i64;
        let before = self.sounds.get(&(session, track));
        let transit_us = match before.map(|sound| sound.transit_us) {
            Some(before) if told.wrapping_sub(before).unsigned_abs() < JUMP_US.unsigned_abs() => {
                before.wrapping_add(told.wrapping_sub(before) / SMOOTHING)
            }
            _ => told,
        };
        let sound = Sound {
            transit_us,
            told_at: now,
        };
        self.sounds.insert((session, track), sound);
    }

    /// A picture captured at `captured_us`, in microseconds on the sender's clock, was decoded.
    pub fn picture(
        &mut self,
        session: SessionId,
        track: Track,
        captured_us: u64,
        picture: P,
        now: Timestamp,
    ) {
        let hold = self.hold(session, track, captured_us, now);
        let waiting = self.waiting.entry((session, track)).or_default();
        // Pictures are shown in order, and those that are too many at once.
        let last = waiting.back().map_or(now, |last| last.due);
        let due = last.max(now + hold);
        waiting.push_back(Waiting { due, picture });
        let too_many = waiting.len().saturating_sub(MAX_WAITING);
        for early in waiting.iter_mut().take(too_many) {
            early.due = now;
        }
    }

    /// When the next picture is to be shown.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let next = self.waiting.values().filter_map(VecDeque::front);
        next.map(|waiting| waiting.due).min()
    }

    /// A picture that is to be shown by now. Only the last one of each track is worth drawing.
    pub fn pop(&mut self, now: Timestamp) -> Option<(SessionId, Track, P)> {
        let (key, waiting) = self
            .waiting
            .iter_mut()
            .find(|(_, waiting)| waiting.front().is_some_and(|next| next.due <= now))?;
        let next = waiting.pop_front()?;
        Some((key.0, key.1, next.picture))
    }

    /// Forgets a track. Returns its pictures that were not shown.
    pub fn close(&mut self, session: SessionId, track: Track) -> impl Iterator<Item = P> {
        self.sounds.remove(&(session, track));
        let waiting = self.waiting.remove(&(session, track)).unwrap_or_default();
        waiting.into_iter().map(|waiting| waiting.picture)
    }

    /// How long a picture waits for its sound.
    fn hold(&self, session: SessionId, track: Track, captured_us: u64, now: Timestamp) -> Duration {
        let sound = sound_of(track)
            .and_then(|sound| self.sounds.get(&(session, sound)))
            .filter(|sound| now - sound.told_at <= SOUND_HOLD);
        let Some(sound) = sound else {
            return Duration::ZERO;
        };
        let transit_us = now.as_micros().wrapping_sub(captured_us) as i64;
        let ahead_us = sound.transit_us.wrapping_sub(transit_us);
        let hold = Duration::from_micros(u64::try_from(ahead_us).unwrap_or(0));
        if hold > UNRELATED {
            return Duration::ZERO;
        }
        hold.min(MAX_HOLD)
    }
}

/// What is heard while a picture is seen.
const fn sound_of(track: Track) -> Option<Track> {
    match track {
        Track::Camera => Some(Track::Microphone),
        Track::Screen => Some(Track::ScreenAudio),
        Track::Microphone | Track::ScreenAudio => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Track::{Camera, Microphone, Screen, ScreenAudio};
    use proptest::prelude::*;

    const ADA: SessionId = SessionId::new(1).unwrap();
    const BOB: SessionId = SessionId::new(2).unwrap();
    /// What the sender's clock is ahead of ours.
    const AHEAD_US: u64 = 77_000_000_000;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn captured(ms: u64) -> u64 {
        AHEAD_US + ms * 1000
    }

    /// Pictures that show `at` what was captured at these times.
    fn shown(sync: &mut LipSync<u64>, now: u64) -> Vec<u64> {
        std::iter::from_fn(|| sync.pop(at(now)))
            .map(|(_, _, picture)| picture)
            .collect()
    }

    #[test]
    fn a_picture_waits_for_its_sound() {
        let mut sync = LipSync::default();
        sync.heard(ADA, Microphone, captured(900), at(1_000), at(1_000));
        sync.picture(ADA, Camera, captured(960), 960, at(1_000));
        sync.picture(ADA, Camera, captured(900), 900, at(1_000));
        sync.picture(BOB, Camera, captured(960), 1, at(1_000));
        sync.picture(ADA, Screen, captured(960), 2, at(1_000));
        assert_eq!(shown(&mut sync, 1_000), [2, 1], "whose sound is not known");
        assert_eq!(sync.poll_timeout(), Some(at(1_060)));
        assert_eq!(shown(&mut sync, 1_059), []);
        assert_eq!(shown(&mut sync, 1_060), [960, 900], "in order");
        assert_eq!(sync.poll_timeout(), None);
    }

    #[test]
    fn a_screen_goes_with_its_own_sound() {
        let mut sync = LipSync::default();
        sync.heard(ADA, Microphone, captured(800), at(1_000), at(1_000));
        sync.heard(ADA, ScreenAudio, captured(950), at(1_000), at(1_000));
        sync.picture(ADA, Screen, captured(990), 990, at(1_000));
        assert_eq!(sync.poll_timeout(), Some(at(1_040)));
    }

    #[test]
    fn nobody_waits_for_a_sound_that_is_over_or_too_late_or_of_another_clock() {
        let due = |heard: u64, told: u64| {
            let mut sync = LipSync::default();
            sync.heard(ADA, Microphone, captured(0), at(heard), at(told));
            sync.picture(ADA, Camera, captured(0), 0, at(5_000));
            sync.poll_timeout()
        };
        assert_eq!(due(5_100, 4_900), Some(at(5_100)));
        assert_eq!(due(5_100, 2_900), Some(at(5_000)), "over");
        assert_eq!(due(4_900, 4_900), Some(at(5_000)), "the picture is late");
        assert_eq!(due(6_500, 4_900), Some(at(5_250)), "too long");
        assert_eq!(due(500_000, 4_900), Some(at(5_000)), "of another clock");
    }

    #[test]
    fn pictures_are_shown_at_the_latest_when_too_many_wait() {
        let mut sync = LipSync::default();
        sync.heard(ADA, Microphone, captured(0), at(200), at(200));
        for ms in 0..10 {
            sync.picture(ADA, Camera, captured(ms), ms, at(100));
        }
        assert_eq!(shown(&mut sync, 100), [0, 1]);
        assert_eq!(sync.close(ADA, Camera).count(), 8);
        assert_eq!(sync.poll_timeout(), None);
    }

    /// Sound whose delay wanders by 15 ms, pictures that arrive with 0-40 ms of jitter: they meet within 40 ms.
    #[test]
    fn picture_and_sound_meet_within_40_ms() {
        let mut sync = LipSync::default();
        let mut shown_at = BTreeMap::new();
        for ms in 0..60_000_u64 {
            let delay = 150 + (ms / 700) % 16;
            if ms % 100 == 0 {
                // The report takes a few milliseconds.
                let heard = at(ms + delay);
                sync.heard(
                    ADA,
                    Microphone,
                    captured(ms),
                    heard,
                    at(ms + delay + ms % 7),
                );
            }
            let jitter = (ms * 7_919) % 40;
            if (ms + 1000 - jitter) % 33 == 0 {
                let capture = ms.saturating_sub(jitter + 60);
                sync.picture(ADA, Camera, captured(capture), capture, at(ms));
            }
            while let Some((_, _, capture)) = sync.pop(at(ms)) {
                shown_at.insert(capture, ms);
            }
        }
        assert!(shown_at.len() > 500, "{}", shown_at.len());
        let mut offsets: Vec<u64> = shown_at
            .iter()
            .filter(|(capture, _)| **capture > 1_000)
            .map(|(capture, shown)| {
                let heard = capture + 150 + (capture / 700) % 16;
                shown.abs_diff(heard)
            })
            .collect();
        offsets.sort_unstable();
        assert!(offsets[offsets.len() * 95 / 100] <= 20, "{offsets:?}");
    }

    proptest! {
        #[test]
        fn any_clocks_do_not_panic_and_hold_no_picture_for_long(
            steps in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u64>()), 0..50),
        ) {
            let mut sync = LipSync::default();
            for (heard, captured, now) in steps {
                let now = Timestamp::from_micros(now);
                sync.heard(ADA, Microphone, heard, Timestamp::from_micros(captured), now);
                sync.picture(BOB, Camera, captured, (), now);
                sync.picture(ADA, Camera, captured, (), now);
                prop_assert!(sync.poll_timeout().is_some_and(|due| due <= now + MAX_HOLD));
                while sync.pop(now + MAX_HOLD).is_some() {}
            }
        }
    }
}
