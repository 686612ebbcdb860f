//! Options of this server, each as flag and as environment variable.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use clap::{Args, Parser};
use relay::certificates::TlsConfig;
use relay::config::{LogConfig, RelayConfig};
use relay::public::PublicConfig;

const DEFAULT_PORT: u16 = 4433;
const DEFAULT_HEALTH_PORT: u16 = 8081;

/// Relay for clients on WebTransport.
#[derive(Clone, Debug, Parser)]
#[command(name = "webtransport-server", version)]
pub struct Config {
    /// The endpoint.
    #[command(flatten)]
    pub webtransport: WebTransportConfig,
    /// Health and metrics.
    #[command(flatten)]
    pub health: HealthConfig,
    /// Certificate of the endpoint.
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

/// Where WebTransport is served. `#[command(flatten)]` it.
#[derive(Clone, Debug, Args)]
pub struct WebTransportConfig {
    /// UDP address of the WebTransport endpoint [default: 0.0.0.0:4433].
    #[arg(long, env = "WEBTRANSPORT_ADDR", value_name = "ADDRESS")]
    pub webtransport_addr: Option<SocketAddr>,
    /// Former name of WEBTRANSPORT_ADDR.
    #[arg(long, env = "LISTEN_URL", hide = true)]
    listen_url: Option<SocketAddr>,
}

impl WebTransportConfig {
    /// Serves on `address`.
    #[must_use]
    pub const fn at(address: SocketAddr) -> Self {
        Self {
            webtransport_addr: Some(address),
            listen_url: None,
        }
    }

    /// Where to listen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.webtransport_addr
            .or(self.listen_url)
            .unwrap_or_else(|| any(DEFAULT_PORT))
    }
}

/// Where health and metrics are served.
#[derive(Clone, Debug, Args)]
pub struct HealthConfig {
    /// TCP address of /healthz, /readyz, /metrics and /endpoint [default: 0.0.0.0:8081].
    #[arg(long, env = "HEALTH_ADDR", value_name = "ADDRESS")]
    pub health_addr: Option<SocketAddr>,
    /// Former name of HEALTH_ADDR.
    #[arg(long, env = "HEALTH_LISTEN_URL", hide = true)]
    health_listen_url: Option<SocketAddr>,
}

impl HealthConfig {
    /// Where to listen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.health_addr
            .or(self.health_listen_url)
            .unwrap_or_else(|| any(DEFAULT_HEALTH_PORT))
    }
}

fn any(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Config {
        Config::try_parse_from([&["webtransport-server"], arguments].concat()).unwrap()
    }

    #[test]
    fn addresses_have_defaults_and_former_names() {
        let config = parse(&[]);
        assert_eq!(config.webtransport.address().to_string(), "0.0.0.0:4433");
        assert_eq!(config.health.address().to_string(), "0.0.0.0:8081");

        let config = parse(&[
            "--listen-url",
            "127.0.0.1:1",
            "--health-listen-url",
            "127.0.0.1:2",
        ]);
        assert_eq!(config.webtransport.address().to_string(), "127.0.0.1:1");
        assert_eq!(config.health.address().to_string(), "127.0.0.1:2");

        let config = parse(&[
            "--listen-url",
            "127.0.0.1:1",
            "--webtransport-addr",
            "[::]:3",
        ]);
        assert_eq!(config.webtransport.address().to_string(), "[::]:3");
    }

    #[test]
    fn a_certificate_needs_its_key() {
        assert!(Config::try_parse_from(["webtransport-server", "--tls-cert", "cert.pem"]).is_err());
    }
}
