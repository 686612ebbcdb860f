//! The `bench` binary.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use bench::check::{self, Bounds};
use bench::measure::Run;
use bench::render::{self, References};
use bench::server::{Programs, raise_open_files};
use bench::suite::{self, Loopback, SuiteError};
use bench::{machine, plan};
use clap::{Args, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

/// How fast the relay is, beside floors and peers that are measured in the same run.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// `floor-websocket --addr` and `floor-webtransport --addr`, which the suite starts, and `load`, the generator alone,
/// have their place here.
#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios and keep what was measured.
    Suite(Suite),
    /// Make the tables of PERFORMANCE.md from a run.
    Report(Report),
    /// Fail if a run has errors, or if the relay takes too much CPU time beside the floor.
    Check(Check),
}

#[derive(Debug, Args)]
struct Suite {
    /// What CI can afford, in less than 4 minutes, instead of everything in less than 40.
    #[arg(long)]
    quick: bool,
    /// Name of the results [default: quick or full].
    #[arg(long)]
    name: Option<String>,
    /// Only parts with these scenarios, separated by commas, such as `ten,capacity`.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Shell command of a server that speaks the stock protocol over WebSocket; `{port}` is where it has to listen.
    #[arg(long, value_name = "COMMAND")]
    peer_ws: Option<String>,
    /// The same for WebTransport.
    #[arg(long, value_name = "COMMAND")]
    peer_wt: Option<String>,
    /// Folder of results.
    #[arg(long, default_value = "bench/results")]
    results: PathBuf,
}

#[derive(Debug, Args)]
struct Report {
    /// Results to show.
    #[arg(long, default_value = "bench/results/full.json")]
    results: PathBuf,
    /// Figures that were measured earlier.
    #[arg(long, default_value = "bench/reference.json")]
    reference: PathBuf,
    /// The document whose tables are replaced.
    #[arg(long, default_value = "PERFORMANCE.md")]
    document: PathBuf,
}

#[derive(Debug, Args)]
struct Check {
    /// Results to judge.
    #[arg(long, default_value = "bench/results/quick.json")]
    results: PathBuf,
    /// What is allowed.
    #[arg(long, default_value = "bench/bounds.json")]
    bounds: PathBuf,
}

type Failure = Box<dyn std::error::Error>;

/// One thread: the generator has one core, and is part of this process.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Suite(options) => suite(options).await,
        Command::Report(options) => report(&options),
        Command::Check(options) => check(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(format!("bench: {failure}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the progress of a command for people")]
fn tell(line: String) {
    eprintln!("{line}");
}

async fn suite(options: Suite) -> Result<(), Failure> {
    let default_name = if options.quick { "quick" } else { "full" };
    let name = options.name.as_deref().unwrap_or(default_name);
    let path = options.results.join(format!("{name}.json"));
    let programs = Programs {
        peer_ws: options.peer_ws,
        peer_wt: options.peer_wt,
        ..Programs::beside_this()?
    };
    let parts = if options.quick {
        plan::quick()
    } else {
        plan::full(|transport| programs.peer(transport).is_some())
    };
    let parts = plan::only(parts, &options.only);
    tell(format!(
        "{name}: at most {:.0} minutes, longer if blocks have to be run again",
        plan::duration(&parts).as_secs_f64() / 60.0
    ));
    raise_open_files()?;

    let mut run = Run {
        machine: machine::facts(),
        blocks: Vec::new(),
    };
    let keep = |blocks: &[_]| -> Result<(), SuiteError> {
        run.blocks = blocks.to_vec();
        suite::save(&path, &run)
    };
    let mut runner = Loopback { programs };
    // Whichever way this ends, dropping the run kills its servers: they do not get the terminal's signals themselves.
    let stopped = stopped()?;
    tokio::select! {
        done = suite::run(&parts, &mut runner, keep, tell) => done?,
        () = stopped => return Err("stopped".into()),
    }
    all_good(&check::errors(&run))
}

/// Ready once somebody wants this process to end.
fn stopped() -> Result<impl Future<Output = ()>, std::io::Error> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}

fn report(options: &Report) -> Result<(), Failure> {
    let run = suite::read(&options.results)?;
    let references: References = serde_json::from_str(&read(&options.reference)?)?;
    let document = render::document(&read(&options.document)?, &run, &references)?;
    fs::write(&options.document, document)?;
    Ok(())
}

fn check(options: &Check) -> Result<(), Failure> {
    let run = suite::read(&options.results)?;
    let bounds: Bounds = serde_json::from_str(&read(&options.bounds)?)?;
    all_good(&check::complaints(&run, &bounds))
}

fn all_good(complaints: &[check::Complaint]) -> Result<(), Failure> {
    for complaint in complaints {
        tell(format!("FAILED: {complaint}"));
    }
    match complaints.len() {
        0 => Ok(()),
        number => Err(format!("{number} complaints").into()),
    }
}

fn read(path: &PathBuf) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()).into())
}
