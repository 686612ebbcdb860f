//! Figures out of blocks: medians, comparisons, capacity. Pure.

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::measure::{Block, Framing, Kind, KindReport, Run, Transport};
use crate::stats::{self, Invalid, Ratio};

/// Seed of every bootstrap, so that tables made again from the same file are the same.
const SEED: u64 = 1979;

/// Which blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Series<'a> {
    /// Under which scenario.
    pub scenario: &'a str,
    /// Of which server.
    pub server: &'a str,
    /// How clients reached it.
    pub transport: Transport,
    /// How packets lay on the connection.
    pub framing: Framing,
}

impl<'a> Series<'a> {
    /// That of `block`.
    #[must_use]
    pub fn of(block: &'a Block) -> Self {
        Self {
            scenario: &block.scenario,
            server: &block.server,
            transport: block.transport,
            framing: block.framing,
        }
    }

    /// The floor beside it.
    #[must_use]
    pub fn floor(self) -> Self {
        Self {
            server: "floor",
            framing: Framing::Native,
            ..self
        }
    }

    /// Its blocks, in order.
    pub fn blocks(self, run: &Run) -> impl Iterator<Item = &Block> {
        run.blocks
            .iter()
            .filter(move |block| Series::of(block) == self)
    }
}

/// What is read from a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// CPU microseconds of all of the server's processes per delivered packet.
    Cpu,
    /// Median latency of the kind of packet that fared worst, in milliseconds.
    P50,
    /// The same of the 99 % quantile.
    P99,
    /// 99 % quantile of all packets to receivers that read eagerly, in milliseconds.
    EagerP99,
    /// Memory per connection beyond the process without connections, in units of 1000 bytes.
    Memory,
    /// 99 % quantile of the time to join, in milliseconds.
    JoinP99,
    /// Bytes on the bus per byte from clients.
    BusBytes,
    /// CPU time of the broker, in percent of a core.
    Broker,
    /// Lost audio, in percent.
    AudioLoss,
    /// Context switches per delivered packet.
    Switches,
    /// Lost packets, in percent.
    Loss,
}

impl Figure {
    /// Its value, where the block has one.
    #[must_use]
    pub fn of(self, block: &Block) -> Option<f64> {
        let (load, usage) = (&block.load, &block.usage);
        let worst = |quantile: fn(&KindReport) -> u64| load.kinds.values().map(quantile).max();
        let per_delivery =
            |amount: f64| (load.delivered() > 0).then(|| amount / load.delivered() as f64);
        match self {
            Self::Cpu => per_delivery(usage.cpu_seconds * 1e6),
            Self::P50 => worst(|kind| kind.latency.p50).map(milliseconds),
            Self::P99 => worst(|kind| kind.latency.p99).map(milliseconds),
            Self::EagerP99 => load
                .roles
                .get("normal")
                .map(|role| milliseconds(role.latency.p99)),
            Self::Memory => {
                let beyond = usage.loaded_bytes.saturating_sub(usage.idle_bytes);
                (load.connections > 0).then(|| beyond as f64 / 1e3 / load.connections as f64)
            }
            Self::JoinP99 => Some(milliseconds(load.join.p99)),
            Self::BusBytes => {
                let has_bus = usage.ingress_bytes > 0 && usage.bus_bytes > 0;
                has_bus.then(|| usage.bus_bytes as f64 / usage.ingress_bytes as f64)
            }
            Self::Broker => (usage.broker_cpu_seconds > 0.0)
                .then(|| 100.0 * usage.broker_cpu_seconds / load.seconds.max(1e-9)),
            Self::AudioLoss => stats::loss_of(block, Kind::Audio).map(|loss| loss * 100.0),
            Self::Switches => per_delivery(usage.context_switches as f64),
            Self::Loss => Some(load.loss() * 100.0),
        }
    }

    /// The unit, with a space before it.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Cpu => " us",
            Self::P50 | Self::P99 | Self::EagerP99 | Self::JoinP99 => " ms",
            Self::Memory => " kB",
            Self::Broker | Self::AudioLoss | Self::Loss => " %",
            Self::BusBytes | Self::Switches => "",
        }
    }

    /// Costs of different work can't be compared. What eager receivers feel of others that do not read is just that.
    const fn needs_equal_work(self) -> bool {
        !matches!(self, Self::EagerP99)
    }

    /// Whether `block` tells it. Times mean nothing on a machine that was taken away, or of packets that were sent late;
    /// what a delivery cost is not a time.
    fn validity(self, block: &Block) -> Result<(), Invalid> {
        let is_time = matches!(self, Self::P50 | Self::P99 | Self::EagerP99 | Self::JoinP99);
        match stats::validity(block) {
            Err(Invalid::Steal | Invalid::Pacing) if !is_time => Ok(()),
            validity => validity,
        }
    }
}

fn milliseconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1e3
}

/// What became of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// The median over the valid blocks.
    Measured(f64),
    /// No block was valid, the last one for this reason.
    Invalid(Invalid),
    /// Not in this run.
    Missing,
}

/// A figure of a series.
#[must_use]
pub fn value(run: &Run, series: Series<'_>, figure: Figure) -> Value {
    let mut values = Vec::new();
    let mut reason = None;
    for block in series.blocks(run) {
        match figure.validity(block) {
            Ok(()) => values.extend(figure.of(block)),
            Err(invalid) => reason = Some(invalid),
        }
    }
    match (stats::median(&values), reason) {
        (Some(value), _) => Value::Measured(value),
        (None, Some(invalid)) => Value::Invalid(invalid),
        (None, None) => Value::Missing,
    }
}

/// The ratio of two series of one run: the first block of one beside the first of the other, and so on. Pairs with an
/// invalid block, or of unequal work, do not count.
#[must_use]
pub fn compare(run: &Run, a: Series<'_>, b: Series<'_>, figure: Figure) -> Option<Ratio> {
    let pairs: Vec<(f64, f64)> = a
        .blocks(run)
        .zip(b.blocks(run))
        .filter(|(a, b)| figure.validity(a).is_ok() && figure.validity(b).is_ok())
        .filter(|(a, b)| !figure.needs_equal_work() || stats::equal_work(a, b))
        .filter_map(|(a, b)| Some((figure.of(a)?, figure.of(b)?)))
        .collect();
    stats::ratio(&pairs, &mut StdRng::seed_from_u64(SEED))
}

/// How many receivers a server keeps up with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity<'a> {
    /// Receivers of the last step that it kept up with.
    pub receivers: u64,
    /// Whether no step was too much: the capacity is then this or more.
    pub at_least: bool,
    /// That step.
    pub block: &'a Block,
}

/// The capacity of a server, if it kept up with any step.
#[must_use]
pub fn capacity<'a>(run: &'a Run, series: Series<'_>) -> Option<Capacity<'a>> {
    let steps = || {
        series
            .blocks(run)
            .filter(|block| block.load.connections > 1)
    };
    let block = steps()
        .filter(|block| stats::holds(block))
        .max_by_key(|block| block.load.connections)?;
    let last = steps().last()?;
    Some(Capacity {
        receivers: block.load.connections - 1,
        at_least: stats::holds(last),
        block,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{block, run};

    fn costing(server: &str, cpu_seconds: f64) -> Block {
        let mut block = block("ten", server);
        block.usage.cpu_seconds = cpu_seconds;
        block
    }

    #[test]
    fn figures_of_a_block() {
        let mut block = block("ten", "relay");
        block.usage.ingress_bytes = 1_000;
        block.usage.bus_bytes = 1_040;
        block.usage.broker_cpu_seconds = 0.05;
        block.load.kinds.get_mut(&Kind::Video).unwrap().latency.p99 = 7_500;
        let normal = block.load.kinds[&Kind::Audio];
        block.load.roles.insert("normal".into(), normal);
        let of = |figure: Figure| figure.of(&block).unwrap();
        assert_eq!(of(Figure::Cpu), 10.0);
        assert_eq!((of(Figure::P50), of(Figure::P99)), (0.4, 7.5));
        assert_eq!(of(Figure::EagerP99), 2.0);
        assert_eq!(of(Figure::Memory), 20.0);
        assert_eq!(of(Figure::JoinP99), 300.0);
        assert_eq!((of(Figure::BusBytes), of(Figure::Broker)), (1.04, 0.5));
        assert_eq!(of(Figure::Switches), 2.0);
        assert_eq!((of(Figure::AudioLoss), of(Figure::Loss)), (0.0, 0.0));
    }

    #[test]
    fn a_value_is_the_median_of_valid_blocks() {
        let mut busy = costing("relay", 9.0);
        busy.load.generator_cpu_seconds = 1e3;
        let run = run(vec![costing("relay", 0.2), busy, costing("relay", 0.4)]);
        let relay = Series::of(&run.blocks[0]);
        assert_eq!(value(&run, relay, Figure::Cpu), Value::Measured(15.0));
        assert_eq!(value(&run, relay.floor(), Figure::Cpu), Value::Missing);
        assert_eq!(
            value(&run, relay, Figure::BusBytes),
            Value::Invalid(Invalid::Generator)
        );
    }

    #[test]
    fn a_block_on_a_machine_that_was_taken_away_tells_costs_but_no_times() {
        let mut stolen = costing("relay", 0.2);
        stolen.steal = 0.5;
        let run = run(vec![stolen]);
        let relay = Series::of(&run.blocks[0]);
        assert_eq!(value(&run, relay, Figure::Cpu), Value::Measured(10.0));
        assert_eq!(
            value(&run, relay, Figure::P99),
            Value::Invalid(Invalid::Steal)
        );
    }

    #[test]
    fn only_valid_pairs_of_equal_work_are_compared() {
        let mut idle = costing("floor", 9.0);
        idle.load.kinds.clear();
        let mut busy = costing("floor", 9.0);
        busy.load.generator_cpu_seconds = 1e3;
        let run = run(vec![
            costing("relay", 0.2),
            costing("floor", 0.4),
            costing("relay", 0.2),
            idle,
            costing("relay", 0.2),
            busy,
        ]);
        let relay = Series::of(&run.blocks[0]);
        let ratio = compare(&run, relay, relay.floor(), Figure::Cpu).unwrap();
        assert_eq!(ratio.pairs, 1);
        assert!((ratio.median - 0.5).abs() < 1e-12);
        assert_eq!(
            compare(
                &run,
                relay.floor(),
                Series {
                    server: "peer",
                    ..relay
                },
                Figure::Cpu
            ),
            None
        );
    }

    #[test]
    fn capacity_is_the_last_step_that_was_kept_up_with() {
        let step = |receivers: u64, closed: u64| {
            let mut block = block("capacity", "relay");
            block.load.connections = receivers + 1;
            block.load.errors.closed = closed;
            block
        };
        let found = run(vec![
            step(100, 0),
            step(200, 1),
            step(200, 0),
            step(300, 1),
            step(300, 1),
        ]);
        let series = Series::of(&found.blocks[0]);
        let capacity_of =
            |run: &Run| capacity(run, series).map(|found| (found.receivers, found.at_least));
        assert_eq!(capacity_of(&found), Some((200, false)));
        assert_eq!(capacity_of(&run(vec![step(100, 0)])), Some((100, true)));
        assert_eq!(capacity_of(&run(vec![step(100, 1)])), None);
    }
}
