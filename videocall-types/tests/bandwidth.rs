#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
//! A sender on a simulated connection: what limit it finds, and how long media waits meanwhile.

use std::collections::VecDeque;
use std::time::Duration;

use videocall_types::Timestamp;
use videocall_types::bandwidth::Bandwidth;
use videocall_types::report::{Report, Reporter};

const STEP: Duration = Duration::from_millis(10);
const REPORT_EVERY: u64 = 25;
const PROPAGATION: Duration = Duration::from_millis(20);

/// A bottleneck with a queue that holds everything, a sender in front of it and a receiver behind.
struct World {
    now: Timestamp,
    steps: u64,
    capacity: u64,
    /// What the media take when nothing limits them, in bits per second, in layers of which the sender takes as many as fit.
    layers: Vec<u64>,
    bandwidth: Bandwidth,
    near: Reporter,
    far: Reporter,
    queued_bits: u64,
    /// Of every so many steps, for so many at their end nothing gets through: a loss is repaired.
    stalls: Option<(u64, u64)>,
    /// Reports of the near end: when they reach the far end.
    to_far: VecDeque<(Timestamp, Report)>,
    longest_wait: Duration,
    limits: Vec<u64>,
}

impl World {
    fn new(capacity: u64, layers: &[u64]) -> Self {
        Self {
            now: Timestamp::from_millis(5_000),
            steps: 0,
            capacity,
            layers: layers.to_vec(),
            bandwidth: Bandwidth::default(),
            near: Reporter::default(),
            far: Reporter::default(),
            queued_bits: 0,
            stalls: None,
            to_far: VecDeque::new(),
            longest_wait: Duration::ZERO,
            limits: Vec::new(),
        }
    }

    fn run(&mut self, seconds: u64) {
        self.longest_wait = Duration::ZERO;
        for _ in 0..seconds * 100 {
            self.step();
        }
    }

    fn step(&mut self) {
        self.now = self.now + STEP;
        self.steps += 1;
        let limit = self.bandwidth.limit().unwrap_or(u64::MAX);
        let fits = self.layers.iter().rev().find(|rate| **rate <= limit);
        let rate = fits.or(self.layers.first()).copied().unwrap();
        let next = self.layers.iter().find(|layer| **layer > rate).copied();
        self.bandwidth.want(next, self.now);
        self.send(rate / 100);
        if self
            .bandwidth
            .poll_timeout()
            .is_some_and(|at| at <= self.now)
        {
            let padding = self.bandwidth.padding(self.now);
            self.send(padding as u64 * 8);
        }
        let stalled = self.stalled();
        let rate = if stalled == 0 { self.capacity / 100 } else { 0 };
        let through = self.queued_bits.min(rate);
        self.queued_bits -= through;
        self.far.received((through / 8) as usize);
        let wait =
            Duration::from_micros(self.queued_bits * 1_000_000 / self.capacity) + STEP * stalled;
        self.longest_wait = self.longest_wait.max(wait);
        while self.to_far.front().is_some_and(|(at, _)| *at <= self.now) {
            let (_, report) = self.to_far.pop_front().unwrap();
            self.far.handle(&report, self.now);
        }
        if self.steps.is_multiple_of(REPORT_EVERY) {
            let report = self.far.report(self.now);
            if let Some(feedback) = self.near.handle(&report, self.now)
                && self.bandwidth.handle(&feedback, Duration::ZERO, self.now)
            {
                self.limits.extend(self.bandwidth.limit());
            }
            let arrives = self.now + wait + PROPAGATION;
            self.to_far.push_back((arrives, self.near.report(self.now)));
        }
    }

    /// For so many more steps nothing gets through.
    fn stalled(&self) -> u32 {
        let left = self.stalls.map_or(0, |(every, stalled)| {
            let left = every - self.steps % every;
            if left <= stalled { left } else { 0 }
        });
        u32::try_from(left).unwrap()
    }

    fn send(&mut self, bits: u64) {
        self.bandwidth.sent((bits / 8) as usize);
        self.queued_bits += bits;
    }
}

const CAMERA: [u64; 3] = [150_000, 500_000, 1_500_000];

#[test]
fn a_connection_that_carries_all_shows_no_limit_and_gets_no_padding() {
    let mut world = World::new(5_000_000, &CAMERA);
    world.run(60);
    assert_eq!(world.bandwidth.limit(), None);
    assert!(world.longest_wait < Duration::from_millis(10));
}

#[test]
fn a_connection_that_carries_too_little_is_found_out_at_once() {
    let mut world = World::new(300_000, &CAMERA);
    world.run(3);
    let limit = world.bandwidth.limit().unwrap();
    assert!((200_000..300_000).contains(&limit), "{limit}");
    world.run(25);
    // What waited has gone, and probes do not bring it back.
    world.run(120);
    assert!(
        world.longest_wait < Duration::from_millis(250),
        "{:?}",
        world.longest_wait
    );
    let limit = world.bandwidth.limit().unwrap();
    assert!((150_000..500_000).contains(&limit), "{limit}");
}

#[test]
fn probes_that_fail_become_rare() {
    let mut world = World::new(400_000, &CAMERA);
    world.run(300);
    let changes = world.limits.len();
    world.run(300);
    assert!(
        world.limits.len() - changes < 20,
        "{:?}",
        &world.limits[changes..]
    );
}

#[test]
fn a_connection_that_gets_better_is_found_out_by_probes() {
    let mut world = World::new(300_000, &CAMERA);
    world.run(20);
    world.capacity = 4_000_000;
    world.run(45);
    let limit = world.bandwidth.limit();
    assert!(limit.is_none_or(|limit| limit >= 1_500_000), "{limit:?}");
    world.run(60);
    assert_eq!(world.bandwidth.limit(), None, "it limits nothing any more");
}

#[test]
fn a_connection_that_gets_worse_is_found_out_again() {
    let mut world = World::new(5_000_000, &CAMERA);
    world.run(10);
    world.capacity = 500_000;
    world.run(4);
    let limit = world.bandwidth.limit().unwrap();
    assert!((300_000..500_000).contains(&limit), "{limit}");
}

#[test]
fn clocks_that_drift_apart_are_no_delay() {
    // The far clock gains 100 ppm for ten minutes.
    let mut skew = Bandwidth::default();
    let mut far = Reporter::default();
    let mut near = Reporter::default();
    for second in 0..600_u64 {
        let now = Timestamp::from_millis(1_000 + second * 1_000);
        let skewed = now + Duration::from_micros(second * 100);
        far.handle(&near.report(now), skewed);
        far.received(10_000);
        let report = far.report(skewed);
        if let Some(feedback) = near.handle(&report, now) {
            skew.handle(&feedback, Duration::ZERO, now);
        }
    }
    assert_eq!(skew.limit(), None);
}

#[test]
fn where_little_is_sent_repaired_losses_take_nothing_away() {
    let mut world = World::new(2_000_000, &[100_000, 300_000]);
    world.stalls = Some((110, 90));
    world.run(60);
    assert!(
        world.limits.iter().all(|limit| *limit >= 150_000),
        "{:?}",
        world.limits
    );
    world.stalls = None;
    world.run(60);
    assert_eq!(world.bandwidth.limit(), None);
}
