//! The `bench` binary.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use bench::floor;
use bench::load::{self, Span, Target};
use bench::measure::{Framing, Transport};
use bench::scenario;
use clap::{Parser, Subcommand};
use tokio::runtime::Builder;

/// Load generator, floors and benchmark suite of the relay.
#[derive(Debug, Parser)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Puts load on a server and prints one line of JSON.
    Load(Load),
    /// A bare WebSocket fan-out.
    FloorWebsocket(Floor),
    /// A bare WebTransport fan-out.
    FloorWebtransport(Floor),
}

#[derive(Debug, clap::Args)]
struct Floor {
    /// Where to listen.
    #[arg(long)]
    addr: SocketAddr,
}

#[derive(Debug, clap::Args)]
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

type Done = Result<(), Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let done = match Options::parse().command {
        Command::Load(options) => on_one_thread(put_load(&options)),
        Command::FloorWebsocket(options) => on_all_threads(floor::websocket::serve(options.addr)),
        Command::FloorWebtransport(options) => {
            on_all_threads(floor::webtransport::serve(options.addr))
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "for the person who started it")]
            {
                eprintln!("bench: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

/// For the generator, which shares the machine with what it measures.
fn on_one_thread(task: impl Future<Output = Done>) -> Done {
    Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(task)
}

/// For servers: as `#[tokio::main]` has it.
fn on_all_threads(task: impl Future<Output = std::io::Result<()>>) -> Done {
    Ok(Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(task)?)
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
