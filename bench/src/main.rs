//! The `bench` binary.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bench::check::{self, Bounds};
use bench::load::{self, Span, Target};
use bench::measure::{Framing, Run, Transport};
use bench::render::{self, References};
use bench::server::{Programs, raise_open_files};
use bench::suite::{self, Loopback, SuiteError};
use bench::{floor, machine, plan, scenario};
use clap::{Args, Parser, Subcommand};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// How fast the relay is, beside floors and peers that are measured in the same run.
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run scenarios and keep what was measured.
    Suite(Suite),
    /// Make the tables of PERFORMANCE.md from a run.
    Report(Report),
    /// Fail if a run has errors, or if the relay takes too much CPU time beside the floor.
    Check(Check),
    /// Puts load on a server that runs already, and prints what arrived as one line of JSON.
    Load(Load),
    /// A bare WebSocket fan-out.
    FloorWebsocket(Floor),
    /// A bare WebTransport fan-out.
    FloorWebtransport(Floor),
}

#[derive(Debug, Args)]
struct Suite {
    /// What CI can afford, in less than 4 minutes, instead of everything in less than 40.
    #[arg(long)]
    quick: bool,
    /// Name of the results [default: quick or full].
    #[arg(long)]
    name: Option<String>,
    /// Only parts with these scenarios or servers, separated by commas, such as `ten,capacity` or `nats-2`.
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

#[derive(Debug, Args)]
struct Load {
    /// `ws` or `wt`, `stock` or `native`, and an address: `wt-stock:127.0.0.1:4433`. Several share the clients.
    #[arg(required = true)]
    targets: Vec<String>,
    /// Such as `ten` or `capacity:500`.
    #[arg(long, default_value = "duo")]
    scenario: String,
    /// Seconds that are measured.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Seconds of full load before.
    #[arg(long, default_value_t = 2.0)]
    warm_up: f64,
}

#[derive(Debug, Args)]
struct Floor {
    /// Where to listen.
    #[arg(long)]
    addr: SocketAddr,
}

type Failure = Box<dyn std::error::Error>;
type Done = Result<(), Failure>;

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Suite(options) => on_one_thread(suite(options)),
        Command::Report(options) => report(&options),
        Command::Check(options) => check(&options),
        Command::Load(options) => on_one_thread(put_load(&options)),
        Command::FloorWebsocket(options) => on_all_threads(floor::websocket::serve(options.addr)),
        Command::FloorWebtransport(options) => {
            on_all_threads(floor::webtransport::serve(options.addr))
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(format!("bench: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// For the generator: it has one core.
fn on_one_thread(task: impl Future<Output = Done>) -> Done {
    Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(task)
}

/// For servers, as `#[tokio::main]` has it.
fn on_all_threads(task: impl Future<Output = std::io::Result<()>>) -> Done {
    Ok(Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(task)?)
}

#[expect(clippy::print_stderr, reason = "the progress of a command for people")]
fn tell(line: String) {
    eprintln!("{line}");
}

async fn suite(options: Suite) -> Result<(), Failure> {
    let default_name = if options.quick { "quick" } else { "full" };
    let name = options.name.as_deref().unwrap_or(default_name);
    let path = options.results.join(format!("{name}.json"));
    let mut programs = Programs::beside_this()?;
    programs.peer_ws = options.peer_ws;
    programs.peer_wt = options.peer_wt;
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

async fn put_load(options: &Load) -> Done {
    let targets: Vec<Target> = options
        .targets
        .iter()
        .map(|text| target(text).ok_or_else(|| format!("not a target: {text}")))
        .collect::<Result<_, _>>()?;
    let scenario = scenario::by_name(&options.scenario).ok_or("no such scenario")?;
    let span = Span {
        warm_up: Duration::from_secs_f64(options.warm_up),
        measured: Duration::from_secs_f64(options.seconds),
    };
    let report = load::run(&targets, &scenario, span, &mut ()).await?;
    #[expect(clippy::print_stdout, reason = "the result")]
    {
        println!("{}", serde_json::to_string(&report)?);
    }
    Ok(())
}

fn target(text: &str) -> Option<Target> {
    let (kind, address) = text.split_once(':')?;
    let (transport, framing) = match kind {
        "ws-stock" => (Transport::WebSocket, Framing::Stock),
        "ws-native" => (Transport::WebSocket, Framing::Native),
        "wt-stock" => (Transport::WebTransport, Framing::Stock),
        "wt-native" => (Transport::WebTransport, Framing::Native),
        _ => return None,
    };
    let address: SocketAddr = address.parse().ok()?;
    Some(Target {
        address,
        transport,
        framing,
    })
}
