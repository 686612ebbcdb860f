//! How many machines a deployment of some size takes, from what a run measured: a sheet of a few lines, and a simulation
//! that the two formulas in it which are not plain multiplication are tested against.

use crate::figures::{self, Figure, Series, Value};
use crate::measure::{Framing, Run, Transport};
use crate::render;
use crate::scenario::Pace;

/// What a relay may use of one machine: 70 % of 8 cores, of 10 Gbit/s and of 16 GB.
const MACHINE: Machine = Machine {
    cores: 0.7 * 8.0,
    egress_mbit: 0.7 * 10_000.0,
    memory_mb: 0.7 * 16_000.0,
};

/// A tile of a full grid: 150 kbit/s.
const TILE: Pace = Pace {
    per_second: 15,
    bytes: 1_250,
};
/// A camera in a small meeting: 600 kbit/s.
const CAMERA: Pace = Pace {
    per_second: 30,
    bytes: 2_500,
};
/// Opus at 40 kbit/s.
const VOICE: Pace = Pace {
    per_second: 50,
    bytes: 100,
};

/// What one participant gets in a large meeting: 25 tiles and 3 voices.
const GRID: [(u32, Pace); 2] = [(25, TILE), (3, VOICE)];

/// Deployments whose size is computed.
const DEPLOYMENTS: [Deployment; 3] = [
    Deployment {
        label: "1,000 in one meeting",
        meetings: &[(1, Meeting::grid(1_000))],
    },
    Deployment {
        label: "10,000 meetings of 6",
        meetings: &[(10_000, Meeting::small(6))],
    },
    // People by the size of their meeting, in thousands: 300 in twos, 400 in sixes, 200 in twenties, 100 in hundreds.
    Deployment {
        label: "a million people",
        meetings: &[
            (150_000, Meeting::small(2)),
            (66_667, Meeting::small(6)),
            (10_000, Meeting::small(20)),
            (1_000, Meeting::grid(100)),
        ],
    },
];

struct Machine {
    cores: f64,
    egress_mbit: f64,
    memory_mb: f64,
}

struct Deployment {
    label: &'static str,
    /// How many meetings of which shape.
    meetings: &'static [(u32, Meeting)],
}

/// Meetings of one shape: everybody gets the same.
struct Meeting {
    people: u32,
    /// How many tracks of which pace each participant gets.
    tracks: [(u32, Pace); 2],
    /// Tracks of the same paces that are published.
    published: [u32; 2],
}

impl Meeting {
    const fn small(people: u32) -> Self {
        let pace = if people > 6 { TILE } else { CAMERA };
        let voices = if people > 4 { 3 } else { people - 1 };
        Self {
            people,
            tracks: [(people - 1, pace), (voices, VOICE)],
            published: [people, if people > 3 { 3 } else { people }],
        }
    }

    const fn grid(people: u32) -> Self {
        Self {
            people,
            tracks: GRID,
            published: [25, 3],
        }
    }

    /// Deliveries per second to one participant.
    fn deliveries(&self) -> f64 {
        self.tracks
            .iter()
            .map(|(tracks, pace)| f64::from(tracks * pace.per_second))
            .sum()
    }

    /// Mbit per second to one participant.
    fn egress_mbit(&self) -> f64 {
        self.tracks
            .iter()
            .map(|(tracks, pace)| f64::from(*tracks) * mbit(*pace))
            .sum()
    }

    /// Mbit per second that all participants together send.
    fn published_mbit(&self) -> f64 {
        self.tracks
            .iter()
            .zip(self.published)
            .map(|((_, pace), tracks)| f64::from(tracks) * mbit(*pace))
            .sum()
    }
}

fn mbit(pace: Pace) -> f64 {
    f64::from(pace.per_second) * pace.bytes as f64 * 8.0 / 1e6
}

/// What a run says of one transport.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Costs {
    /// CPU microseconds per delivery: the dearest of the scenarios `ten`, `rooms` and `broadcast`.
    delivery_us: f64,
    /// Memory per connection in units of 1000 bytes, in `broadcast`.
    memory_kb: f64,
}

impl Costs {
    fn measured(run: &Run, transport: Transport) -> Option<Self> {
        let measured = |scenario, figure| {
            let series = Series {
                scenario,
                server: "relay",
                transport,
                framing: Framing::Native,
            };
            match figures::value(run, series, figure) {
                Value::Measured(value) => Some(value),
                Value::Invalid(_) | Value::Missing => None,
            }
        };
        Some(Self {
            delivery_us: ["ten", "rooms", "broadcast"]
                .into_iter()
                .filter_map(|scenario| measured(scenario, Figure::Cpu))
                .reduce(f64::max)?,
            memory_kb: measured("broadcast", Figure::Memory)?,
        })
    }
}

/// How many machines something takes, and for want of what.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Need {
    machines: f64,
    limit: &'static str,
}

/// What `deployment` needs if every participant costs `costs`.
fn need(deployment: &Deployment, costs: Costs) -> Need {
    let total = |per_person: &dyn Fn(&Meeting) -> f64| -> f64 {
        deployment
            .meetings
            .iter()
            .map(|(meetings, meeting)| {
                f64::from(*meetings) * f64::from(meeting.people) * per_person(meeting)
            })
            .sum()
    };
    let cores = total(&|meeting| meeting.deliveries() * costs.delivery_us / 1e6);
    let limits = [
        ("CPU", cores / MACHINE.cores),
        (
            "network",
            total(&Meeting::egress_mbit) / MACHINE.egress_mbit,
        ),
        (
            "memory",
            total(&|_| costs.memory_kb / 1e3) / MACHINE.memory_mb,
        ),
    ];
    let most = limits.into_iter().fold(
        ("CPU", 0.0),
        |most, limit| {
            if limit.1 > most.1 { limit } else { most }
        },
    );
    Need {
        machines: most.1.ceil(),
        limit: most.0,
    }
}

/// Over how many of `relays` a meeting of `people` spreads if each participant comes to any of them: those that are not
/// missed by everybody.
fn spread(people: u32, relays: f64) -> f64 {
    relays * (1.0 - (1.0 - 1.0 / relays).powf(f64::from(people)))
}

/// The share of meetings of `people` that are on one of `relays` only.
fn alone(people: u32, relays: f64) -> f64 {
    relays.powf(1.0 - f64::from(people))
}

/// Gbit per second that NATS takes in and hands out when participants come to any of `relays`. A meeting publishes once
/// what it says wherever it is on more than one relay, and each other relay gets a copy.
fn bus_gbit(deployment: &Deployment, relays: f64) -> (f64, f64) {
    let mut sum = (0.0, 0.0);
    for (meetings, meeting) in deployment.meetings {
        let published = f64::from(*meetings) * meeting.published_mbit() / 1e3;
        sum.0 += published * (1.0 - alone(meeting.people, relays));
        sum.1 += published * (spread(meeting.people, relays) - 1.0);
    }
    sum
}

/// One row per deployment and transport; see [`HEADER`].
pub(crate) fn rows(run: &Run) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for transport in Transport::ALL {
        let Some(costs) = Costs::measured(run, transport) else {
            continue;
        };
        for deployment in &DEPLOYMENTS {
            let need = need(deployment, costs);
            let (taken, handed_out) = bus_gbit(deployment, need.machines);
            let people: u32 = deployment
                .meetings
                .iter()
                .map(|(meetings, meeting)| meetings * meeting.people)
                .sum();
            rows.push(vec![
                deployment.label.to_owned(),
                render::transport(transport).to_owned(),
                format!("{:.0}", need.machines),
                need.limit.to_owned(),
                format!("{:.0}", f64::from(people) / need.machines),
                format!("{taken:.1} Gbit/s"),
                format!("{handed_out:.1} Gbit/s"),
            ]);
        }
    }
    rows
}

/// Of the table that [`rows`] make.
pub(crate) const HEADER: [&str; 7] = [
    "deployment",
    "transport",
    "machines",
    "limited by",
    "people per machine",
    "into NATS",
    "out of NATS",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::rngs::StdRng;
    use rand::{Rng as _, SeedableRng as _};

    use super::*;

    const COSTS: Costs = Costs {
        delivery_us: 10.0,
        memory_kb: 100.0,
    };

    #[test]
    fn meetings_spread_as_simulated_ones_do() {
        let mut rng = StdRng::seed_from_u64(1);
        for (people, relays) in [(2, 2), (6, 3), (6, 40), (20, 40), (100, 12), (1_000, 5)] {
            let (mut hosts, mut on_one) = (0, 0);
            let meetings = 20_000;
            for _ in 0..meetings {
                let used: BTreeSet<u32> =
                    (0..people).map(|_| rng.random_range(0..relays)).collect();
                hosts += used.len();
                on_one += usize::from(used.len() == 1);
            }
            let simulated = hosts as f64 / f64::from(meetings);
            let formula = spread(people, f64::from(relays));
            assert!(
                (simulated / formula - 1.0).abs() < 0.01,
                "{people} on {relays}: {simulated}, {formula}"
            );
            let simulated = on_one as f64 / f64::from(meetings);
            let formula = alone(people, f64::from(relays));
            assert!((simulated - formula).abs() < 0.01, "{simulated}, {formula}");
        }
    }

    #[test]
    fn the_scarcest_thing_decides() {
        let of = |meetings| Deployment {
            label: "",
            meetings,
        };
        // 28 tiles and voices: 525 deliveries and 3.87 Mbit per second and person.
        let grid = of(const { &[(1, Meeting::grid(1_000))] });
        let found = need(&grid, COSTS);
        assert_eq!((found.machines, found.limit), (1.0, "CPU"));
        let cheap = Costs {
            delivery_us: 0.1,
            ..COSTS
        };
        let many = of(const { &[(10, Meeting::grid(1_000))] });
        let found = need(&many, cheap);
        assert_eq!((found.machines, found.limit), (6.0, "network"));
        let huge = Costs {
            memory_kb: 1e6,
            ..cheap
        };
        assert_eq!(need(&grid, huge).limit, "memory");
    }

    #[test]
    fn a_bus_between_two_relays_carries_what_both_need() {
        let duo = Deployment {
            label: "",
            meetings: const { &[(1_000, Meeting::small(2))] },
        };
        // Two cameras and two voices, 1.28 Mbit/s; half of the meetings are on both relays, with one copy each.
        let (taken, handed_out) = bus_gbit(&duo, 2.0);
        assert!((taken - 0.64).abs() < 1e-9, "{taken}");
        assert!((handed_out - 0.64).abs() < 1e-9, "{handed_out}");
        assert_eq!(bus_gbit(&duo, 1.0), (0.0, 0.0));
    }

    #[test]
    fn a_run_without_the_scenarios_has_no_rows() {
        assert!(rows(&Run::default()).is_empty());
    }
}
