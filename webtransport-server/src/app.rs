//! Puts the server together and runs it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use relay::Policy;
use relay::certificates::Certificates;
use relay::service::{Service, StartError};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wtransport::Endpoint;
use wtransport::endpoint::IncomingSession;
use wtransport::endpoint::endpoint_side::Server;

use crate::config::Config;
use crate::drops::{self, Reason};
use crate::{accept, endpoint, health};

/// Handshakes at the same time; more are refused.
const MAX_HANDSHAKES: usize = 512;
/// With fewer than this many places left, a client has to prove its address first.
const VALIDATE_BELOW: usize = MAX_HANDSHAKES / 2;
/// For the last close frames to go out.
const GOODBYE: Duration = Duration::from_millis(500);

/// The process: the endpoint, and health and metrics beside it.
pub struct App {
    /// Where WebTransport is served.
    pub addr: SocketAddr,
    /// Where health and metrics are served.
    pub health_addr: SocketAddr,
    endpoint: WebTransport,
    health: actix_web::dev::Server,
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
        let endpoint = WebTransport::bind(
            config.webtransport.address(),
            certificates.clone(),
            service.clone(),
        )?;
        let address = config.health.address();
        let state = health::State {
            service: service.clone(),
            certificates: certificates.clone(),
            port: endpoint.addr.port(),
        };
        let (health_addr, health) = health::serve(address, state)
            .map_err(|source| StartError::Listen { address, source })?;
        Ok(Self {
            addr: endpoint.addr,
            health_addr,
            endpoint,
            health,
            service,
            certificates,
        })
    }

    /// Serves until `stop`, then lets the sessions move elsewhere. Health is served to the end.
    pub async fn run(self, stop: CancellationToken) {
        let health = self.health.handle();
        let health_server = tokio::spawn(self.health);
        tracing::info!(webtransport = %self.addr, health = %self.health_addr, "serving");
        tokio::select! {
            () = self.certificates.keep_fresh() => {}
            () = async {
                let hub = self.service.hub.clone();
                let drain = async {
                    stop.cancelled().await;
                    hub.shutdown().await;
                };
                tokio::join!(self.endpoint.run(stop.clone()), drain);
            } => {}
        }
        health.stop(true).await;
        let _ = health_server.await;
    }
}

/// The WebTransport endpoint alone, for a process that has the rest already.
pub struct WebTransport {
    /// Where it is served.
    pub addr: SocketAddr,
    endpoint: Endpoint<Server>,
    service: Service,
}

impl WebTransport {
    /// Opens the endpoint.
    ///
    /// # Errors
    /// [`StartError::Listen`] if the address can't be used.
    pub fn bind(
        address: SocketAddr,
        certificates: Arc<Certificates>,
        service: Service,
    ) -> Result<Self, StartError> {
        let listen = |source| StartError::Listen { address, source };
        let endpoint = endpoint::open(address, certificates).map_err(listen)?;
        Ok(Self {
            addr: endpoint.local_addr().map_err(listen)?,
            endpoint,
            service,
        })
    }

    /// Accepts sessions until `stop`, then waits for them to end: the hub's shutdown ends them.
    pub async fn run(self, stop: CancellationToken) {
        let sessions = TaskTracker::new();
        let handshakes = Arc::new(Semaphore::new(MAX_HANDSHAKES));
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                incoming = self.endpoint.accept() => self.admit(incoming, &sessions, &handshakes),
            }
        }
        sessions.close();
        let refuse = async {
            loop {
                self.endpoint.accept().await.refuse();
            }
        };
        tokio::select! {
            () = sessions.wait() => {}
            () = refuse => {}
        }
        self.endpoint.close(0_u32.into(), b"");
        let _ = tokio::time::timeout(GOODBYE, self.endpoint.wait_idle()).await;
    }

    fn admit(
        &self,
        incoming: IncomingSession,
        sessions: &TaskTracker,
        handshakes: &Arc<Semaphore>,
    ) {
        let Ok(place) = handshakes.clone().try_acquire_owned() else {
            drops::count(Reason::Overload);
            return incoming.refuse();
        };
        if handshakes.available_permits() < VALIDATE_BELOW && !incoming.remote_address_validated() {
            return incoming.retry();
        }
        sessions.spawn(accept::serve(incoming, place, self.service.clone()));
    }
}
