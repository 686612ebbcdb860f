//! The `videocall-server` binary.

use std::process::ExitCode;

use clap::Parser as _;
use relay::service::{self, StartError, exit_code, stop_on_signal};
use relay::{Policy, lifecycle};
use videocall_server::{App, Config};

fn main() -> ExitCode {
    let config = Config::parse();
    lifecycle::init_logging(&config.log);
    exit_code("videocall-server", service::run(run(config)))
}

async fn run(config: Config) -> Result<(), StartError> {
    let app = App::load(config, Policy::default()).await?;
    #[expect(
        clippy::print_stdout,
        reason = "the one line that the person who starts it looks for"
    )]
    {
        println!("Open {} (Ctrl-C stops)", app.url);
    }
    app.run(stop_on_signal()).await;
    Ok(())
}
