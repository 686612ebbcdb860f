//! PERFORMANCE.md: its tables from results, the text around them as it is. Pure.

use std::fmt::Write as _;

use serde::Deserialize;

use crate::figures::{self, Figure, Series, Value};
use crate::measure::{Block, Framing, Run, Transport};
use crate::scale;
use crate::stats::{Ratio, failures, validity};
use crate::targets::{Goal, TARGETS, Target};

/// Why a document can't be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// There is no place for a table.
    #[error(
        "the lines `<!-- begin: {0} -->` and `<!-- end: {0} -->` are not in the document in this order"
    )]
    NoMarkers(&'static str),
}

/// Figures that were measured elsewhere or earlier: `bench/reference.json`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct References {
    /// What they are.
    pub about: String,
    /// One by one.
    pub rows: Vec<Reference>,
}

/// One of them. Text, because some are ranges.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Reference {
    /// Under which scenario.
    pub scenario: String,
    /// Of which server.
    pub server: String,
    /// On WebSocket; empty if not measured.
    #[serde(default)]
    pub websocket: String,
    /// On WebTransport.
    #[serde(default)]
    pub webtransport: String,
}

/// `document` with every table made from `run`.
///
/// # Errors
/// [`RenderError`] if it has no place for one of them.
pub fn document(document: &str, run: &Run, references: &References) -> Result<String, RenderError> {
    let tables: [(&'static str, String); 10] = [
        ("machine", machine(run)),
        ("targets", targets(run)),
        ("scenarios", scenarios(run)),
        ("peers", peers(run)),
        ("control", control(run)),
        ("memory", memory(run)),
        ("capacity", capacity(run)),
        ("bus", bus(run)),
        ("scale", table(&scale::HEADER, scale::rows(run))),
        ("reference", reference(references)),
    ];
    tables
        .into_iter()
        .try_fold(document.to_owned(), |text, (name, table)| {
            replace(&text, name, &table)
        })
}

fn replace(document: &str, name: &'static str, table: &str) -> Result<String, RenderError> {
    let (begin, end) = (
        format!("<!-- begin: {name} -->"),
        format!("<!-- end: {name} -->"),
    );
    let parts = document.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&end)?;
        Some((before, after))
    });
    let (before, after) = parts.ok_or(RenderError::NoMarkers(name))?;
    Ok(format!("{before}{begin}\n{table}{end}{after}"))
}

/// A block in one line, for whoever waits for the run.
#[must_use]
pub fn line(block: &Block) -> String {
    let figure = |figure: Figure| {
        let value = figure.of(block);
        value.map_or_else(|| "-".into(), |value| with_unit(value, figure))
    };
    let mut line = format!(
        "  {} {} {} {}, {} connections: CPU {}, p99 {}, lost {}",
        block.scenario,
        transport(block.transport),
        block.server,
        framing(block.framing),
        block.load.connections,
        figure(Figure::Cpu),
        figure(Figure::P99),
        figure(Figure::Loss),
    );
    if failures(block) > 0 {
        let _ = write!(line, ", FAILED: {:?}", block.load.errors);
    }
    line
}

fn machine(run: &Run) -> String {
    let machine = &run.machine;
    let failed: u64 = run
        .blocks
        .iter()
        .filter(|block| !block.is_foreign())
        .map(failures)
        .sum();
    table(
        &[
            "commit",
            "kernel",
            "processor",
            "cores",
            "compiler",
            "blocks",
            "errors",
        ],
        [vec![
            machine.commit.chars().take(12).collect(),
            machine.kernel.clone(),
            machine.cpu.clone(),
            machine.cores.to_string(),
            machine.rustc.clone(),
            run.blocks.len().to_string(),
            failed.to_string(),
        ]],
    )
}

fn targets(run: &Run) -> String {
    let rows = TARGETS.iter().flat_map(|target| {
        target.framings.iter().map(|used| {
            let mut row = vec![target.label.to_owned(), framing(*used).to_owned()];
            row.extend(
                Transport::ALL
                    .iter()
                    .flat_map(|transport| cells(run, target, *used, *transport)),
            );
            row
        })
    });
    table(
        &[
            "",
            "framing",
            "target",
            "WebSocket",
            "to floor",
            "target",
            "WebTransport",
            "to floor",
        ],
        rows,
    )
}

/// Target, measured value with verdict, ratio to the floor.
fn cells(run: &Run, target: &Target, framing: Framing, transport: Transport) -> [String; 3] {
    let limit = match transport {
        Transport::WebSocket => target.websocket,
        Transport::WebTransport => target.webtransport,
    };
    let series = Series {
        scenario: target.scenario,
        server: target.server,
        transport,
        framing,
    };
    let verdict = |met: bool| if met { "met" } else { "**missed**" };
    let times = |other: Series<'_>, figure: Figure| {
        let ratio = figures::compare(run, series, other, figure);
        let measured = ratio.map_or_else(
            || "not measured".into(),
            |found| {
                let met = verdict(found.median <= limit);
                format!("{}, {met}", show_ratio(Some(found)))
            },
        );
        [format!("<= {}", number(limit)), measured, "-".into()]
    };
    match target.goal {
        Goal::AtMost(figure) => {
            let measured = match figures::value(run, series, figure) {
                Value::Measured(value) => {
                    format!("{}, {}", with_unit(value, figure), verdict(value <= limit))
                }
                other => show(other, figure),
            };
            let ratio = figures::compare(run, series, series.floor(), figure);
            [
                format!("<= {}", with_unit(limit, figure)),
                measured,
                show_ratio(ratio),
            ]
        }
        Goal::Capacity => {
            let receivers = |series| figures::capacity(run, series);
            let found = receivers(series);
            let measured = found.map_or_else(
                || nothing_held(run, series),
                |found| {
                    let met = found.receivers as f64 >= limit;
                    format!("{}, {}", show_capacity(&found), verdict(met))
                },
            );
            let ratio = found
                .zip(receivers(series.floor()))
                .map(|(ours, floor)| number(ours.receivers as f64 / floor.receivers as f64));
            [
                format!(">= {limit}"),
                measured,
                ratio.unwrap_or_else(|| "-".into()),
            ]
        }
        Goal::AtMostTimes(figure, scenario) => times(Series { scenario, ..series }, figure),
        Goal::AtMostOf(figure, server) if limit.is_finite() => {
            times(Series { server, ..series }, figure)
        }
        Goal::AtMostOf(..) => ["-"; 3].map(str::to_owned),
    }
}

fn scenarios(run: &Run) -> String {
    let shown = [Figure::P50, Figure::P99, Figure::Switches, Figure::Loss];
    let rows = all_series(run)
        .into_iter()
        // A bus delivers to processes, not to people: it has its place in another table.
        .filter(|series| series.scenario != "capacity" && !series.server.starts_with("nats-"))
        .map(|series| {
            let blocks: Vec<&Block> = series.blocks(run).collect();
            let valid = blocks
                .iter()
                .filter(|block| validity(block).is_ok())
                .count();
            let ratio = figures::compare(run, series, series.floor(), Figure::Cpu);
            let is_floor = series.server == "floor";
            let mut row = names(series);
            row.push(format!("{valid} of {}", blocks.len()));
            row.push(show(figures::value(run, series, Figure::Cpu), Figure::Cpu));
            row.push(if is_floor {
                "-".into()
            } else {
                show_ratio(ratio)
            });
            row.extend(shown.map(|figure| show(figures::value(run, series, figure), figure)));
            row
        });
    table(
        &[
            "scenario",
            "server",
            "framing",
            "transport",
            "valid blocks",
            "CPU per delivery",
            "to floor",
            "p50",
            "p99",
            "switches per delivery",
            "lost",
        ],
        rows,
    )
}

fn peers(run: &Run) -> String {
    let peers: Vec<Series<'_>> = all_series(run)
        .into_iter()
        .filter(|series| series.server == "peer" && series.scenario != "capacity")
        .collect();
    if peers.is_empty() {
        return "No peer took part in this run.\n".into();
    }
    let figures = [Figure::Cpu, Figure::P50, Figure::P99, Figure::Memory];
    let rows = peers.into_iter().map(|peer| {
        let relay = Series {
            server: "relay",
            ..peer
        };
        let errors: u64 = peer
            .blocks(run)
            .map(|block| block.load.errors.total())
            .sum();
        let mut row = vec![
            peer.scenario.to_owned(),
            transport(peer.transport).to_owned(),
        ];
        row.extend(figures.map(|figure| show_ratio(figures::compare(run, relay, peer, figure))));
        row.push(errors.to_string());
        row
    });
    table(
        &[
            "scenario",
            "transport",
            "CPU per delivery",
            "p50",
            "p99",
            "memory",
            "errors of the peer",
        ],
        rows,
    )
}

fn control(run: &Run) -> String {
    let rows = all_series(run)
        .into_iter()
        .filter(|series| series.server == "control")
        .map(|series| {
            let ratio = figures::compare(run, series, series.floor(), Figure::Cpu);
            let verdict = ratio.map_or("not measured", |ratio| {
                if ratio.contains_one() {
                    "contains 1: good"
                } else {
                    "**does not contain 1**: differences of this size in this run mean nothing"
                }
            });
            vec![
                series.scenario.to_owned(),
                transport(series.transport).to_owned(),
                show_ratio(ratio),
                verdict.to_owned(),
            ]
        });
    table(&["scenario", "transport", "floor to itself", ""], rows)
}

fn memory(run: &Run) -> String {
    let rows = all_series(run)
        .into_iter()
        .filter(|series| matches!(series.scenario, "idle" | "broadcast"))
        .map(|series| {
            let base: Vec<f64> = series
                .blocks(run)
                .map(|block| block.usage.idle_bytes as f64 / 1e6)
                .collect();
            let connections = series.blocks(run).map(|block| block.load.connections).max();
            let mut row = names(series);
            row.push(connections.unwrap_or(0).to_string());
            row.push(show(
                figures::value(run, series, Figure::Memory),
                Figure::Memory,
            ));
            row.push(
                crate::stats::median(&base)
                    .map_or_else(String::new, |base| format!("{} MB", number(base))),
            );
            row
        });
    table(
        &[
            "scenario",
            "server",
            "framing",
            "transport",
            "connections",
            "per connection",
            "process without any",
        ],
        rows,
    )
}

fn capacity(run: &Run) -> String {
    let rows = all_series(run)
        .into_iter()
        .filter(|series| series.scenario == "capacity")
        .map(|series| {
            let mut row = names(series).split_off(1);
            match figures::capacity(run, series) {
                Some(found) => {
                    row.push(show_capacity(&found));
                    row.extend([Figure::Cpu, Figure::P50, Figure::P99, Figure::Loss].map(
                        |figure| {
                            let value = figure.of(found.block);
                            value.map_or_else(|| "-".into(), |value| with_unit(value, figure))
                        },
                    ));
                }
                None => {
                    row.push(nothing_held(run, series));
                    row.extend(["-"; 4].map(str::to_owned));
                }
            }
            row
        });
    table(
        &[
            "server",
            "framing",
            "transport",
            "receivers",
            "CPU per delivery there",
            "p50",
            "p99",
            "lost",
        ],
        rows,
    )
}

fn bus(run: &Run) -> String {
    let rows = all_series(run)
        .into_iter()
        .filter_map(|series| Some((series.server.strip_prefix("services-")?, series)))
        .map(|(processes, series)| {
            let mut row = vec![processes.to_owned(), transport(series.transport).to_owned()];
            row.extend(
                [Figure::BusBytes, Figure::Cpu]
                    .map(|figure| show(figures::value(run, series, figure), figure)),
            );
            let shares: Vec<f64> = series
                .blocks(run)
                .filter(|block| block.usage.cpu_seconds > 0.0)
                .map(|block| 100.0 * block.usage.broker_cpu_seconds / block.usage.cpu_seconds)
                .collect();
            row.push(
                crate::stats::median(&shares)
                    .map_or_else(|| "-".into(), |share| format!("{} %", number(share))),
            );
            let figures = [Figure::Broker, Figure::P99];
            let alone = format!("nats-{processes}");
            // However clients reach the relays, the bus carries the same.
            let alone = all_series(run)
                .into_iter()
                .find(|series| series.server == alone);
            for figure in figures {
                row.push(show(figures::value(run, series, figure), figure));
                let alone =
                    alone.map_or(Value::Missing, |alone| figures::value(run, alone, figure));
                row.push(show(alone, figure));
            }
            row
        });
    table(
        &[
            "relay processes",
            "transport",
            "bus bytes per ingress byte",
            "CPU per delivery, all processes",
            "NATS's share of it",
            "NATS, of a core",
            "NATS alone",
            "p99",
            "p99, NATS alone",
        ],
        rows,
    )
}

fn reference(references: &References) -> String {
    let rows = references.rows.iter().map(|row| {
        vec![
            row.scenario.clone(),
            row.server.clone(),
            row.websocket.clone(),
            row.webtransport.clone(),
        ]
    });
    let table = table(&["scenario", "server", "WebSocket", "WebTransport"], rows);
    format!("{}\n\n{table}", references.about)
}

/// Every series once, in the order of the run.
fn all_series(run: &Run) -> Vec<Series<'_>> {
    let mut found = Vec::new();
    for series in run.blocks.iter().map(Series::of) {
        if !found.contains(&series) {
            found.push(series);
        }
    }
    found
}

fn names(series: Series<'_>) -> Vec<String> {
    [
        series.scenario,
        series.server,
        framing(series.framing),
        transport(series.transport),
    ]
    .map(str::to_owned)
    .into()
}

const fn framing(framing: Framing) -> &'static str {
    match framing {
        Framing::Stock => "stock",
        Framing::Native => "ours",
    }
}

pub(crate) const fn transport(transport: Transport) -> &'static str {
    match transport {
        Transport::WebSocket => "WebSocket",
        Transport::WebTransport => "WebTransport",
    }
}

fn show(value: Value, figure: Figure) -> String {
    match value {
        Value::Measured(value) => with_unit(value, figure),
        Value::Invalid(reason) => format!("discarded: {reason}"),
        Value::Missing => "not measured".into(),
    }
}

fn show_ratio(ratio: Option<Ratio>) -> String {
    ratio.map_or_else(
        || "-".into(),
        |ratio| format!("{:.2} [{:.2}, {:.2}]", ratio.median, ratio.low, ratio.high),
    )
}

fn show_capacity(capacity: &figures::Capacity<'_>) -> String {
    let more = if capacity.at_least { " or more" } else { "" };
    format!("{}{more}", capacity.receivers)
}

fn nothing_held(run: &Run, series: Series<'_>) -> String {
    let first = series.blocks(run).next();
    first.map_or_else(
        || "not measured".into(),
        |block| format!("below {}", block.load.connections.saturating_sub(1)),
    )
}

fn with_unit(value: f64, figure: Figure) -> String {
    format!("{}{}", number(value), figure.unit())
}

/// With about three digits: more are noise.
fn number(value: f64) -> String {
    match value {
        _ if value >= 100.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = format!(
        "| {} |\n|{}\n",
        header.join(" | "),
        "---|".repeat(header.len())
    );
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{block, run};

    fn line_with<'a>(table: &'a str, start: &str) -> &'a str {
        table.lines().find(|line| line.starts_with(start)).unwrap()
    }

    #[test]
    fn only_what_is_between_the_markers_changes() {
        let text = "a\n<!-- begin: bus -->\nold\n<!-- end: bus -->\nb\n";
        assert_eq!(
            replace(text, "bus", "| new |\n").unwrap(),
            "a\n<!-- begin: bus -->\n| new |\n<!-- end: bus -->\nb\n"
        );
        assert_eq!(
            replace(text, "memory", ""),
            Err(RenderError::NoMarkers("memory"))
        );
        let odd = "<!-- end: bus --> <!-- begin: bus -->";
        assert_eq!(replace(odd, "bus", ""), Err(RenderError::NoMarkers("bus")));
    }

    /// Markers of the real document, and doing it twice is the same as once.
    #[test]
    fn the_document_has_a_place_for_every_table() {
        let references: References =
            serde_json::from_str(include_str!("../reference.json")).unwrap();
        let run = run(vec![block("ten", "relay"), block("ten", "floor")]);
        let once = document(include_str!("../../PERFORMANCE.md"), &run, &references).unwrap();
        assert_eq!(document(&once, &run, &references).unwrap(), once);
        assert!(once.contains(&references.about));
    }

    #[test]
    fn targets_are_met_or_missed_and_never_hidden() {
        let mut dear = block("ten", "relay");
        dear.usage.cpu_seconds = 0.16;
        let run = run(vec![dear, block("ten", "floor")]);
        let table = targets(&run);
        assert_eq!(
            line_with(&table, "| ten: CPU per delivery | ours"),
            "| ten: CPU per delivery | ours | <= 9.00 us | 8.00 us, met | 0.80 [0.80, 0.80] | <= 11.0 us | not measured | - |"
        );
        assert!(line_with(&table, "| ten: CPU per delivery | stock").contains("not measured"));

        let dear = targets(&self::run(vec![block("ten", "relay")]));
        assert!(
            line_with(&dear, "| ten: CPU per delivery | ours")
                .contains("| 10.0 us, **missed** | - |")
        );
    }

    #[test]
    fn a_stolen_block_says_so() {
        let mut stolen = block("ten", "relay");
        stolen.steal = 0.2;
        let table = targets(&run(vec![stolen]));
        assert!(
            line_with(&table, "| ten: latency, p99 | ours")
                .contains("discarded: the machine was taken away")
        );
    }

    #[test]
    fn what_slow_receivers_do_to_others_is_a_ratio_of_two_scenarios() {
        let with_role = |scenario: &str, p99: u64| {
            let mut block = block(scenario, "relay");
            let mut role = block.load.kinds.values().next().copied().unwrap();
            role.latency.p99 = p99;
            block.load.roles.insert("normal".into(), role);
            block
        };
        let run = run(vec![with_role("slow", 2_060), with_role("twelve", 2_000)]);
        assert!(
            line_with(&targets(&run), "| others' p99")
                .contains("| <= 1.05 | 1.03 [1.03, 1.03], met | - |")
        );
    }

    #[test]
    fn the_relay_is_compared_with_another_where_that_is_measured() {
        let on_quic = |server: &str, cpu_seconds: f64| {
            let mut block = block("ten", server);
            block.transport = Transport::WebTransport;
            block.usage.cpu_seconds = cpu_seconds;
            block
        };
        let run = run(vec![on_quic("relay", 0.2), on_quic("moq", 0.16)]);
        let table = targets(&run);
        assert!(
            line_with(&table, "| ten, beside `moq-relay`")
                .ends_with("| ours | - | - | - | <= 1.00 | 1.25 [1.25, 1.25], **missed** | - |")
        );
        assert!(
            line_with(&table, "| broadcast, beside `moq-relay`")
                .ends_with("| <= 1.00 | not measured | - |")
        );
    }

    #[test]
    fn capacity_is_told_with_what_was_tried() {
        let step = |server: &str, receivers: u64, closed: u64| {
            let mut block = block("capacity", server);
            block.load.connections = receivers + 1;
            block.load.errors.closed = closed;
            block
        };
        let run = run(vec![
            step("relay", 1_500, 0),
            step("relay", 2_000, 1),
            step("floor", 1_000, 0),
            step("peer", 500, 1),
        ]);
        assert!(
            line_with(&targets(&run), "| broadcast capacity").starts_with(
                "| broadcast capacity, receivers | ours | >= 2000 | 1500, **missed** | 1.50 |"
            )
        );
        let table = capacity(&run);
        assert!(line_with(&table, "| relay").contains("| 1500 | 10.0 us |"));
        assert!(line_with(&table, "| floor").contains("| 1000 or more |"));
        assert!(line_with(&table, "| peer").contains("| below 500 | - |"));
    }

    #[test]
    fn the_control_tells_whether_the_run_can_be_trusted() {
        let mut odd = block("ten", "control");
        odd.usage.cpu_seconds = 0.3;
        let table = |control: Block| control_table(vec![control, block("ten", "floor")]);
        assert!(
            table(block("ten", "control")).contains("| 1.00 [1.00, 1.00] | contains 1: good |")
        );
        assert!(table(odd).contains("| 1.50 [1.50, 1.50] | **does not contain 1**"));
    }

    fn control_table(blocks: Vec<Block>) -> String {
        control(&run(blocks))
    }

    #[test]
    fn a_peer_is_compared_with_the_relay() {
        assert_eq!(peers(&run(vec![])), "No peer took part in this run.\n");
        let mut peer = block("ten", "peer");
        peer.usage.cpu_seconds = 0.4;
        peer.load.errors.closed = 3;
        let table = peers(&run(vec![block("ten", "relay"), peer]));
        assert!(
            line_with(&table, "| ten").starts_with("| ten | WebSocket | 0.50 [0.50, 0.50] | 1.00")
        );
        assert!(line_with(&table, "| ten").ends_with("| 3 |"));
    }

    #[test]
    fn the_bus_has_its_share() {
        let mut services = block("ten", "services-2");
        services.usage.broker_cpu_seconds = 0.05;
        services.usage.ingress_bytes = 100;
        services.usage.bus_bytes = 104;
        let mut over_quic = services.clone();
        over_quic.transport = Transport::WebTransport;
        let mut alone = block("ten", "nats-2");
        alone.usage.broker_cpu_seconds = 0.04;
        let run = run(vec![services, over_quic, alone]);
        let figures = "1.04 | 10.0 us | 25.0 % | 0.50 % | 0.40 % | 2.00 ms | 2.00 ms |";
        let table = bus(&run);
        for transport in ["WebSocket", "WebTransport"] {
            let start = format!("| 2 | {transport} | ");
            assert_eq!(line_with(&table, &start), format!("{start}{figures}"));
        }
        assert!(!scenarios(&run).contains("nats-2"));
    }

    #[test]
    fn a_bus_that_was_not_measured_alone_says_so() {
        let table = bus(&run(vec![block("ten", "services-4")]));
        assert!(line_with(&table, "| 4").ends_with("| 2.00 ms | not measured |"));
    }

    #[test]
    fn errors_are_seen_at_once() {
        let mut bad = block("ten", "relay");
        assert!(!line(&bad).contains("FAILED"));
        bad.load.errors.foreign = 1;
        assert!(line(&bad).contains("FAILED") && line(&bad).contains("foreign: 1"));
    }
}
