//! When to try again. The only place that decides it.

use std::time::Duration;

use videocall_types::Timestamp;

use super::random::Random;

/// The first delay is at most this; each later one at most twice the one before.
const FIRST: Duration = Duration::from_millis(250);
/// Longest delay while the loss is [`RECENT`].
const CAP_RECENT: Duration = Duration::from_secs(2);
/// Longest delay ever.
const CAP: Duration = Duration::from_secs(10);
const RECENT: Duration = Duration::from_secs(60);
/// A connection that lasted this long makes the next loss a new one.
const STABLE: Duration = Duration::from_secs(10);

/// Capped exponential backoff with full jitter. It never gives up.
#[derive(Debug)]
pub(super) struct Reconnect {
    random: Random,
    attempt: u32,
    since: Option<Timestamp>,
    connected_at: Option<Timestamp>,
}

impl Reconnect {
    pub(super) const fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            attempt: 0,
            since: None,
            connected_at: None,
        }
    }

    /// A connection is there.
    pub(super) fn connected(&mut self, now: Timestamp) {
        self.connected_at = Some(now);
    }

    /// An attempt failed or the connection was lost: how long to wait, and the number of the attempt that follows.
    pub(super) fn failed(&mut self, now: Timestamp) -> (Duration, u32) {
        if self
            .connected_at
            .take()
            .is_some_and(|at| now - at >= STABLE)
        {
            self.attempt = 0;
            self.since = None;
        }
        let since = *self.since.get_or_insert(now);
        self.attempt = self.attempt.saturating_add(1);
        (
            self.random.up_to(longest(self.attempt, now - since)),
            self.attempt,
        )
    }

    /// The next attempt counts as the first one: the reason of the failures seems to be gone.
    pub(super) fn forget(&mut self) {
        self.attempt = 0;
        self.since = None;
    }
}

/// Upper bound of the delay before `attempt`, counted from 1.
fn longest(attempt: u32, since_loss: Duration) -> Duration {
    let cap = if since_loss < RECENT { CAP_RECENT } else { CAP };
    let doublings = attempt.saturating_sub(1).min(16);
    (FIRST * (1 << doublings)).min(cap)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bounds_double_up_to_the_cap() {
        let bounds = |since| {
            (1..=7)
                .map(|n| longest(n, since).as_millis())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            bounds(Duration::ZERO),
            [250, 500, 1000, 2000, 2000, 2000, 2000]
        );
        assert_eq!(bounds(RECENT), [250, 500, 1000, 2000, 4000, 8000, 10_000]);
        assert_eq!(longest(u32::MAX, RECENT), CAP);
    }

    #[test]
    fn only_a_connection_that_lasted_starts_the_count_anew() {
        let mut policy = Reconnect::new(1);
        let mut now = Timestamp::from_millis(5);
        assert_eq!(policy.failed(now).1, 1);
        policy.connected(now);
        now = now + Duration::from_secs(1);
        assert_eq!(policy.failed(now).1, 2);
        policy.connected(now);
        now = now + STABLE;
        assert_eq!(policy.failed(now).1, 1);
    }

    proptest! {
        #[test]
        fn every_delay_is_within_its_bound(seed: u64, gaps in prop::collection::vec(0..20_000u64, 1..60)) {
            let mut policy = Reconnect::new(seed);
            let mut now = Timestamp::ZERO;
            let start = now + Duration::from_millis(gaps[0]);
            for gap in gaps {
                now = now + Duration::from_millis(gap);
                let (delay, attempt) = policy.failed(now);
                prop_assert!(delay <= longest(attempt, now - start));
                prop_assert!(delay <= CAP);
            }
        }
    }
}
