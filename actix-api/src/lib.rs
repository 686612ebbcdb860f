//! HTTP API, web app and WebSocket endpoint of the relay.
//!
//! * [`config`]: its options
//! * [`app`]: the process, and the HTTP server alone for `videocall-server`
//! * `http`: every route; `ws`: the WebSocket endpoint, as the relay's reader and writer
//! * [`webtransport`]: what the config route tells of the WebTransport endpoint
//! * `connection`: the TCP connection below a WebSocket

pub mod app;
pub mod config;
mod connection;
mod http;
pub mod webtransport;
mod ws;

pub use app::{App, Http};
pub use config::Config;
pub use webtransport::WebTransport;
