//! The `webtransport-server` binary.

use std::process::ExitCode;

use clap::Parser as _;
use relay::service::{self, StartError, exit_code, stop_on_signal};
use relay::{Policy, lifecycle};
use webtransport_server::{App, Config};

fn main() -> ExitCode {
    let config = Config::parse();
    lifecycle::init_logging(&config.log);
    exit_code("webtransport-server", service::run(run(config)))
}

async fn run(config: Config) -> Result<(), StartError> {
    App::load(config, Policy::default())
        .await?
        .run(stop_on_signal())
        .await;
    Ok(())
}
