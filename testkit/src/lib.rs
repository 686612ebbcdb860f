//! Servers and clients for tests: real servers on free ports in this process, and clients that speak the protocol by
//! hand, so that a mistake of the client library can't hide one of the relay.
//!
//! * [`server`]: a whole `videocall-server`, in this process or as its binary; [`nats`]: a real `nats-server`
//! * [`client`]: one client over any transport and dialect; [`websocket`], [`webtransport`]: its transports
//! * [`packets`]: packets as clients send them; [`binary`]: binaries that fail to start
//! * [`impaired`]: a bad network: a model for virtual time, and a proxy that does the same to real connections
//! * [`synthetic`]: participants that publish what a browser has encoded

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "tests fail by panicking"
)]

pub mod binary;
pub mod client;
pub mod impaired;
pub mod nats;
pub mod packets;
pub mod server;
pub mod synthetic;
pub mod websocket;
pub mod webtransport;

pub use client::{Client, Kind, Refusal, Seen};
pub use nats::NatsServer;
pub use server::{Endpoints, ServerProcess, TestServer};

use std::time::Duration;

/// Longest wait for anything that must happen. Generous: a test that waits for so long fails.
pub const PATIENCE: Duration = Duration::from_secs(20);
