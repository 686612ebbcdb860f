//! Start and stop of a process.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::config::LogConfig;

/// Ends at the next SIGTERM or SIGINT. From its first poll on these signals do not kill the process any more.
pub async fn shutdown_signal() {
    let (terminate, interrupt) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    );
    match (terminate, interrupt) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        (Err(error), _) | (_, Err(error)) => {
            // They kill the process then, as they do by default.
            tracing::error!(%error, "can't listen for signals");
            std::future::pending().await
        }
    }
}

/// Starts logging to standard error. Later calls change nothing.
pub fn init_logging(config: &LogConfig) {
    let filter = EnvFilter::builder().parse_lossy(&config.log);
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    // It fails if the process logs already.
    let _ = if config.log_json {
        subscriber.json().try_init()
    } else {
        subscriber.try_init()
    };
}
