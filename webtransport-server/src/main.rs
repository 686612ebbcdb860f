//! The `webtransport-server` binary.

use std::process::ExitCode;

use clap::Parser as _;
use relay::service::{StartError, exit_code, stop_on_signal};
use relay::{Policy, lifecycle};
use webtransport_server::{App, Config};

#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::parse();
    lifecycle::init_logging(&config.log);
    exit_code("webtransport-server", run(config).await)
}

async fn run(config: Config) -> Result<(), StartError> {
    App::load(config, Policy::default())
        .await?
        .run(stop_on_signal())
        .await;
    Ok(())
}
