//! WebTransport endpoint of the relay.
//!
//! * [`config`]: its options
//! * [`app`]: the process, and the endpoint alone for `videocall-server`
//! * `endpoint`: socket, TLS and QUIC parameters; `accept`: from a connection to a session
//! * `stock`, `native`: the two framings, as the relay's reader and writer; `streams`, `order`, `datagrams`: what they
//!   share; `drops`: what is counted before it is a packet
//! * `health`: the HTTP port

mod accept;
pub mod app;
pub mod config;
mod datagrams;
mod drops;
mod endpoint;
mod health;
mod native;
mod order;
mod stock;
mod streams;

pub use app::{App, WebTransport};
pub use config::Config;
