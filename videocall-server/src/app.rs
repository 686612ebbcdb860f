//! Puts both servers on one hub and runs them.

use std::net::SocketAddr;
use std::sync::Arc;

use actix_api::Http;
use relay::Policy;
use relay::certificates::Certificates;
use relay::service::{Service, StartError};
use tokio_util::sync::CancellationToken;
use webtransport_server::WebTransport;

use crate::config::Config;

/// The process.
pub struct App {
    /// Where people open the web app.
    pub url: String,
    /// Where HTTP is served.
    pub http_addr: SocketAddr,
    /// Where WebTransport is served.
    pub webtransport_addr: SocketAddr,
    http: Http,
    webtransport: WebTransport,
    service: Service,
    certificates: Arc<Certificates>,
}

impl App {
    /// Connects and binds everything; port 0 lets the system choose one.
    ///
    /// # Errors
    /// [`StartError`] if something that the options name can't be used.
    pub async fn load(config: Config, policy: Policy) -> Result<Self, StartError> {
        let certificates = Arc::new(config.tls.load(&config.public.host_names())?);
        let service = Service::start(&config.relay, &config.public, policy).await?;
        let webtransport = WebTransport::bind(
            config.webtransport.address(),
            certificates.clone(),
            service.clone(),
        )?;
        let secure = config.http.secure(&config.tls);
        let public_url = config.public.public_url.clone();
        let http = Http::bind(
            config.http,
            secure.then(|| certificates.clone()),
            service.clone(),
            config.public,
            actix_api::WebTransport::Here {
                address: webtransport.addr,
                certificates: certificates.clone(),
            },
        )?;
        Ok(Self {
            url: public_url.map_or_else(|| url(secure, http.addr), String::from),
            http_addr: http.addr,
            webtransport_addr: webtransport.addr,
            http,
            webtransport,
            service,
            certificates,
        })
    }

    /// Serves until `stop`, then lets the sessions move elsewhere. HTTP is served to the end.
    pub async fn run(self, stop: CancellationToken) {
        tracing::info!(http = %self.http_addr, webtransport = %self.webtransport_addr, "serving");
        let drained = CancellationToken::new();
        let drain = async {
            stop.cancelled().await;
            self.service.hub.shutdown().await;
            drained.cancel();
        };
        let serve = async {
            tokio::join!(
                self.http.run(drained.clone()),
                self.webtransport.run(stop.clone()),
                drain
            )
        };
        tokio::select! {
            () = self.certificates.keep_fresh() => {}
            _ = serve => {}
        }
    }
}

/// What a browser on this machine opens.
fn url(secure: bool, address: SocketAddr) -> String {
    let scheme = if secure { "https" } else { "http" };
    let port = address.port();
    if address.ip().is_unspecified() || address.ip().is_loopback() {
        format!("{scheme}://localhost:{port}")
    } else {
        format!("{scheme}://{address}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_can_be_opened() {
        assert_eq!(
            url(false, "0.0.0.0:8080".parse().unwrap()),
            "http://localhost:8080"
        );
        assert_eq!(
            url(true, "[::]:8443".parse().unwrap()),
            "https://localhost:8443"
        );
        assert_eq!(
            url(false, "192.168.1.5:80".parse().unwrap()),
            "http://192.168.1.5:80"
        );
    }
}
