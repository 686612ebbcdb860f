//! What a server is made of besides its endpoints, assembled once for every binary.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use relay_core::Policy;
use tokio_util::sync::CancellationToken;

use crate::admission::{AccessPolicy, origin_allowed};
use crate::bus::{Bus, BusError};
use crate::certificates::CertificateError;
use crate::config::{ConfigError, RelayConfig};
use crate::hub::Hub;
use crate::lifecycle::shutdown_signal;
use crate::metrics::{self, MetricsHandle};
use crate::public::PublicConfig;
use crate::wakeups;

/// What every endpoint of a process shares. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    /// The rooms.
    pub hub: Hub,
    /// Who may join.
    pub access: AccessPolicy,
    /// Metrics of the process.
    pub metrics: MetricsHandle,
    origins: Arc<[String]>,
}

/// Why a server can't start. One line, for the person who starts it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no runtime without threads and descriptors.
    #[error("can't start the runtime: {0}")]
    Runtime(#[source] std::io::Error),
    /// Options do not go together.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The bus can't be reached.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The certificate can't be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// An address can't be listened on.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

impl Service {
    /// Connects the bus and opens a hub on it.
    ///
    /// # Errors
    /// [`StartError`] if the options do not go together or the bus can't be reached.
    pub async fn start(
        config: &RelayConfig,
        public: &PublicConfig,
        policy: Policy,
    ) -> Result<Self, StartError> {
        let access = config.access_policy()?;
        let metrics = metrics::install();
        let bus = Bus::connect(config.nats_url.as_deref(), config.nats_connections).await?;
        let origins = config
            .allowed_origins
            .iter()
            .cloned()
            .chain(public.origin())
            .collect();
        Ok(Self {
            hub: Hub::new(config.hub(), bus, config.limits(policy)),
            access,
            metrics,
            origins,
        })
    }

    /// Whether a page of `origin` may connect to `host`; see [`origin_allowed`].
    #[must_use]
    pub fn origin_allowed(&self, origin: Option<&str>, host: Option<&str>) -> bool {
        origin_allowed(origin, host, &self.origins)
    }
}

/// Runs a server to its end, on a runtime whose threads keep [`wakeups::INTERVAL`].
///
/// # Errors
/// Those of the server, and [`StartError::Runtime`].
pub fn run(server: impl Future<Output = Result<(), StartError>>) -> Result<(), StartError> {
    wakeups::runtime()
        .map_err(StartError::Runtime)?
        .block_on(server)
}

/// What a binary ends with: says in one line on standard error what went wrong.
#[must_use]
pub fn exit_code(binary: &str, result: Result<(), StartError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(
                clippy::print_stderr,
                reason = "must be seen even where logging is off"
            )]
            {
                eprintln!("{binary}: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Cancelled at the first SIGINT or SIGTERM; a second one ends the process at once.
#[must_use]
pub fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    tokio::spawn({
        let stop = stop.clone();
        async move {
            shutdown_signal().await;
            stop.cancel();
            shutdown_signal().await;
            std::process::exit(130);
        }
    });
    stop
}
