//! What the config route tells of the WebTransport endpoint, which may be in another process.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use relay::certificates::Certificates;
use serde::Deserialize;
use url::Url;
use videocall_types::api::WebTransportEndpoint;

/// How often another process is asked: its certificate changes when it starts again.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// Where WebTransport is served.
#[derive(Clone, Debug)]
pub enum WebTransport {
    /// In this process.
    Here {
        /// The UDP address.
        address: SocketAddr,
        /// What it shows.
        certificates: Arc<Certificates>,
    },
    /// In another process, which is asked.
    Elsewhere(Remote),
    /// In another process whose public address and certificate need no asking.
    Public,
}

/// A `webtransport-server` with a health port. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Remote {
    url: Url,
    known: Arc<RwLock<Option<Endpoint>>>,
}

/// What its health port says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Endpoint {
    port: u16,
    certificate_hashes: Vec<String>,
}

impl WebTransport {
    /// Asks the health port at `url`, or nobody.
    #[must_use]
    pub fn elsewhere(url: Option<Url>) -> Self {
        match url {
            Some(url) => Self::Elsewhere(Remote {
                url,
                known: Arc::default(),
            }),
            None => Self::Public,
        }
    }

    /// For a client that asked for `host`, a URL of this server. `None` where there is no endpoint, or none that is
    /// known yet.
    pub(crate) fn endpoint(
        &self,
        public: Option<&Url>,
        host: &Url,
    ) -> Option<WebTransportEndpoint> {
        let (port, certificate_hashes) = match self {
            Self::Here {
                address,
                certificates,
            } => (address.port(), certificates.hashes()),
            Self::Elsewhere(remote) => {
                let known = remote
                    .known
                    .read()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone()?;
                (known.port, known.certificate_hashes)
            }
            Self::Public => {
                let url = public?.join("/lobby").ok()?;
                return Some(WebTransportEndpoint {
                    url: url.into(),
                    certificate_hashes: Vec::new(),
                });
            }
        };
        let url = match public {
            Some(public) => public.join("/lobby").ok()?,
            None => self.url_at(host, port)?,
        };
        Some(WebTransportEndpoint {
            url: url.into(),
            certificate_hashes,
        })
    }

    fn url_at(&self, host: &Url, port: u16) -> Option<Url> {
        let mut url = host.join("/lobby").ok()?;
        url.set_scheme("https").ok()?;
        if host.host_str() == Some("localhost") {
            // Browsers connect only to the first address of a name, which may be the one where nobody listens.
            url.set_host(Some(self.loopback())).ok()?;
        }
        url.set_port(Some(port)).ok()?;
        Some(url)
    }

    const fn loopback(&self) -> &'static str {
        match self {
            Self::Here {
                address: SocketAddr::V6(address),
                ..
            } if !address.ip().is_unspecified() => "[::1]",
            Self::Here { .. } | Self::Elsewhere(_) | Self::Public => "127.0.0.1",
        }
    }

    /// Keeps what is known of another process fresh; never returns.
    pub async fn keep_asking(&self) {
        match self {
            Self::Elsewhere(remote) => remote.keep_asking().await,
            Self::Here { .. } | Self::Public => std::future::pending().await,
        }
    }
}

impl Remote {
    async fn keep_asking(&self) {
        // It asks a server of its own deployment, whatever proxy the machine uses for others.
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .unwrap_or_default();
        let mut tick = tokio::time::interval(ASK_EVERY);
        loop {
            tick.tick().await;
            match self.ask(&client).await {
                Ok(endpoint) => {
                    let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                    if known.as_ref() != Some(&endpoint) {
                        tracing::info!(port = endpoint.port, "WebTransport endpoint found");
                        *known = Some(endpoint);
                    }
                }
                // What was known may still be right.
                Err(error) => tracing::debug!(%error, "webtransport-server does not answer"),
            }
        }
    }

    async fn ask(&self, client: &reqwest::Client) -> Result<Endpoint, reqwest::Error> {
        let mut url = self.url.clone();
        url.set_path("/endpoint");
        client
            .get(url)
            .timeout(ASK_EVERY)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn here(address: &str) -> WebTransport {
        let certificates = Certificates::self_signed(&[], std::time::SystemTime::now()).unwrap();
        WebTransport::Here {
            address: address.parse().unwrap(),
            certificates: Arc::new(certificates),
        }
    }

    #[test]
    fn the_url_follows_the_host_that_the_browser_asked_for() {
        for (address, host, expected) in [
            (
                "0.0.0.0:4433",
                "http://localhost:8080",
                "https://127.0.0.1:4433/lobby",
            ),
            (
                "[::]:4433",
                "http://localhost:8080",
                "https://127.0.0.1:4433/lobby",
            ),
            (
                "[::1]:4433",
                "http://localhost:8080",
                "https://[::1]:4433/lobby",
            ),
            (
                "0.0.0.0:4433",
                "http://192.168.1.5:8080",
                "https://192.168.1.5:4433/lobby",
            ),
            (
                "0.0.0.0:4433",
                "https://meet.example.org",
                "https://meet.example.org:4433/lobby",
            ),
            (
                "0.0.0.0:443",
                "https://meet.example.org:8443",
                "https://meet.example.org/lobby",
            ),
        ] {
            let endpoint = here(address).endpoint(None, &url(host)).unwrap();
            assert_eq!(endpoint.url, expected, "{address} {host}");
            assert_eq!(endpoint.certificate_hashes.len(), 2);
        }
        let public = url("https://wt.example.org:444");
        let endpoint = here("0.0.0.0:4433")
            .endpoint(Some(&public), &url("http://localhost:8080"))
            .unwrap();
        assert_eq!(endpoint.url, "https://wt.example.org:444/lobby");
    }

    #[test]
    fn an_endpoint_elsewhere_is_told_of_when_it_is_known() {
        let host = url("http://localhost:8080");
        assert_eq!(WebTransport::elsewhere(None).endpoint(None, &host), None);
        let public = url("https://wt.example.org");
        let endpoint = WebTransport::elsewhere(None)
            .endpoint(Some(&public), &host)
            .unwrap();
        assert_eq!(
            (endpoint.url.as_str(), endpoint.certificate_hashes.len()),
            ("https://wt.example.org/lobby", 0)
        );
        let unknown = WebTransport::elsewhere(Some(url("http://localhost:8081")));
        assert_eq!(unknown.endpoint(Some(&public), &host), None);
    }
}
