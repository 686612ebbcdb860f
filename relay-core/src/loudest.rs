//! Whose voice a large room passes on.

use std::time::Duration;

use videocall_types::{SessionId, Timestamp};

use crate::policy::RoomPolicy;

/// How much louder somebody must be to take the place of somebody who speaks, in dB. One frame is compared with the mean of
/// many, and the frames of speech rise above their mean by about as much.
const LOUDER_DB: i32 = 10;
/// Weight of earlier frames in the mean, as a number of frames: 160 ms.
const MEAN_OF: i32 = 8;
/// Parts of a dB that the mean counts in.
const PARTS: i32 = 16;

/// The voices that have a place. Who has one keeps it through pauses, until somebody else needs it: first the place of
/// whoever has been silent for longest, then that of somebody much quieter.
///
/// Levels are as in RFC 6464: dB below the loudest, 127 is silence.
#[derive(Debug, Default)]
pub(crate) struct Loudest {
    places: Vec<Voice>,
}

#[derive(Clone, Copy, Debug)]
struct Voice {
    session: SessionId,
    /// Mean level, in [`PARTS`] of a dB.
    mean: i32,
    since: Timestamp,
    /// When it was last as loud as speech.
    spoke: Timestamp,
}

impl Loudest {
    /// Whether the members get a frame of this level.
    pub(crate) fn admits(
        &mut self,
        session: SessionId,
        level: u8,
        policy: &RoomPolicy,
        now: Timestamp,
    ) -> bool {
        let speaks = level <= policy.voice_level;
        let level = i32::from(level);
        let own = self
            .places
            .iter_mut()
            .find(|voice| voice.session == session);
        if let Some(voice) = own {
            voice.mean += (level * PARTS - voice.mean) / MEAN_OF;
            if speaks {
                voice.spoke = now;
            }
            return true;
        }
        let newcomer = Voice {
            session,
            mean: level * PARTS,
            since: now,
            spoke: now,
        };
        if self.places.len() < policy.loudest {
            self.places.push(newcomer);
            return true;
        }
        if !speaks {
            return false;
        }
        match self.weakest(policy.voice_hold, now) {
            Some(place) if place.yields_to(level, policy.voice_hold, now) => {
                *place = newcomer;
                true
            }
            _ => false,
        }
    }

    /// `session` has left.
    pub(crate) fn forget(&mut self, session: SessionId) {
        self.places.retain(|voice| voice.session != session);
    }

    /// Who goes first: whoever has been silent for longest, and if nobody is silent, the quietest.
    fn weakest(&mut self, hold: Duration, now: Timestamp) -> Option<&mut Voice> {
        self.places.iter_mut().max_by_key(|voice| {
            let silence = Some(now - voice.spoke).filter(|silence| *silence >= hold);
            (silence, voice.mean)
        })
    }
}

impl Voice {
    fn yields_to(&self, level: i32, hold: Duration, now: Timestamp) -> bool {
        let is_silent = now - self.spoke >= hold;
        let has_had_its_turn = now - self.since >= hold;
        is_silent || (has_had_its_turn && self.mean >= (level + LOUDER_DB) * PARTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each frame of `frames` (milliseconds, session, level) becomes.
    fn admitted(frames: &[(u64, u64, u8)]) -> Vec<bool> {
        let policy = RoomPolicy::default();
        let mut loudest = Loudest::default();
        frames
            .iter()
            .map(|(at, id, level)| {
                let session = SessionId::new(*id).unwrap();
                loudest.admits(session, *level, &policy, Timestamp::from_millis(*at))
            })
            .collect()
    }

    /// Sessions 1 to 3 speak at level 30 every 20 ms until `end`.
    fn three_speak(end: u64) -> Vec<(u64, u64, u8)> {
        (0..end)
            .step_by(20)
            .flat_map(|at| [1, 2, 3].map(|id| (at, id, 30)))
            .collect()
    }

    fn after(mut frames: Vec<(u64, u64, u8)>, then: &[(u64, u64, u8)]) -> Vec<bool> {
        frames.extend_from_slice(then);
        admitted(&frames).split_off(frames.len() - then.len())
    }

    #[test]
    fn there_is_place_for_three_however_quiet() {
        let first = [
            (0, 1, 127),
            (0, 2, 100),
            (0, 3, 30),
            (0, 4, 127),
            (20, 1, 127),
        ];
        assert_eq!(admitted(&first), [true, true, true, false, true]);
    }

    #[test]
    fn a_fourth_of_the_same_loudness_waits_for_a_pause() {
        let then = [
            (2_000, 4, 30),
            // Below 10 dB louder.
            (2_020, 4, 21),
            (2_500, 1, 30),
            (2_500, 3, 30),
            // The second one has been silent for a second; noise takes nobody's place.
            (2_990, 5, 41),
            (2_990, 4, 40),
            (3_000, 2, 30),
            (3_000, 1, 30),
        ];
        assert_eq!(
            after(three_speak(2_000), &then),
            [false, false, true, true, false, true, false, true]
        );
    }

    #[test]
    fn somebody_much_louder_takes_the_quietest_place() {
        let mut frames = three_speak(2_000);
        frames.extend((0..20).map(|i| (2_000 + 20 * i, 2, 38)));
        let then = [
            (2_400, 1, 30),
            (2_400, 3, 30),
            (2_400, 4, 20),
            (2_420, 2, 38),
            // The next one needs to be much louder than somebody who has had a turn.
            (2_440, 5, 21),
            (2_460, 5, 20),
        ];
        assert_eq!(after(frames, &then), [true, true, true, false, false, true]);
    }

    #[test]
    fn a_place_is_free_when_its_owner_leaves() {
        let policy = RoomPolicy::default();
        let mut loudest = Loudest::default();
        let admits = |loudest: &mut Loudest, id| {
            loudest.admits(SessionId::new(id).unwrap(), 30, &policy, Timestamp::ZERO)
        };
        let all = [1, 2, 3, 4].map(|id| admits(&mut loudest, id));
        assert_eq!(all, [true, true, true, false]);
        loudest.forget(SessionId::new(2).unwrap());
        assert!(admits(&mut loudest, 4));
        assert!(!admits(&mut loudest, 2));
    }
}
