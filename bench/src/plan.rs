//! What a run of the suite consists of, as data.

use std::time::Duration;

use crate::load::Span;
use crate::measure::{Framing, Transport};
use crate::scenario::{self, Scenario};
use crate::server::Kind;

/// Time that starting a server, connecting and stopping take beyond the ramp.
const OVERHEAD: Duration = Duration::from_millis(1_500);

/// One server under one scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// What is measured.
    pub kind: Kind,
    /// How clients reach it.
    pub transport: Transport,
    /// How packets lie on the connection.
    pub framing: Framing,
    /// What clients do.
    pub scenario: Scenario,
}

/// Servers that take turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// In the order of the first turn.
    pub subjects: Vec<Subject>,
    /// How often all have two turns, once in this order and once backwards: A B B A. What drifts with time then weighs
    /// on all the same.
    pub cycles: u32,
    /// Time of each turn.
    pub span: Span,
    /// Whether server and generator each have a core of their own.
    pub pinned: bool,
}

impl Group {
    /// The turns.
    pub fn blocks(&self) -> impl Iterator<Item = &Subject> {
        (0..self.cycles).flat_map(|_| self.subjects.iter().chain(self.subjects.iter().rev()))
    }
}

/// More and more receivers, until the server can't keep up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ramp {
    /// What is measured.
    pub kind: Kind,
    /// How clients reach it.
    pub transport: Transport,
    /// How packets lie on the connection.
    pub framing: Framing,
    /// Receivers of each step.
    pub steps: &'static [usize],
    /// Whether to measure then at half of what it can and at half more than that.
    pub around: bool,
}

impl Ramp {
    /// Broadcasting to so many.
    #[must_use]
    pub fn step(&self, receivers: usize) -> Subject {
        self.broadcast("capacity", receivers, self.kind)
    }

    /// What to measure once the capacity is known: latency at half of it, beside the floor's, and loss at 150 %.
    #[must_use]
    pub fn around(&self, capacity: usize) -> [Group; 2] {
        let half = [self.kind, Kind::Floor].map(|kind| self.broadcast("half", capacity / 2, kind));
        let over = self.broadcast("overload", capacity * 3 / 2, self.kind);
        [half.to_vec(), vec![over]].map(|subjects| Group {
            subjects,
            cycles: 1,
            span: STEP,
            pinned: false,
        })
    }

    fn broadcast(&self, name: &'static str, receivers: usize, kind: Kind) -> Subject {
        Subject {
            kind,
            transport: self.transport,
            framing: self.framing,
            scenario: Scenario {
                name,
                ..scenario::broadcast_to(receivers)
            },
        }
    }
}

/// One part of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Servers that take turns.
    Group(Group),
    /// A search for the capacity.
    Ramp(Ramp),
}

const STEP: Span = span(1_000, 6_000);
const STEPS_WEBSOCKET: &[usize] = &[750, 1_000, 1_300, 1_600, 2_000, 2_500, 3_000];
const STEPS_WEBTRANSPORT: &[usize] = &[300, 450, 650, 850, 1_000, 1_250, 1_500];

const fn span(warm_up: u64, measured: u64) -> Span {
    Span {
        warm_up: Duration::from_millis(warm_up),
        measured: Duration::from_millis(measured),
    }
}

/// What CI can afford: the relay beside the floors.
#[must_use]
pub fn quick() -> Vec<Part> {
    let mut parts = Vec::new();
    for scenario in [scenario::TEN, scenario::BROADCAST, scenario::ROOMS] {
        for transport in Transport::ALL {
            let subjects = [Kind::Relay, Kind::Floor];
            parts.push(group(
                &subjects.map(|kind| (kind, Framing::Native)),
                transport,
                &scenario,
                (1, span(1_000, 4_000)),
            ));
        }
    }
    parts
}

/// Everything that PERFORMANCE.md tells. `has_peer` says with which transports there is a peer.
#[must_use]
pub fn full(has_peer: impl Fn(Transport) -> bool) -> Vec<Part> {
    let mut parts = Vec::new();
    for transport in Transport::ALL {
        parts.extend(costs(transport, has_peer(transport)));
        parts.extend(ours(transport));
    }
    // Last, because a server that is pushed over its limit disturbs whatever runs beside the suite.
    for transport in Transport::ALL {
        parts.extend(capacity(transport, has_peer(transport)));
    }
    parts
}

/// CPU time and latency in the scenarios that everybody is compared in.
fn costs(transport: Transport, has_peer: bool) -> Vec<Part> {
    let fixed = (2, span(1_000, 6_000));
    let mut servers = vec![
        (Kind::Relay, Framing::Native),
        (Kind::Relay, Framing::Stock),
        (Kind::Floor, Framing::Native),
    ];
    if has_peer {
        servers.push((Kind::Peer, Framing::Stock));
    }
    let mut parts = Vec::new();
    for scenario in [
        scenario::DUO,
        scenario::TEN,
        scenario::BROADCAST,
        scenario::ROOMS,
    ] {
        let mut servers = servers.clone();
        if scenario == scenario::TEN {
            servers.push((Kind::Control, Framing::Native));
        }
        if transport == Transport::WebTransport
            && [scenario::TEN, scenario::BROADCAST].contains(&scenario)
        {
            servers.push((Kind::Moq, Framing::Native));
        }
        parts.push(group(&servers, transport, &scenario, fixed));
    }
    let fewer = [Kind::Relay, Kind::Floor].map(|kind| (kind, Framing::Native));
    parts.push(group(&fewer, transport, &scenario::AUDIO, (1, fixed.1)));
    parts
}

/// What is measured of the relay, beside the floor where the floor can do it.
fn ours(transport: Transport) -> Vec<Part> {
    let relay = |scenario: Scenario| Subject {
        kind: Kind::Relay,
        transport,
        framing: Framing::Native,
        scenario,
    };
    let servers = [Kind::Relay, Kind::Floor].map(|kind| (kind, Framing::Native));
    let mut several = vec![Kind::Services(2), Kind::Services(4)];
    // However clients reach the relays, the bus carries the same.
    if transport == Transport::WebSocket {
        several.extend([Kind::Bus(2), Kind::Bus(4)]);
    }
    let several: Vec<_> = several
        .into_iter()
        .map(|kind| (kind, Framing::Native))
        .collect();
    vec![
        Part::Group(Group {
            subjects: vec![relay(scenario::SLOW), relay(scenario::TWELVE)],
            cycles: 2,
            span: span(1_000, 6_000),
            pinned: true,
        }),
        group(&servers, transport, &scenario::IDLE, (1, span(500, 2_000))),
        group(
            &servers[..1],
            transport,
            &scenario::JOINS,
            (1, span(500, 2_000)),
        ),
        group(&several, transport, &scenario::TEN, (1, span(1_000, 6_000))),
    ]
}

fn capacity(transport: Transport, has_peer: bool) -> Vec<Part> {
    let steps = match transport {
        Transport::WebSocket => STEPS_WEBSOCKET,
        Transport::WebTransport => STEPS_WEBTRANSPORT,
    };
    let ramp = |kind, framing| {
        Part::Ramp(Ramp {
            kind,
            transport,
            framing,
            steps,
            around: kind == Kind::Relay,
        })
    };
    let mut parts = vec![
        ramp(Kind::Relay, Framing::Native),
        ramp(Kind::Floor, Framing::Native),
    ];
    if has_peer {
        parts.push(ramp(Kind::Peer, Framing::Stock));
    }
    parts
}

fn group(
    servers: &[(Kind, Framing)],
    transport: Transport,
    scenario: &Scenario,
    (cycles, span): (u32, Span),
) -> Part {
    let subjects = servers.iter().map(|(kind, framing)| Subject {
        kind: *kind,
        transport,
        framing: *framing,
        scenario: scenario.clone(),
    });
    Part::Group(Group {
        subjects: subjects.collect(),
        cycles,
        span,
        pinned: true,
    })
}

/// Only the parts that have to do with one of these scenarios or servers; all if none is named.
#[must_use]
pub fn only(parts: Vec<Part>, names: &[String]) -> Vec<Part> {
    let is_named = |name: &str| names.iter().any(|wanted| wanted == name);
    let wanted = |part: &Part| match part {
        Part::Group(group) => group
            .subjects
            .iter()
            .any(|subject| is_named(subject.scenario.name) || is_named(&subject.kind.name())),
        Part::Ramp(_) => is_named("capacity"),
    };
    parts
        .into_iter()
        .filter(|part| names.is_empty() || wanted(part))
        .collect()
}

/// How long it takes at most if no block has to be repeated.
#[must_use]
pub fn duration(parts: &[Part]) -> Duration {
    parts.iter().map(part_duration).sum()
}

fn part_duration(part: &Part) -> Duration {
    let block = |subject: &Subject, span: Span| {
        subject.scenario.ramp + span.warm_up + span.measured + OVERHEAD
    };
    let group_duration = |group: &Group| -> Duration {
        group
            .blocks()
            .map(|subject| block(subject, group.span))
            .sum()
    };
    match part {
        Part::Group(group) => group_duration(group),
        Part::Ramp(ramp) => {
            let steps = ramp
                .steps
                .iter()
                .map(|receivers| block(&ramp.step(*receivers), STEP));
            let most = ramp.steps.last().copied().unwrap_or(0);
            let around = ramp.around.then(|| ramp.around(most));
            steps.sum::<Duration>()
                + around
                    .iter()
                    .flatten()
                    .map(group_duration)
                    .sum::<Duration>()
        }
    }
}

impl Ramp {
    /// How long each step takes.
    #[must_use]
    pub const fn span(&self) -> Span {
        STEP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(parts: &[Part]) -> f64 {
        duration(parts).as_secs_f64() / 60.0
    }

    #[test]
    fn runs_end_in_time() {
        assert!(minutes(&quick()) < 3.5, "{}", minutes(&quick()));
        let full = minutes(&full(|_| false));
        assert!(full < 37.0, "{full}");
    }

    #[test]
    fn the_bus_is_measured_beside_relays_that_use_it() {
        let kinds = |part: &Part| match part {
            Part::Group(group) => group.subjects.iter().map(|subject| subject.kind).collect(),
            Part::Ramp(_) => Vec::new(),
        };
        let full = full(|_| false);
        let with_bus: Vec<Vec<Kind>> = full
            .iter()
            .map(kinds)
            .filter(|kinds| kinds.iter().any(|kind| matches!(kind, Kind::Bus(_))))
            .collect();
        let several = [
            Kind::Services(2),
            Kind::Services(4),
            Kind::Bus(2),
            Kind::Bus(4),
        ];
        assert_eq!(with_bus, [several]);
    }

    #[test]
    fn servers_take_turns() {
        let quick = quick();
        let Part::Group(group) = &quick[0] else {
            panic!("{quick:?}")
        };
        let kinds: Vec<Kind> = group.blocks().map(|subject| subject.kind).collect();
        assert_eq!(kinds, [Kind::Relay, Kind::Floor, Kind::Floor, Kind::Relay]);
    }

    #[test]
    fn a_peer_takes_part_where_there_is_one() {
        let peers = |parts: &[Part]| {
            parts
                .iter()
                .filter(|part| match part {
                    Part::Group(group) => group
                        .subjects
                        .iter()
                        .any(|subject| subject.kind == Kind::Peer),
                    Part::Ramp(ramp) => ramp.kind == Kind::Peer,
                })
                .count()
        };
        assert_eq!(peers(&full(|_| false)), 0);
        assert_eq!(
            peers(&full(|transport| transport == Transport::WebSocket)),
            5
        );
    }

    #[test]
    fn parts_are_chosen_by_scenario_or_server() {
        let names = ["ten".to_owned(), "capacity".to_owned()];
        // Per transport: everybody, several processes; relay and floor.
        assert_eq!(only(full(|_| false), &names).len(), 2 * (2 + 2));
        assert_eq!(only(full(|_| false), &["nats-2".to_owned()]).len(), 1);
        assert_eq!(only(quick(), &[]), quick());
    }

    #[test]
    fn the_load_around_the_capacity_follows_from_it() {
        let ramp = Ramp {
            kind: Kind::Relay,
            transport: Transport::WebSocket,
            framing: Framing::Native,
            steps: &[],
            around: true,
        };
        let loads = ramp.around(1_000).map(|group| {
            let first = group.subjects.first().unwrap().scenario.clone();
            (first.name, first.listeners, group.subjects.len())
        });
        assert_eq!(loads, [("half", 500, 2), ("overload", 1_500, 1)]);
    }
}
