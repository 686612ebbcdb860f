//! How loaded the process is, and what it gives up for that.

use std::time::Duration;

use videocall_types::Timestamp;

use crate::policy::OverloadPolicy;

/// What was measured since the last sample. `None`: not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// CPU time of the process, in percent of the time of all cores that it may use.
    pub cpu_percent: Option<u32>,
    /// Bytes per second that sessions sent.
    pub egress: u64,
    /// Bytes of memory in use.
    pub memory: Option<u64>,
    /// The longest that media waited between the task that reads it and the task that sends it.
    pub queue_age: Duration,
}

/// What the process gives up, from nothing to most. Audio and control are never among it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// Nothing.
    #[default]
    Normal,
    /// No room is opened. Those that are open go on, and take newcomers.
    NoNewRooms,
    /// Besides, no room has more than so many cameras.
    FewerVideos {
        /// Cameras of a room.
        last_n: usize,
    },
    /// Besides, large rooms have no video.
    AudioOnly,
}

impl Level {
    /// Whether no new rooms are opened.
    #[must_use]
    pub const fn refuses_rooms(self) -> bool {
        !matches!(self, Self::Normal)
    }

    /// As a number for metrics, from 0, normal, to 3.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::NoNewRooms => 1,
            Self::FewerVideos { .. } => 2,
            Self::AudioOnly => 3,
        }
    }
}

/// Since when something has held without a break.
#[derive(Clone, Copy, Debug, Default)]
struct Since(Option<Timestamp>);

impl Since {
    fn note(&mut self, holds: bool, now: Timestamp) {
        self.0 = holds.then(|| self.0.unwrap_or(now));
    }
}

/// The last change of the level.
#[derive(Clone, Copy, Debug)]
struct Change {
    at: Timestamp,
    better: bool,
}

/// Turns samples into a level. It gets worse only after stress that lasts, and better only after calm that lasts, and each
/// step is given that time anew to show what it does.
#[derive(Clone, Debug)]
pub struct Overload {
    policy: OverloadPolicy,
    level: Level,
    stress: u32,
    changed: Option<Change>,
    /// How long the calm must last at the moment.
    patience: Duration,
    calm: Since,
    busy: Since,
    high: Since,
    severe: Since,
}

impl Overload {
    /// At [`Level::Normal`].
    #[must_use]
    pub const fn new(policy: OverloadPolicy) -> Self {
        Self {
            level: Level::Normal,
            stress: 0,
            changed: None,
            patience: policy.recover_after,
            calm: Since(None),
            busy: Since(None),
            high: Since(None),
            severe: Since(None),
            policy,
        }
    }

    /// The level.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// The stress of the last sample, in percent.
    #[must_use]
    pub const fn stress(&self) -> u32 {
        self.stress
    }

    /// Takes a sample; the level from now on.
    pub fn sample(&mut self, sample: &Sample, now: Timestamp) -> Level {
        let stress = stress(&self.policy, sample);
        self.stress = stress;
        self.calm.note(stress <= self.policy.recover_at, now);
        self.busy.note(stress >= self.policy.refuse_at, now);
        self.high.note(stress >= self.policy.fewer_videos_at, now);
        self.severe.note(stress >= self.policy.audio_only_at, now);
        if let Some(level) = self.worse(now) {
            self.worsen(level, now);
        } else if let Some(level) = self.better(now) {
            self.recover(level, now);
        }
        self.level
    }

    fn worse(&self, now: Timestamp) -> Option<Level> {
        let after = self.policy.worsen_after;
        if self.lasts(self.high, after, now) {
            let severe = self.severe.0;
            let hopeless = severe.is_some_and(|since| now - since >= self.policy.audio_only_after);
            return match self.level {
                Level::Normal | Level::NoNewRooms => Some(Level::FewerVideos {
                    last_n: self.policy.most_videos,
                }),
                Level::FewerVideos { last_n }
                    if hopeless || last_n <= self.policy.fewest_videos =>
                {
                    Some(Level::AudioOnly)
                }
                Level::FewerVideos { last_n } => Some(Level::FewerVideos {
                    last_n: self.fewer(last_n),
                }),
                Level::AudioOnly => None,
            };
        }
        (self.level == Level::Normal && self.lasts(self.busy, after, now))
            .then_some(Level::NoNewRooms)
    }

    fn better(&self, now: Timestamp) -> Option<Level> {
        if !self.lasts(self.calm, self.patience, now) {
            return None;
        }
        match self.level {
            Level::Normal => None,
            Level::NoNewRooms => Some(Level::Normal),
            Level::FewerVideos { last_n } => {
                let last_n = self.more(last_n);
                Some(if last_n > self.policy.most_videos {
                    Level::NoNewRooms
                } else {
                    Level::FewerVideos { last_n }
                })
            }
            Level::AudioOnly => Some(Level::FewerVideos {
                last_n: self.policy.fewest_videos,
            }),
        }
    }

    fn worsen(&mut self, level: Level, now: Timestamp) {
        let relapsed = self
            .changed
            .is_some_and(|last| last.better && now - last.at < self.policy.recover_after_at_most);
        if relapsed {
            self.patience = self
                .patience
                .saturating_mul(2)
                .min(self.policy.recover_after_at_most);
        } else if self.changed.is_none_or(|last| last.better) {
            self.patience = self.policy.recover_after;
        }
        self.change(level, false, now);
    }

    fn recover(&mut self, level: Level, now: Timestamp) {
        if self.changed.is_some_and(|last| last.better) {
            // The step before has held.
            self.patience = self.policy.recover_after;
        }
        self.change(level, true, now);
    }

    fn change(&mut self, level: Level, better: bool, now: Timestamp) {
        self.level = level;
        self.changed = Some(Change { at: now, better });
    }

    /// Whether it has held for `after`, all of it since the last change.
    fn lasts(&self, since: Since, after: Duration, now: Timestamp) -> bool {
        let changed = self.changed.map_or(Timestamp::ZERO, |last| last.at);
        since
            .0
            .is_some_and(|since| now - since.max(changed) >= after)
    }

    fn fewer(&self, last_n: usize) -> usize {
        let scaled = last_n.saturating_mul(self.policy.fewer_percent) / 100;
        scaled
            .min(last_n.saturating_sub(1))
            .max(self.policy.fewest_videos)
    }

    fn more(&self, last_n: usize) -> usize {
        let scaled = last_n
            .saturating_mul(self.policy.more_percent)
            .div_ceil(100);
        scaled.max(last_n.saturating_add(1))
    }
}

/// The highest of all values, each in percent of its limit.
fn stress(policy: &OverloadPolicy, sample: &Sample) -> u32 {
    let micros = |age: Duration| u64::try_from(age.as_micros()).unwrap_or(u64::MAX);
    let parts = [
        (
            sample.cpu_percent.map(u64::from),
            policy.cpu_percent.map(u64::from),
        ),
        (Some(sample.egress), policy.egress),
        (sample.memory, policy.memory),
        (Some(micros(sample.queue_age)), policy.queue_age.map(micros)),
    ];
    let percent = parts
        .into_iter()
        .filter_map(|(value, limit)| value?.saturating_mul(100).checked_div(limit?));
    u32::try_from(percent.max().unwrap_or(0)).unwrap_or(u32::MAX)
}
