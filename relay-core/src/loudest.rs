//! The loudest voices of a room: who speaks, and whose voice a large room passes on.

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

/// Speech is loud for so long without a pause, so that a click is none.
const ATTACK: Duration = Duration::from_millis(60);

/// The voices that have a place. Who has one keeps it through pauses, until somebody else needs it: first the place of
/// whoever has been silent for longest, then that of somebody much quieter.
///
/// Levels are as in RFC 6464: dB below the loudest, 127 is silence.
#[derive(Debug, Default)]
pub(crate) struct Loudest {
    places: Vec<Voice>,
}

/// Somebody who has a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Voice {
    pub(crate) session: SessionId,
    /// Mean level, in [`PARTS`] of a dB.
    mean: i32,
    since: Timestamp,
    /// When it was last as loud as speech.
    spoke: Timestamp,
    /// Every frame since then was as loud as speech; `None`: the last one was not.
    loud_since: Option<Timestamp>,
    /// It has spoken since it was silent.
    is_speech: bool,
    /// Mean level of its speech, in [`PARTS`] of a dB: pauses make nobody quieter.
    speech: i32,
}

impl Loudest {
    /// Takes in a frame of this level. Whether it is of a voice that has a place.
    pub(crate) fn hear(
        &mut self,
        session: SessionId,
        level: u8,
        policy: &RoomPolicy,
        now: Timestamp,
    ) -> bool {
        let speaks = level <= policy.voice_level;
        let own = self
            .places
            .iter_mut()
            .find(|voice| voice.session == session);
        if let Some(voice) = own {
            voice.hear(level, speaks, policy.voice_hold, now);
            return true;
        }
        let newcomer = Voice {
            session,
            mean: i32::from(level) * PARTS,
            since: now,
            spoke: now,
            loud_since: speaks.then_some(now),
            is_speech: false,
            speech: i32::from(level) * PARTS,
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

    /// The voices that have a place.
    pub(crate) fn voices(&self) -> &[Voice] {
        &self.places
    }

    /// The voice of a session, if it has a place.
    pub(crate) fn voice(&self, session: SessionId) -> Option<&Voice> {
        self.places.iter().find(|voice| voice.session == session)
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
    fn hear(&mut self, level: u8, speaks: bool, hold: Duration, now: Timestamp) {
        let level = i32::from(level) * PARTS;
        self.mean += (level - self.mean) / MEAN_OF;
        if self.is_silent(hold, now) {
            self.is_speech = false;
            self.loud_since = None;
        }
        if !speaks {
            self.loud_since = None;
            return;
        }
        self.spoke = now;
        if self.is_speech {
            self.speech += (level - self.speech) / MEAN_OF;
        } else {
            self.speech = level;
        }
        let since = *self.loud_since.get_or_insert(now);
        self.is_speech |= now - since >= ATTACK;
    }

    /// When its speech ends or has ended, if nothing more of it comes. `None`: it has not spoken.
    pub(crate) fn end_of_speech(&self, hold: Duration) -> Option<Timestamp> {
        self.is_speech.then(|| self.spoke + hold)
    }

    /// Whether it speaks much louder than another one.
    pub(crate) const fn drowns(&self, other: &Self) -> bool {
        other.speech >= self.speech + LOUDER_DB * PARTS
    }

    fn is_silent(&self, hold: Duration, now: Timestamp) -> bool {
        now - self.spoke >= hold
    }

    fn yields_to(&self, level: u8, hold: Duration, now: Timestamp) -> bool {
        let has_had_its_turn = now - self.since >= hold;
        let is_much_quieter = self.mean >= (i32::from(level) + LOUDER_DB) * PARTS;
        self.is_silent(hold, now) || (has_had_its_turn && is_much_quieter)
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
                loudest.hear(session, *level, &policy, Timestamp::from_millis(*at))
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
            loudest.hear(SessionId::new(id).unwrap(), 30, &policy, Timestamp::ZERO)
        };
        let all = [1, 2, 3, 4].map(|id| admits(&mut loudest, id));
        assert_eq!(all, [true, true, true, false]);
        loudest.forget(SessionId::new(2).unwrap());
        assert!(admits(&mut loudest, 4));
        assert!(!admits(&mut loudest, 2));
    }
}
