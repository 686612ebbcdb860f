//! Results that no server had to be started for.

use std::collections::BTreeMap;

use crate::measure::{
    Block, Errors, Framing, Kind, KindReport, LoadReport, Quantiles, Run, Transport, Usage,
};

/// Ten seconds over WebSocket in our framing, in which 20,000 packets cost 10 us each and nothing went wrong.
pub(crate) fn block(scenario: &str, server: &str) -> Block {
    let kind = KindReport {
        expected: 10_000,
        delivered: 10_000,
        latency: Quantiles {
            count: 10_000,
            p50: 400,
            p90: 700,
            p99: 2_000,
            p999: 4_000,
            max: 9_000,
        },
    };
    Block {
        scenario: scenario.into(),
        server: server.into(),
        transport: Transport::WebSocket,
        framing: Framing::Native,
        order: 0,
        pinned: true,
        load: LoadReport {
            seconds: 10.0,
            connections: 10,
            sent: 2_000,
            delivered_bytes: 20_000_000,
            kinds: BTreeMap::from([(Kind::Video, kind), (Kind::Audio, kind)]),
            roles: BTreeMap::new(),
            join: Quantiles {
                p99: 300_000,
                ..Quantiles::default()
            },
            pacing: Quantiles::default(),
            errors: Errors::default(),
            generator_cpu_seconds: 2.0,
        },
        usage: Usage {
            cpu_seconds: 0.2,
            broker_cpu_seconds: 0.0,
            context_switches: 40_000,
            idle_bytes: 10_000_000,
            loaded_bytes: 10_200_000,
            ingress_bytes: 0,
            bus_bytes: 0,
        },
        steal: 0.0,
    }
}

/// A run of these blocks.
pub(crate) fn run(blocks: Vec<Block>) -> Run {
    Run {
        blocks,
        ..Run::default()
    }
}
