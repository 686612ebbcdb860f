//! Options of this server, each as flag and as environment variable.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};
use relay::certificates::TlsConfig;
use relay::config::{LogConfig, RelayConfig};
use relay::public::PublicConfig;
use url::Url;

const DEFAULT_PORT: u16 = 8080;

/// HTTP API, web app and relay for clients on WebSocket.
#[derive(Clone, Debug, Parser)]
#[command(name = "actix-api", version)]
pub struct Config {
    /// The HTTP server.
    #[command(flatten)]
    pub http: HttpConfig,
    /// Address of the webtransport-server's health port, such as `http://localhost:8081`, to ask for its port and
    /// certificates.
    #[arg(long, env = "WEBTRANSPORT_HEALTH_URL", value_name = "URL")]
    pub webtransport_health_url: Option<Url>,
    /// Certificate for HTTPS.
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

/// Where and how HTTP is served. `#[command(flatten)]` it.
#[derive(Clone, Debug, Args)]
pub struct HttpConfig {
    /// TCP address of the web app, the HTTP API and the WebSocket endpoint [default: 0.0.0.0:8080].
    #[arg(long, env = "HTTP_ADDR", value_name = "ADDRESS")]
    pub http_addr: Option<SocketAddr>,
    /// Former name of HTTP_ADDR, with a port only.
    #[arg(long, env = "ACTIX_PORT", hide = true)]
    actix_port: Option<u16>,
    /// HTTPS instead of HTTP: with a certificate of the server's own, which browsers warn of, or never. Without this
    /// option HTTPS is served if TLS_CERT is given. Browsers need HTTPS for camera and WebTransport on other machines.
    #[arg(long, env = "HTTPS", value_enum, num_args = 0..=1, default_missing_value = "self-signed")]
    pub https: Option<Https>,
    /// Folder of the web app [default: the one inside of this binary].
    #[arg(long, env = "UI_DIR", value_name = "FOLDER")]
    pub ui_dir: Option<PathBuf>,
}

/// Values of `HTTPS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Https {
    /// HTTPS even without certificate files.
    SelfSigned,
    /// Plain HTTP even with certificate files, which then serve WebTransport only.
    Off,
}

impl HttpConfig {
    /// Serves plain HTTP on `address`, with the web app of `ui_dir`.
    #[must_use]
    pub const fn at(address: SocketAddr, ui_dir: Option<PathBuf>) -> Self {
        Self {
            http_addr: Some(address),
            actix_port: None,
            https: None,
            ui_dir,
        }
    }

    /// Where to listen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        let any = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
        self.http_addr
            .or(self.actix_port.map(any))
            .unwrap_or_else(|| any(DEFAULT_PORT))
    }

    /// Whether to serve HTTPS with the certificate of `tls`.
    #[must_use]
    pub fn secure(&self, tls: &TlsConfig) -> bool {
        match self.https {
            Some(Https::SelfSigned) => true,
            Some(Https::Off) => false,
            None => tls.has_files(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Config {
        Config::try_parse_from([&["actix-api"], arguments].concat()).unwrap()
    }

    #[test]
    fn the_address_has_a_default_and_a_former_name() {
        assert_eq!(parse(&[]).http.address().to_string(), "0.0.0.0:8080");
        assert_eq!(
            parse(&["--actix-port", "9"]).http.address().to_string(),
            "0.0.0.0:9"
        );
        assert_eq!(
            parse(&["--actix-port", "9", "--http-addr", "[::1]:7"])
                .http
                .address()
                .to_string(),
            "[::1]:7"
        );
    }

    #[test]
    fn https_follows_the_certificate_unless_told_otherwise() {
        let secure = |arguments: &[&str]| {
            let config = parse(arguments);
            config.http.secure(&config.tls)
        };
        assert!(!secure(&[]));
        assert!(secure(&["--https"]));
        assert!(secure(&["--https", "self-signed"]));
        assert!(secure(&["--tls-cert", "c", "--tls-key", "k"]));
        assert!(secure(&["--cert-path", "c", "--key-path", "k"]));
        assert!(!secure(&[
            "--tls-cert",
            "c",
            "--tls-key",
            "k",
            "--https",
            "off"
        ]));
    }
}
