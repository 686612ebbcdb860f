//! The `actix-api` binary.

use std::process::ExitCode;

use actix_api::{App, Config};
use clap::Parser as _;
use relay::service::{StartError, exit_code, stop_on_signal};
use relay::{Policy, lifecycle};

#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::parse();
    lifecycle::init_logging(&config.log);
    exit_code("actix-api", run(config).await)
}

async fn run(config: Config) -> Result<(), StartError> {
    App::load(config, Policy::default())
        .await?
        .run(stop_on_signal())
        .await;
    Ok(())
}
