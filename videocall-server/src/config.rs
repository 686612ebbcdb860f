//! Options of this server, each as flag and as environment variable.

use actix_api::config::HttpConfig;
use clap::Parser;
use relay::certificates::TlsConfig;
use relay::config::{LogConfig, RelayConfig};
use relay::public::PublicConfig;
use webtransport_server::config::WebTransportConfig;

/// Video meetings from one process: web app, HTTP API, WebSocket and WebTransport.
#[derive(Clone, Debug, Parser)]
#[command(name = "videocall-server", version)]
pub struct Config {
    /// The HTTP server.
    #[command(flatten)]
    pub http: HttpConfig,
    /// The WebTransport endpoint.
    #[command(flatten)]
    pub webtransport: WebTransportConfig,
    /// Certificate of the WebTransport endpoint, and for HTTPS.
    #[command(flatten)]
    pub tls: TlsConfig,
    /// Public addresses.
    #[command(flatten)]
    pub public: PublicConfig,
    /// The relay.
    #[command(flatten)]
    pub relay: RelayConfig,
    /// Logging.
    #[command(flatten)]
    pub log: LogConfig,
}
