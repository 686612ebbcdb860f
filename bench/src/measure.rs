//! What a run yields: plain data that is kept as JSON, so that every table can be made again from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How clients reach a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// WebSocket over TCP, without TLS.
    WebSocket,
    /// WebTransport over QUIC.
    WebTransport,
}

impl Transport {
    /// Both.
    pub const ALL: [Self; 2] = [Self::WebSocket, Self::WebTransport];
}

/// How packets lie on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// As the public generation has it: one packet per message, stream or datagram.
    Stock,
    /// Ours: long-lived streams, audio in datagrams.
    Native,
}

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A camera's frame.
    Video,
    /// 20 ms of sound, or so.
    Audio,
}

/// A distribution of times, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// How many were measured.
    pub count: u64,
    /// Half are at most this.
    pub p50: u64,
    /// Nine in ten are at most this.
    pub p90: u64,
    /// 99 in 100 are at most this.
    pub p99: u64,
    /// 999 in 1000 are at most this.
    pub p999: u64,
    /// The largest.
    pub max: u64,
}

/// What must not happen. Anything but zero makes a run invalid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errors {
    /// The checksum is wrong.
    pub corrupt: u64,
    /// A packet of another room, or of the receiver itself.
    pub foreign: u64,
    /// A packet came twice.
    pub duplicate: u64,
    /// A packet overtook another of its track where the transport keeps order.
    pub out_of_order: u64,
    /// Connections that ended before the run did.
    pub closed: u64,
    /// Connections that could not be made.
    pub refused: u64,
}

impl Errors {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.corrupt
            + self.foreign
            + self.duplicate
            + self.out_of_order
            + self.closed
            + self.refused
    }
}

/// How packets of one kind fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KindReport {
    /// Deliveries that the packets sent in the measured time call for.
    pub expected: u64,
    /// Those of them that arrived.
    pub delivered: u64,
    /// From the time at which a packet was due to be sent to its arrival.
    pub latency: Quantiles,
}

/// What the load generator saw of one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadReport {
    /// Measured time, in seconds.
    pub seconds: f64,
    /// Connections at its end.
    pub connections: u64,
    /// Packets sent.
    pub sent: u64,
    /// Bytes of all delivered packets.
    pub delivered_bytes: u64,
    /// By kind of packet.
    pub kinds: BTreeMap<Kind, KindReport>,
    /// By role of the receiver: `normal`, `slow`, `stalled`.
    pub roles: BTreeMap<String, KindReport>,
    /// From starting to connect to the session's first packet.
    pub join: Quantiles,
    /// How much later than due packets were handed to the connection.
    pub pacing: Quantiles,
    /// What must not happen.
    pub errors: Errors,
    /// CPU seconds of the generator itself.
    pub generator_cpu_seconds: f64,
}

impl LoadReport {
    /// Deliveries that were called for.
    #[must_use]
    pub fn expected(&self) -> u64 {
        self.kinds.values().map(|kind| kind.expected).sum()
    }

    /// Deliveries that arrived.
    #[must_use]
    pub fn delivered(&self) -> u64 {
        self.kinds.values().map(|kind| kind.delivered).sum()
    }

    /// Share of the expected deliveries that did not arrive.
    #[must_use]
    pub fn loss(&self) -> f64 {
        let expected = self.expected();
        if expected == 0 {
            return 0.0;
        }
        expected.saturating_sub(self.delivered()) as f64 / expected as f64
    }
}

/// What a server's processes used in the measured time. All of them together, brokers included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// User and system CPU seconds.
    pub cpu_seconds: f64,
    /// CPU seconds of the broker among them.
    pub broker_cpu_seconds: f64,
    /// Context switches, voluntary and not.
    pub context_switches: u64,
    /// Proportional set size before the first connection, in bytes.
    pub idle_bytes: u64,
    /// Proportional set size at the end of the measured time, in bytes.
    pub loaded_bytes: u64,
    /// Bytes that all relays of a deployment received from clients, from their start on. 0 where there is no bus.
    #[serde(default)]
    pub ingress_bytes: u64,
    /// Bytes that they gave to the bus, from their start on.
    #[serde(default)]
    pub bus_bytes: u64,
}

/// One server under one scenario for some seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// Which scenario, such as `ten`.
    pub scenario: String,
    /// Which server, such as `relay`, `floor`, `peer`, `moq`.
    pub server: String,
    /// How clients reached it.
    pub transport: Transport,
    /// How packets lay on the connection.
    pub framing: Framing,
    /// Position in the run's order, from 0.
    pub order: u32,
    /// Whether server and generator each had a core of their own. Otherwise both used all cores.
    pub pinned: bool,
    /// What the generator saw.
    pub load: LoadReport,
    /// What the server used.
    pub usage: Usage,
    /// Share of both cores that the hypervisor took or that waited for disks.
    pub steal: f64,
}

impl Block {
    /// CPU microseconds of all processes of the server per delivered packet.
    #[must_use]
    pub fn cpu_per_delivery_us(&self) -> f64 {
        self.usage.cpu_seconds * 1e6 / self.load.delivered().max(1) as f64
    }

    /// Whether the server is not of this project: its errors are told, but are not ours.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        matches!(self.server.as_str(), "peer" | "moq")
    }
}

/// Where and of what a run was made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The commit that was built; `-dirty` behind it where files differed.
    pub commit: String,
    /// `uname -r`.
    pub kernel: String,
    /// As `/proc/cpuinfo` names it.
    pub cpu: String,
    /// Logical processors.
    pub cores: u32,
    /// Of the Rust compiler.
    pub rustc: String,
    /// When, as seconds since the Unix epoch.
    pub unix_time: u64,
}

/// One file in `bench/results`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Where and of what it was made.
    pub machine: Machine,
    /// All blocks, in the order in which they ran.
    pub blocks: Vec<Block>,
}
