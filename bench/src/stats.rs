//! What blocks are worth, and what two series of them say of each other. Pure.

use rand::Rng;

use crate::measure::{Block, Kind};

/// Of one core; a busier generator measures itself.
pub const GENERATOR_LIMIT: f64 = 0.85;
/// Of all cores' time; what the hypervisor or a disk took beyond it makes a block worthless.
pub const STEAL_LIMIT: f64 = 0.01;
/// Microseconds that 99 % of the packets may be handed over later than they were due.
pub const PACING_LIMIT_US: u64 = 1_000;
/// Share by which the deliveries of a pair of blocks may differ and still be the same work.
pub const WORK_LIMIT: f64 = 0.005;
/// Share of deliveries that a server at its capacity may lose.
pub const CAPACITY_LOSS: f64 = 0.005;
/// Latency that 99 % of the deliveries stay below at capacity, in microseconds.
pub const CAPACITY_P99_US: u64 = 100_000;

/// Resamples of a bootstrap; the 2.5 % quantile then rests on 50 of them.
const RESAMPLES: usize = 2_000;

/// The middle one, or the mean of the two in the middle.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get(middle.checked_sub(1)?)?;
    Some(f64::midpoint(lower, upper))
}

/// How one series compares to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// Median over the pairs.
    pub median: f64,
    /// Lower end of the 95 % confidence interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Pairs that it rests on.
    pub pairs: usize,
}

impl Ratio {
    /// Whether the series may as well be the same: what a server beside itself (A/A) has to yield.
    #[must_use]
    pub fn contains_one(&self) -> bool {
        self.low <= 1.0 && 1.0 <= self.high
    }
}

/// The ratio `a / b` of pairs that ran side by side: the median of their log ratios, so that a half and a double weigh
/// the same, with the percentile bootstrap over pairs (Efron, "Bootstrap methods", Ann. Statist. 7, 1979).
/// Nothing without a pair of positive numbers.
#[must_use]
pub fn ratio(pairs: &[(f64, f64)], rng: &mut impl Rng) -> Option<Ratio> {
    let logs: Vec<f64> = pairs
        .iter()
        .filter(|(a, b)| *a > 0.0 && *b > 0.0)
        .map(|(a, b)| (a / b).ln())
        .collect();
    let centre = median(&logs)?;
    let mut medians: Vec<f64> = (0..RESAMPLES)
        .filter_map(|_| {
            let resample: Vec<f64> = (0..logs.len())
                .filter_map(|_| logs.get(rng.random_range(0..logs.len())).copied())
                .collect();
            median(&resample)
        })
        .collect();
    medians.sort_by(f64::total_cmp);
    Some(Ratio {
        median: centre.exp(),
        low: medians.get(RESAMPLES / 40)?.exp(),
        high: medians.get(RESAMPLES - 1 - RESAMPLES / 40)?.exp(),
        pairs: logs.len(),
    })
}

/// Why the times of a block mean nothing. Nobody's fault, so it is run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The generator was too busy.
    #[error("the generator was saturated")]
    Generator,
    /// The generator sent late.
    #[error("packets were sent late")]
    Pacing,
    /// Somebody else used the machine.
    #[error("the machine was taken away")]
    Steal,
}

/// Whether the times of `block` mean something. The generator is judged where it has a core of its own; where it shares
/// the cores with the server, it is part of what the capacity is measured with.
///
/// # Errors
/// [`Invalid`], the first reason.
pub fn validity(block: &Block) -> Result<(), Invalid> {
    let load = &block.load;
    if block.steal > STEAL_LIMIT {
        return Err(Invalid::Steal);
    }
    if !block.pinned {
        return Ok(());
    }
    if load.generator_cpu_seconds > GENERATOR_LIMIT * load.seconds {
        return Err(Invalid::Generator);
    }
    if load.pacing.p99 > PACING_LIMIT_US {
        return Err(Invalid::Pacing);
    }
    Ok(())
}

/// Errors of `block` that make the whole run fail. A server that is loaded beyond what it can do, or with receivers that
/// do not read, may end connections; it may never deliver a wrong packet.
#[must_use]
pub fn failures(block: &Block) -> u64 {
    let errors = &block.load.errors;
    let may_close = matches!(block.scenario.as_str(), "capacity" | "overload" | "slow");
    if may_close {
        errors.total() - errors.closed - errors.refused
    } else {
        errors.total()
    }
}

/// Whether both delivered the same, so that their costs can be compared.
#[must_use]
pub fn equal_work(a: &Block, b: &Block) -> bool {
    let rate = |block: &Block| block.load.delivered() as f64 / block.load.seconds.max(1e-9);
    let (a, b) = (rate(a), rate(b));
    (a - b).abs() <= WORK_LIMIT * a.max(b)
}

/// Whether the server did all of the work of `block` in time: the rule of capacity.
#[must_use]
pub fn holds(block: &Block) -> bool {
    let load = &block.load;
    let in_time = load
        .kinds
        .values()
        .all(|kind| kind.latency.p99 < CAPACITY_P99_US);
    load.delivered() > 0
        && load.loss() < CAPACITY_LOSS
        && in_time
        && load.errors.closed + load.errors.refused == 0
}

/// Share of one kind's expected deliveries that did not arrive.
#[must_use]
pub fn loss_of(block: &Block, kind: Kind) -> Option<f64> {
    let report = block.load.kinds.get(&kind)?;
    let lost = report.expected.saturating_sub(report.delivered);
    (report.expected > 0).then(|| lost as f64 / report.expected as f64)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;
    use crate::measure::{Errors, Quantiles};
    use crate::testing::block;

    fn rng() -> StdRng {
        StdRng::seed_from_u64(1)
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0]), Some(5.0));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
    }

    #[test]
    fn equal_ratios_leave_no_doubt() {
        let pairs = [(2.0, 4.0), (1.0, 2.0), (8.0, 16.0)];
        let half = ratio(&pairs, &mut rng()).unwrap();
        assert!((half.median - 0.5).abs() < 1e-12);
        assert_eq!((half.low, half.high), (half.median, half.median));
        assert_eq!(half.pairs, 3);
        assert!(!half.contains_one());
    }

    /// Of 27 resamples of three, 7 have the smallest as median and 7 the largest: both are in the interval.
    #[test]
    fn the_interval_of_three_pairs_is_their_range() {
        let pairs = [(1.0, 2.0), (1.0, 1.0), (4.0, 1.0)];
        let found = ratio(&pairs, &mut rng()).unwrap();
        assert_eq!(found.median, 1.0);
        assert!((found.low - 0.5).abs() < 1e-12 && (found.high - 4.0).abs() < 1e-12);
        assert!(found.contains_one());
    }

    #[test]
    fn one_outlier_of_nine_does_not_move_the_interval() {
        let mut pairs = vec![(1.1, 1.0); 8];
        pairs.push((50.0, 1.0));
        let found = ratio(&pairs, &mut rng()).unwrap();
        assert!((found.median - 1.1).abs() < 1e-12 && (found.high - 1.1).abs() < 1e-12);
    }

    #[test]
    fn what_was_not_measured_has_no_ratio() {
        assert_eq!(ratio(&[], &mut rng()), None);
        assert_eq!(ratio(&[(0.0, 1.0)], &mut rng()), None);
    }

    #[test]
    fn a_block_is_valid_at_each_limit_and_not_beyond() {
        let mut good = block("ten", "relay");
        good.load.generator_cpu_seconds = 8.5;
        good.load.pacing.p99 = 1_000;
        good.steal = 0.01;
        assert_eq!(validity(&good), Ok(()));

        let mut bad = good.clone();
        bad.load.generator_cpu_seconds = 8.51;
        assert_eq!(validity(&bad), Err(Invalid::Generator));
        bad.pinned = false;
        assert_eq!(validity(&bad), Ok(()));

        let mut bad = good.clone();
        bad.load.pacing.p99 = 1_001;
        assert_eq!(validity(&bad), Err(Invalid::Pacing));

        good.steal = 0.011;
        good.pinned = false;
        assert_eq!(validity(&good), Err(Invalid::Steal));
    }

    #[test]
    fn connections_may_end_only_where_the_load_is_too_much() {
        let mut ended = block("ten", "relay");
        ended.load.errors = Errors {
            closed: 2,
            refused: 1,
            ..Errors::default()
        };
        assert_eq!(failures(&ended), 3);
        ended.scenario = "overload".into();
        assert_eq!(failures(&ended), 0);
        ended.load.errors.corrupt = 1;
        assert_eq!(failures(&ended), 1);
    }

    #[test]
    fn work_is_equal_within_half_a_percent() {
        let full = block("ten", "relay");
        let mut less = block("ten", "floor");
        let delivered = |block: &mut Block, packets| {
            for kind in block.load.kinds.values_mut() {
                kind.delivered = packets;
            }
        };
        delivered(&mut less, 9_950);
        assert!(equal_work(&full, &less));
        delivered(&mut less, 9_940);
        assert!(!equal_work(&full, &less) && !equal_work(&less, &full));
    }

    #[test]
    fn capacity_ends_with_loss_lateness_or_a_lost_connection() {
        let good = block("capacity", "relay");
        assert!(holds(&good));

        let change = |change: fn(&mut Block)| {
            let mut block = good.clone();
            change(&mut block);
            holds(&block)
        };
        assert!(!change(|block| block.load.errors.closed = 1));
        assert!(!change(|block| block.load.kinds.clear()));
        assert!(!change(|block| {
            for kind in block.load.kinds.values_mut() {
                kind.delivered = 9_950;
            }
        }));
        assert!(!change(|block| {
            for kind in block.load.kinds.values_mut() {
                kind.latency = Quantiles {
                    p99: CAPACITY_P99_US,
                    ..kind.latency
                };
            }
        }));
    }

    #[test]
    fn loss_is_told_by_kind() {
        let mut lossy = block("overload", "relay");
        lossy.load.kinds.get_mut(&Kind::Video).unwrap().delivered = 0;
        assert_eq!(loss_of(&lossy, Kind::Video), Some(1.0));
        assert_eq!(loss_of(&lossy, Kind::Audio), Some(0.0));
        lossy.load.kinds.clear();
        assert_eq!(loss_of(&lossy, Kind::Audio), None);
    }
}
