//! The `webtransport-server` binary.

use std::process::ExitCode;

use clap::Parser as _;
use relay::service::{StartError, exit_code, stop_on_signal};
use relay::{Policy, lifecycle, wakeups};
use webtransport_server::{App, Config};

fn main() -> ExitCode {
    let config = Config::parse();
    lifecycle::init_logging(&config.log);
    let ended = wakeups::runtime()
        .map_err(StartError::Runtime)
        .and_then(|runtime| runtime.block_on(run(config)));
    exit_code("webtransport-server", ended)
}

async fn run(config: Config) -> Result<(), StartError> {
    App::load(config, Policy::default())
        .await?
        .run(stop_on_signal())
        .await;
    Ok(())
}
