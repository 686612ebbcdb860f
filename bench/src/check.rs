//! Whether a run is good enough: `bench/bounds.json` beside results. Pure.

use serde::Deserialize;

use crate::figures::{self, Figure, Series};
use crate::measure::{Framing, Run, Transport};
use crate::stats::failures;

/// What CI accepts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Bounds {
    /// What they are and where their margin comes from.
    pub about: String,
    /// One by one.
    pub bounds: Vec<Bound>,
}

/// The most CPU time that the relay may take, in that of the floor.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Bound {
    /// Under which scenario.
    pub scenario: String,
    /// How clients reach it.
    pub transport: Transport,
    /// Relay to floor.
    pub ratio: f64,
}

/// Why a run is not good enough.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Complaint {
    /// A wrong packet was delivered, or a connection lost.
    #[error("{scenario}, {server}: {errors} errors")]
    Errors {
        /// Under which scenario.
        scenario: String,
        /// Which server.
        server: String,
        /// How many.
        errors: u64,
    },
    /// The relay has become dear.
    #[error(
        "{scenario}, {transport:?}: the relay takes {ratio:.2} times the floor's CPU time, {bound} are allowed"
    )]
    Dear {
        /// Under which scenario.
        scenario: String,
        /// How clients reached it.
        transport: Transport,
        /// Measured.
        ratio: f64,
        /// Allowed.
        bound: f64,
    },
    /// Nothing can be said, so nothing good.
    #[error("{scenario}, {transport:?}: no valid pair of blocks")]
    Unknown {
        /// Under which scenario.
        scenario: String,
        /// How clients reached it.
        transport: Transport,
    },
}

/// Everything that is wrong with `run`.
#[must_use]
pub fn complaints(run: &Run, bounds: &Bounds) -> Vec<Complaint> {
    let ratios = bounds.bounds.iter().filter_map(|bound| dear(run, bound));
    errors(run).into_iter().chain(ratios).collect()
}

/// Errors of our own servers. What a peer does wrong is told in its table.
#[must_use]
pub fn errors(run: &Run) -> Vec<Complaint> {
    run.blocks
        .iter()
        .filter(|block| !block.is_foreign() && failures(block) > 0)
        .map(|block| Complaint::Errors {
            scenario: block.scenario.clone(),
            server: block.server.clone(),
            errors: failures(block),
        })
        .collect()
}

fn dear(run: &Run, bound: &Bound) -> Option<Complaint> {
    let relay = Series {
        scenario: &bound.scenario,
        server: "relay",
        transport: bound.transport,
        framing: Framing::Native,
    };
    let (scenario, transport) = (bound.scenario.clone(), bound.transport);
    match figures::compare(run, relay, relay.floor(), Figure::Cpu) {
        None => Some(Complaint::Unknown {
            scenario,
            transport,
        }),
        Some(found) if found.median > bound.ratio => Some(Complaint::Dear {
            scenario,
            transport,
            ratio: found.median,
            bound: bound.ratio,
        }),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Block;
    use crate::plan::{self, Part};
    use crate::testing::block;

    fn bounds() -> Bounds {
        serde_json::from_str(include_str!("../bounds.json")).unwrap()
    }

    fn check(blocks: Vec<Block>) -> Vec<String> {
        let run = Run {
            blocks,
            ..Run::default()
        };
        let bounds = Bounds {
            about: String::new(),
            bounds: vec![Bound {
                scenario: "ten".into(),
                transport: Transport::WebSocket,
                ratio: 1.5,
            }],
        };
        complaints(&run, &bounds)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn costing(cpu_seconds: f64) -> Block {
        let mut block = block("ten", "relay");
        block.usage.cpu_seconds = cpu_seconds;
        block
    }

    #[test]
    fn a_relay_within_its_bound_is_good() {
        assert!(check(vec![costing(0.29), block("ten", "floor")]).is_empty());
    }

    #[test]
    fn a_dear_relay_is_not() {
        assert_eq!(
            check(vec![costing(0.32), block("ten", "floor")]),
            ["ten, WebSocket: the relay takes 1.60 times the floor's CPU time, 1.5 are allowed"]
        );
    }

    #[test]
    fn nothing_measured_is_not_good() {
        assert_eq!(
            check(vec![costing(0.2)]),
            ["ten, WebSocket: no valid pair of blocks"]
        );
    }

    #[test]
    fn errors_of_our_own_servers_are_never_good() {
        let mut wrong = costing(0.2);
        wrong.load.errors.foreign = 2;
        let mut peer = block("ten", "peer");
        peer.load.errors.foreign = 2;
        assert_eq!(
            check(vec![wrong, peer, block("ten", "floor")]),
            ["ten, relay: 2 errors"]
        );
    }

    #[test]
    fn the_quick_plan_measures_what_is_bounded_and_nothing_else() {
        let mut measured = Vec::new();
        for part in plan::quick() {
            if let Part::Group(group) = part {
                let subject = group.subjects.first().unwrap();
                measured.push((subject.scenario.name.to_owned(), subject.transport));
            }
        }
        let bounds = bounds().bounds.into_iter();
        let mut bounded: Vec<_> = bounds
            .map(|bound| (bound.scenario, bound.transport))
            .collect();
        measured.sort();
        bounded.sort();
        assert_eq!(measured, bounded);
    }
}
