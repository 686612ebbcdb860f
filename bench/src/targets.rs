//! What the relay is to reach, as data.

use crate::figures::Figure;
use crate::measure::Framing;

/// What a target is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// A figure is at most this.
    AtMost(Figure),
    /// So many receivers of a broadcast.
    Capacity,
    /// A figure is at most this times that of the same server under another scenario.
    AtMostTimes(Figure, &'static str),
    /// A figure is at most this times that of another server, with WebTransport.
    AtMostOf(Figure, &'static str),
}

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// For people.
    pub label: &'static str,
    /// Under which scenario.
    pub scenario: &'static str,
    /// Of which server.
    pub server: &'static str,
    /// What is measured.
    pub goal: Goal,
    /// With which framings it is measured: ours, and the public generation's where others are compared with it.
    pub framings: &'static [Framing],
    /// On WebSocket; infinite where it is not measured.
    pub websocket: f64,
    /// On WebTransport.
    pub webtransport: f64,
}

const BOTH: &[Framing] = &[Framing::Stock, Framing::Native];
const OURS: &[Framing] = &[Framing::Native];

const fn at_most(
    label: &'static str,
    scenario: &'static str,
    figure: Figure,
    framings: &'static [Framing],
    (websocket, webtransport): (f64, f64),
) -> Target {
    Target {
        label,
        scenario,
        server: "relay",
        goal: Goal::AtMost(figure),
        framings,
        websocket,
        webtransport,
    }
}

const fn beside_moq(label: &'static str, scenario: &'static str) -> Target {
    Target {
        goal: Goal::AtMostOf(Figure::Cpu, "moq"),
        ..at_most(label, scenario, Figure::Cpu, OURS, (f64::INFINITY, 1.0))
    }
}

/// All of them.
pub const TARGETS: [Target; 16] = [
    at_most(
        "duo: CPU per delivery",
        "duo",
        Figure::Cpu,
        BOTH,
        (200.0, 200.0),
    ),
    at_most("duo: latency, median", "duo", Figure::P50, BOTH, (0.5, 0.5)),
    at_most(
        "ten: CPU per delivery",
        "ten",
        Figure::Cpu,
        BOTH,
        (9.0, 11.0),
    ),
    at_most("ten: latency, p99", "ten", Figure::P99, BOTH, (3.0, 3.0)),
    at_most(
        "broadcast: CPU per delivery",
        "broadcast",
        Figure::Cpu,
        BOTH,
        (9.0, 12.0),
    ),
    at_most(
        "rooms: CPU per delivery",
        "rooms",
        Figure::Cpu,
        BOTH,
        (8.0, 11.0),
    ),
    Target {
        goal: Goal::Capacity,
        ..at_most(
            "broadcast capacity, receivers",
            "capacity",
            Figure::Loss,
            OURS,
            (2_000.0, 1_000.0),
        )
    },
    at_most(
        "broadcast: memory per connection",
        "broadcast",
        Figure::Memory,
        BOTH,
        (25.0, 60.0),
    ),
    at_most(
        "idle: memory per connection",
        "idle",
        Figure::Memory,
        OURS,
        (25.0, 60.0),
    ),
    at_most(
        "half of capacity: latency, p99",
        "half",
        Figure::P99,
        OURS,
        (5.0, 5.0),
    ),
    Target {
        goal: Goal::AtMostTimes(Figure::EagerP99, "twelve"),
        ..at_most(
            "others' p99 beside a slow and a stalled receiver, to p99 without",
            "slow",
            Figure::EagerP99,
            OURS,
            (1.05, 1.05),
        )
    },
    Target {
        server: "services-2",
        ..at_most(
            "2 processes: bus bytes per ingress byte",
            "ten",
            Figure::BusBytes,
            OURS,
            (1.05, 1.05),
        )
    },
    at_most(
        "500 joins in 5 s: time to join, p99",
        "joins",
        Figure::JoinP99,
        OURS,
        (1_000.0, 1_500.0),
    ),
    at_most(
        "150 % of capacity: lost audio",
        "overload",
        Figure::AudioLoss,
        OURS,
        (0.1, 0.1),
    ),
    beside_moq(
        "ten, beside `moq-relay`, same shape: CPU per delivery, relay to it",
        "ten",
    ),
    beside_moq(
        "broadcast, beside `moq-relay`, same shape: CPU per delivery, relay to it",
        "broadcast",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Transport;
    use crate::plan::{self, Part};

    /// A target that nothing measures would stay blank for ever.
    #[test]
    fn every_target_is_in_the_plan() {
        let mut measured = Vec::new();
        for part in plan::full(|_| false) {
            let subjects = match part {
                Part::Group(group) => group.subjects,
                Part::Ramp(ramp) => {
                    let around = ramp
                        .around(1_000)
                        .into_iter()
                        .flat_map(|group| group.subjects);
                    around.chain([ramp.step(1_000)]).collect()
                }
            };
            measured.extend(subjects.into_iter().map(|subject| {
                (
                    subject.scenario.name,
                    subject.kind.name(),
                    subject.framing,
                    subject.transport,
                )
            }));
        }
        for target in TARGETS {
            for framing in target.framings {
                for transport in [Transport::WebSocket, Transport::WebTransport] {
                    let wanted = (
                        target.scenario,
                        target.server.to_owned(),
                        *framing,
                        transport,
                    );
                    assert!(measured.contains(&wanted), "{wanted:?}");
                }
                if let Goal::AtMostOf(_, server) = target.goal {
                    let other = (
                        target.scenario,
                        server.to_owned(),
                        *framing,
                        Transport::WebTransport,
                    );
                    assert!(measured.contains(&other), "{other:?}");
                }
            }
        }
    }
}
