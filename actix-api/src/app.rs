//! Puts the server together and runs it.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::web::Data;
use actix_web::{App as ActixApp, HttpServer};
use relay::Policy;
use relay::certificates::Certificates;
use relay::public::PublicConfig;
use relay::service::{Service, StartError};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, HttpConfig};
use crate::connection::Connection;
use crate::http::{self, Deployment, State, Ui};
use crate::webtransport::WebTransport;

/// For requests that are being answered when the server stops. Sessions have ended by then.
const SHUTDOWN_SECS: u64 = 1;
/// Bytes of messages that are written to a connection in one go.
const WRITE_BUFFER: usize = 32 * 1024;
/// From the connection's first moment to the end of a request's head: who opens connections and says nothing keeps none.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Of each worker. Chance may give one of them nearly all sessions of the process, and requests come beside; beyond that,
/// connections wait in the kernel.
const MAX_CONNECTIONS: usize = 12_000;
/// Of each worker at the same time: they are what computing costs most for.
const MAX_TLS_HANDSHAKES: usize = 256;

/// The process.
pub struct App {
    /// Where HTTP is served.
    pub addr: SocketAddr,
    http: Http,
    service: Service,
    certificates: Option<Arc<Certificates>>,
    webtransport: WebTransport,
}

impl App {
    /// Connects and binds everything; port 0 lets the system choose one.
    ///
    /// # Errors
    /// [`StartError`] if something that the options name can't be used.
    pub async fn load(config: Config, policy: Policy) -> Result<Self, StartError> {
        let secure = config.http.secure(&config.tls);
        let certificates = if secure {
            Some(Arc::new(config.tls.load(&config.public.host_names())?))
        } else {
            None
        };
        let service = Service::start(&config.relay, &config.public, policy).await?;
        let webtransport = WebTransport::elsewhere(config.webtransport_health_url);
        let http = Http::bind(
            config.http,
            certificates.clone(),
            service.clone(),
            config.public,
            webtransport.clone(),
        )?;
        Ok(Self {
            addr: http.addr,
            http,
            service,
            certificates,
            webtransport,
        })
    }

    /// Serves until `stop`, then lets the sessions move elsewhere. HTTP is served to the end.
    pub async fn run(self, stop: CancellationToken) {
        tracing::info!(http = %self.addr, "serving");
        let drained = CancellationToken::new();
        let keep_fresh = async {
            match &self.certificates {
                Some(certificates) => certificates.keep_fresh().await,
                None => std::future::pending().await,
            }
        };
        let drain = async {
            stop.cancelled().await;
            self.service.hub.shutdown().await;
            drained.cancel();
        };
        tokio::select! {
            () = keep_fresh => {}
            () = self.webtransport.keep_asking() => {}
            ((), ()) = async { tokio::join!(self.http.run(drained.clone()), drain) } => {}
        }
    }
}

/// The HTTP server alone, for a process that has the rest already.
pub struct Http {
    /// Where it is served.
    pub addr: SocketAddr,
    server: Server,
}

impl Http {
    /// Binds the address; serves HTTPS where there are `certificates`.
    ///
    /// # Errors
    /// [`StartError::Listen`] if the address can't be used.
    pub fn bind(
        config: HttpConfig,
        certificates: Option<Arc<Certificates>>,
        service: Service,
        public: PublicConfig,
        webtransport: WebTransport,
    ) -> Result<Self, StartError> {
        let address = config.address();
        let state = Arc::new(State {
            service: Data::new(service),
            deployment: Data::new(Deployment {
                public,
                webtransport,
            }),
            ui: Data::new(config.ui_dir.map_or(Ui::Embedded, Ui::Folder)),
        });
        serve(address, certificates, state).map_err(|source| StartError::Listen { address, source })
    }

    /// Serves until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let handle = self.server.handle();
        let server = tokio::spawn(self.server);
        stop.cancelled().await;
        handle.stop(true).await;
        let _ = server.await;
    }
}

fn serve(
    address: SocketAddr,
    certificates: Option<Arc<Certificates>>,
    state: Arc<State>,
) -> std::io::Result<Http> {
    let listener = TcpListener::bind(address)?;
    let addr = listener.local_addr()?;
    let app = move || {
        let state = state.clone();
        ActixApp::new()
            .wrap(http::security_headers())
            .configure(move |app| http::routes(&state, app))
    };
    let server = HttpServer::new(app)
        .on_connect(Connection::prepare)
        .tcp_nodelay(true)
        .h1_write_buffer_size(WRITE_BUFFER)
        .client_request_timeout(REQUEST_TIMEOUT)
        .max_connections(MAX_CONNECTIONS)
        .max_connection_rate(MAX_TLS_HANDSHAKES)
        .disable_signals()
        .shutdown_timeout(SHUTDOWN_SECS);
    let server = match certificates {
        Some(certificates) => server.listen_rustls_0_23(listener, tls(certificates)?)?,
        None => server.listen(listener)?,
    };
    Ok(Http {
        addr,
        server: server.run(),
    })
}

fn tls(certificates: Arc<Certificates>) -> std::io::Result<rustls::ServerConfig> {
    Ok(rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .map_err(std::io::Error::other)?
    .with_no_client_auth()
    .with_cert_resolver(certificates))
}
