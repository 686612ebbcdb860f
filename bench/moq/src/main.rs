//! Puts a scenario's load on a `moq-relay` and reports as `bench::adapter` expects it.
//!
//! Who sends when, what is checked and how it is counted is `bench`'s own; only the connections are those of
//! [`moq_tokio`]: WebTransport, one per participant, which publishes and subscribes.

mod participant;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use bench::adapter::{self, Announcer};
use bench::load::{self, Span};
use bench::scenario;
use clap::Parser;
use participant::MoqRelay;

/// Puts load on a moq-relay that runs already.
#[derive(Debug, Parser)]
#[command(name = "bench-moq")]
struct Options {
    /// Where it listens.
    target: SocketAddr,
    /// Such as `ten`.
    #[arg(long)]
    scenario: String,
    /// Seconds of full load before those that are measured.
    #[arg(long)]
    warm_up: f64,
    /// Seconds that are measured.
    #[arg(long)]
    seconds: f64,
}

/// One thread: the generator has one core.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match put_load(&Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&format!("bench-moq: {failure}"));
            ExitCode::FAILURE
        }
    }
}

async fn put_load(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let scenario = scenario::by_name(&options.scenario).ok_or("no such scenario")?;
    let span = Span {
        warm_up: Duration::try_from_secs_f64(options.warm_up)?,
        measured: Duration::try_from_secs_f64(options.seconds)?,
    };
    let relay = MoqRelay::new(options.target)?;
    let report = load::run_on(relay, &scenario, span, &mut Announcer).await?;
    adapter::report(&report)?;
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a failure, for people")]
fn tell(line: &str) {
    eprintln!("{line}");
}
