//! What one session may send.

use videocall_types::Timestamp;

use crate::policy::{Budget, RatePolicy};

/// A token bucket.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    budget: Budget,
    /// Millionths of a token, so that a refill needs no fractions.
    micro_tokens: u64,
    filled: Timestamp,
}

const MICRO: u64 = 1_000_000;

impl TokenBucket {
    /// A full bucket.
    #[must_use]
    pub const fn new(budget: Budget, now: Timestamp) -> Self {
        Self {
            budget,
            micro_tokens: budget.burst as u64 * MICRO,
            filled: now,
        }
    }

    /// Takes `tokens`. False: there are not as many, and none is taken.
    pub fn take(&mut self, tokens: usize, now: Timestamp) -> bool {
        self.fill(now);
        let wanted = (tokens as u64).saturating_mul(MICRO);
        if wanted > self.micro_tokens {
            return false;
        }
        self.micro_tokens -= wanted;
        true
    }

    fn fill(&mut self, now: Timestamp) {
        let micros = u64::try_from(now.since(self.filled).as_micros()).unwrap_or(u64::MAX);
        let gained = micros.saturating_mul(self.budget.per_second.into());
        self.micro_tokens = self
            .micro_tokens
            .saturating_add(gained)
            .min(u64::from(self.budget.burst) * MICRO);
        self.filled = now;
    }
}

/// What happens with a packet that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Pass,
    /// It is dropped, and the session is told why.
    DropWithNotice,
    /// It is dropped.
    Drop,
    /// It is dropped and the session is closed.
    Close,
}

/// The buckets of one session.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    policy: RatePolicy,
    packets: TokenBucket,
    bytes: TokenBucket,
    keyframe_requests: TokenBucket,
    violations: TokenBucket,
    excess: Option<Excess>,
}

/// A time over budget.
#[derive(Clone, Copy, Debug)]
struct Excess {
    since: Timestamp,
    last: Timestamp,
}

impl RateLimiter {
    /// Full buckets.
    #[must_use]
    pub fn new(policy: &RatePolicy, now: Timestamp) -> Self {
        Self {
            packets: TokenBucket::new(policy.packets, now),
            bytes: TokenBucket::new(policy.bytes, now),
            keyframe_requests: TokenBucket::new(policy.keyframe_requests, now),
            violations: TokenBucket::new(policy.violations, now),
            excess: None,
            policy: policy.clone(),
        }
    }

    /// A packet of `len` bytes came in.
    pub fn packet(&mut self, len: usize, now: Timestamp) -> Verdict {
        if self.packets.take(1, now) && self.bytes.take(len, now) {
            return Verdict::Pass;
        }
        let ongoing = self
            .excess
            .filter(|excess| now - excess.last < self.policy.forgive);
        let since = ongoing.map_or(now, |excess| excess.since);
        self.excess = Some(Excess { since, last: now });
        if ongoing.is_none() {
            Verdict::DropWithNotice
        } else if now - since < self.policy.grace {
            Verdict::Drop
        } else {
            Verdict::Close
        }
    }

    /// A keyframe request came in. False: drop it.
    pub fn keyframe_request(&mut self, now: Timestamp) -> bool {
        self.keyframe_requests.take(1, now)
    }

    /// A packet broke the protocol. False: the session has done so too often.
    pub fn violation(&mut self, now: Timestamp) -> bool {
        self.violations.take(1, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn policy() -> RatePolicy {
        RatePolicy {
            packets: Budget {
                per_second: 10,
                burst: 2,
            },
            grace: Duration::from_secs(5),
            forgive: Duration::from_secs(10),
            ..RatePolicy::default()
        }
    }

    #[test]
    fn a_bucket_refills_to_its_burst() {
        let mut bucket = TokenBucket::new(
            Budget {
                per_second: 10,
                burst: 2,
            },
            at(0),
        );
        assert!(bucket.take(2, at(0)));
        assert!(!bucket.take(1, at(99)));
        assert!(bucket.take(1, at(100)));
        assert!(!bucket.take(3, at(100_000)));
        assert!(bucket.take(2, at(100_000)));
    }

    #[test]
    fn a_flood_is_dropped_then_told_then_closed() {
        let mut limiter = RateLimiter::new(&policy(), at(0));
        assert_eq!(limiter.packet(1, at(0)), Verdict::Pass);
        assert_eq!(limiter.packet(1, at(0)), Verdict::Pass);
        assert_eq!(limiter.packet(1, at(0)), Verdict::DropWithNotice);
        assert_eq!(limiter.packet(1, at(1)), Verdict::Drop);
        assert_eq!(limiter.packet(1, at(4999)), Verdict::Pass);
        assert_eq!(limiter.packet(1, at(4999)), Verdict::Pass);
        assert_eq!(limiter.packet(1, at(4999)), Verdict::Drop);
        assert_eq!(limiter.packet(1, at(5000)), Verdict::Close);
    }

    #[test]
    fn a_session_that_calms_down_is_forgiven() {
        let mut limiter = RateLimiter::new(&policy(), at(0));
        for _ in 0..3 {
            limiter.packet(1, at(0));
        }
        for _ in 0..2 {
            assert_eq!(limiter.packet(1, at(10_000)), Verdict::Pass);
        }
        assert_eq!(limiter.packet(1, at(10_000)), Verdict::DropWithNotice);
    }

    #[test]
    fn bytes_count_too() {
        let bytes = Budget {
            per_second: 1000,
            burst: 1000,
        };
        let mut limiter = RateLimiter::new(
            &RatePolicy {
                bytes,
                ..RatePolicy::default()
            },
            at(0),
        );
        assert_eq!(limiter.packet(1000, at(0)), Verdict::Pass);
        assert_eq!(limiter.packet(1, at(0)), Verdict::DropWithNotice);
    }

    proptest! {
        #[test]
        fn never_more_than_rate_and_burst(steps in prop::collection::vec((0..500u64, 1..5usize), 1..200)) {
            let budget = Budget { per_second: 20, burst: 7 };
            let mut bucket = TokenBucket::new(budget, at(0));
            let (mut now, mut taken) = (0, 0);
            for (wait, tokens) in steps {
                now += wait;
                if bucket.take(tokens, at(now)) {
                    taken += tokens as u64;
                }
                prop_assert!(taken * 1000 <= 7 * 1000 + now * 20);
            }
        }
    }
}
