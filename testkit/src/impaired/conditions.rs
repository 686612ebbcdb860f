//! How bad a network is.

use serde::Deserialize;

/// One direction. The default is a perfect one.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conditions {
    /// Share of the packets that is lost, in percent.
    pub loss_percent: f64,
    /// How many packets are lost in a row, on average (the model of Gilbert and Elliott, whose bad state loses all). At most
    /// 1: each packet is lost or not for itself.
    pub burst: f64,
    /// From one end to the other, in milliseconds.
    pub delay_ms: f64,
    /// At most this much is added to the delay of each packet, in milliseconds. It never changes their order.
    pub jitter_ms: f64,
    /// Kilobits per second; 0: no limit.
    pub rate_kbps: f64,
    /// Bytes that wait for the rate; what comes on top is dropped, or waits at the sender of a stream.
    pub queue_bytes: usize,
    /// Takes everything and delivers nothing.
    pub black_hole: bool,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            loss_percent: 0.0,
            burst: 0.0,
            delay_ms: 0.0,
            jitter_ms: 0.0,
            rate_kbps: 0.0,
            queue_bytes: 64_000,
            black_hole: false,
        }
    }
}

impl Conditions {
    /// Delivers nothing.
    #[must_use]
    pub fn black_hole() -> Self {
        Self {
            black_hole: true,
            ..Self::default()
        }
    }
}

/// Both directions.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Path {
    /// From the client to the server.
    pub up: Conditions,
    /// From the server to the client.
    pub down: Conditions,
}

impl Path {
    /// The same in both directions.
    #[must_use]
    pub fn both(conditions: Conditions) -> Self {
        Self {
            up: conditions.clone(),
            down: conditions,
        }
    }
}

/// New conditions; a direction that is not named stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PathChange {
    /// From the client to the server.
    pub up: Option<Conditions>,
    /// From the server to the client.
    pub down: Option<Conditions>,
}

impl From<Path> for PathChange {
    fn from(path: Path) -> Self {
        Self {
            up: Some(path.up),
            down: Some(path.down),
        }
    }
}
