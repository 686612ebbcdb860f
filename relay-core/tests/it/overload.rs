//! The overload controller: samples in, exact levels out, and what holds for any samples.

use std::time::Duration;

use proptest::prelude::*;
use relay_core::policy::OverloadPolicy;
use relay_core::{Level, Overload, Sample};
use videocall_types::Timestamp;

use Level::{AudioOnly, FewerVideos, NoNewRooms, Normal};

const INTERVAL: u64 = 500;

/// A controller that is sampled every half second.
struct Test {
    overload: Overload,
    now: u64,
}

impl Test {
    fn new(policy: OverloadPolicy) -> Self {
        Self {
            overload: Overload::new(policy),
            now: 0,
        }
    }

    /// Goes on with this egress, which is its own percentage, for so long; when the level has changed, in milliseconds, and
    /// to what.
    fn load(&mut self, percent: u64, millis: u64) -> Vec<(u64, Level)> {
        let end = self.now + millis;
        let mut changes = Vec::new();
        while self.now < end {
            let before = self.overload.level();
            let sample = Sample {
                egress: percent,
                ..Sample::default()
            };
            let level = self
                .overload
                .sample(&sample, Timestamp::from_millis(self.now));
            assert_eq!(u64::from(self.overload.stress()), percent);
            if level != before {
                changes.push((self.now, level));
            }
            self.now += INTERVAL;
        }
        changes
    }
}

/// One byte per second is one percent.
fn policy() -> OverloadPolicy {
    OverloadPolicy {
        egress: Some(100),
        ..OverloadPolicy::default()
    }
}

const fn fewer(last_n: usize) -> Level {
    FewerVideos { last_n }
}

#[test]
fn the_highest_value_in_percent_of_its_limit_is_the_stress() {
    let mut overload = Overload::new(OverloadPolicy {
        egress: Some(1_000),
        memory: Some(2_000),
        ..OverloadPolicy::default()
    });
    let mut stress = |sample: Sample| {
        overload.sample(&sample, Timestamp::ZERO);
        overload.stress()
    };
    let calm = Sample::default();
    assert_eq!(stress(calm), 0);
    let cpu_percent = Some(100);
    assert_eq!(
        stress(Sample {
            cpu_percent,
            ..calm
        }),
        117
    );
    assert_eq!(
        stress(Sample {
            egress: 1_500,
            ..calm
        }),
        150
    );
    let memory = Some(1_600);
    assert_eq!(stress(Sample { memory, ..calm }), 80);
    let queue_age = Duration::from_millis(180);
    assert_eq!(stress(Sample { queue_age, ..calm }), 120);
    let all = Sample {
        cpu_percent,
        egress: 0,
        memory,
        queue_age,
    };
    assert_eq!(stress(all), 120);
    let endless = Sample {
        egress: u64::MAX,
        memory: Some(u64::MAX),
        queue_age: Duration::MAX,
        ..calm
    };
    assert_eq!(stress(endless), u32::MAX);
}

#[test]
fn what_has_no_limit_does_not_count() {
    let mut overload = Overload::new(OverloadPolicy {
        cpu_percent: None,
        queue_age: None,
        memory: Some(0),
        ..OverloadPolicy::default()
    });
    let sample = Sample {
        cpu_percent: Some(100),
        egress: u64::MAX,
        memory: Some(u64::MAX),
        queue_age: Duration::MAX,
    };
    assert_eq!(overload.sample(&sample, Timestamp::ZERO), Normal);
    assert_eq!(overload.stress(), 0);
}

#[test]
fn a_step_to_150_percent_ends_video_in_six_seconds_and_recovers_step_by_step() {
    let mut test = Test::new(policy());
    assert_eq!(test.load(70, 10_000), []);
    assert_eq!(
        test.load(150, 60_000),
        [
            (12_000, fewer(16)),
            (14_000, fewer(12)),
            (16_000, AudioOnly)
        ]
    );
    assert_eq!(
        test.load(50, 120_000),
        [
            (75_000, fewer(2)),
            (80_000, fewer(3)),
            (85_000, fewer(4)),
            (90_000, fewer(5)),
            (95_000, fewer(7)),
            (100_000, fewer(9)),
            (105_000, fewer(12)),
            (110_000, fewer(15)),
            (115_000, NoNewRooms),
            (120_000, Normal),
        ]
    );
}

#[test]
fn at_110_percent_cameras_go_one_step_at_a_time_and_video_ends_last() {
    let mut test = Test::new(policy());
    assert_eq!(
        test.load(117, 30_000),
        [
            (2_000, fewer(16)),
            (4_000, fewer(12)),
            (6_000, fewer(9)),
            (8_000, fewer(6)),
            (10_000, fewer(4)),
            (12_000, fewer(3)),
            (14_000, fewer(2)),
            (16_000, AudioOnly),
        ]
    );
}

#[test]
fn where_a_step_helps_it_stays() {
    let mut test = Test::new(policy());
    assert_eq!(
        test.load(115, 5_000),
        [(2_000, fewer(16)), (4_000, fewer(12))]
    );
    assert_eq!(test.load(105, 60_000), []);
    assert_eq!(test.load(81, 60_000), []);
    assert_eq!(test.load(80, 7_000), [(130_000, fewer(15))]);
}

#[test]
fn at_100_percent_only_new_rooms_are_refused() {
    let mut test = Test::new(policy());
    assert_eq!(test.load(99, 20_000), []);
    assert_eq!(test.load(100, 20_000), [(22_000, NoNewRooms)]);
    assert_eq!(test.load(109, 20_000), []);
    assert_eq!(test.load(81, 20_000), []);
    assert_eq!(test.load(80, 20_000), [(85_000, Normal)]);
}

#[test]
fn a_short_peak_changes_nothing() {
    let mut test = Test::new(policy());
    for _ in 0..20 {
        assert_eq!(test.load(300, 2_000), []);
        assert_eq!(test.load(99, 500), []);
    }
}

#[test]
fn a_step_for_the_better_that_does_not_hold_is_tried_more_and_more_seldom() {
    let mut test = Test::new(policy());
    test.load(150, 7_000);
    assert_eq!(test.overload.level(), AudioOnly);
    let mut waits = Vec::new();
    for _ in 0..6 {
        // Without video all is calm, with two cameras it is too much.
        let calm_from = test.now;
        while test.overload.level() == AudioOnly {
            test.load(50, INTERVAL);
        }
        waits.push((test.now - INTERVAL - calm_from) / 1000);
        while test.overload.level() != AudioOnly {
            test.load(150, INTERVAL);
        }
    }
    assert_eq!(waits, [5, 10, 20, 40, 40, 40]);
    // Once two steps in a row hold, the rest comes as fast as ever.
    let times: Vec<u64> = test
        .load(50, 200_000)
        .windows(2)
        .map(|pair| (pair[1].0 - pair[0].0) / 1000)
        .collect();
    assert_eq!(times, [40, 5, 5, 5, 5, 5, 5, 5, 5]);
}

#[test]
fn levels_are_numbers_for_metrics() {
    let levels = [Normal, NoNewRooms, fewer(9), AudioOnly];
    assert_eq!(levels.map(Level::number), [0, 1, 2, 3]);
    assert_eq!(levels.map(Level::refuses_rooms), [false, true, true, true]);
}

/// Higher is worse.
fn badness(level: Level, policy: &OverloadPolicy) -> usize {
    match level {
        Normal => 0,
        NoNewRooms => 1,
        FewerVideos { last_n } => 2 + policy.most_videos - last_n,
        AudioOnly => 3 + policy.most_videos,
    }
}

/// Every sample since `from` that lasts `after` until `now` is `wanted`.
fn held(history: &[(u64, u32)], now: u64, after: Duration, wanted: impl Fn(u32) -> bool) -> bool {
    let from = now.checked_sub(u64::try_from(after.as_millis()).unwrap());
    from.is_some_and(|from| {
        history
            .iter()
            .filter(|(at, _)| *at >= from)
            .all(|(_, stress)| wanted(*stress))
    })
}

proptest! {
    #[test]
    fn it_never_changes_faster_than_it_may(
        phases in prop::collection::vec((0..200u64, 1..40usize, 100..1500u64, 0..40u64), 1..40)
    ) {
        let policy = policy();
        let mut overload = Overload::new(policy.clone());
        let (mut now, mut changed) = (0u64, None::<u64>);
        let mut history = Vec::new();
        for (percent, samples, interval, noise) in phases {
            for index in 0..samples {
                now += interval;
                let egress = percent + if index % 2 == 0 { noise } else { 0 };
                let before = overload.level();
                let level = overload.sample(&Sample { egress, ..Sample::default() }, Timestamp::from_millis(now));
                history.push((now, overload.stress()));
                if let FewerVideos { last_n } = level {
                    prop_assert!((policy.fewest_videos..=policy.most_videos).contains(&last_n));
                }
                if level == before {
                    continue;
                }
                let worse = badness(level, &policy) > badness(before, &policy);
                let after = if worse { policy.worsen_after } else { policy.recover_after };
                let since = Duration::from_millis(now - changed.unwrap_or(0));
                prop_assert!(since >= after, "{level:?} only {since:?} after the last change");
                changed = Some(now);
                let threshold = match level {
                    _ if !worse => policy.recover_at,
                    NoNewRooms => policy.refuse_at,
                    _ => policy.fewer_videos_at,
                };
                let wanted = |stress| if worse { stress >= threshold } else { stress <= threshold };
                prop_assert!(held(&history, now, after, wanted), "{level:?} without lasting reason");
            }
        }
    }
}
