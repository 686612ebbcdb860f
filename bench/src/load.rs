//! The load generator.

use std::net::SocketAddr;
use std::time::Duration;

use crate::measure::{Framing, LoadReport, Transport};
use crate::scenario::Scenario;

/// A server under load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// How clients reach it.
    pub transport: Transport,
    /// How packets lie on the connection.
    pub framing: Framing,
}

/// How long a run takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Full load that is not measured, after all have joined.
    pub warm_up: Duration,
    /// Full load that is measured.
    pub measured: Duration,
}

/// Told when the measured time begins and ends, to look at the server at just these moments.
pub trait Observer {
    /// The measured time begins.
    fn begins(&mut self);
    /// The measured time has ended; all clients are still connected.
    fn ends(&mut self);
}

/// Puts `scenario` on `targets` and reports what arrived. Clients are spread over the targets one by one, so that the
/// members of a room meet through all of them.
///
/// # Errors
/// If nobody could join.
pub async fn run(
    _targets: &[Target],
    _scenario: &Scenario,
    _span: Span,
    _observer: &mut impl Observer,
) -> std::io::Result<LoadReport> {
    Ok(LoadReport::default())
}
