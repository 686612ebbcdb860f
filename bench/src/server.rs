//! Servers under test: started as processes, pinned, and killed when dropped.

use std::env;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::measure::Transport;
use crate::procfs;

/// How long a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Our relay: one `videocall-server`.
    Relay,
    /// The bare fan-out of this binary: what relaying costs at least.
    Floor,
    /// The floor once more under another name: its ratio to the floor has to be 1.
    Control,
    /// So many of our relay's processes of one transport, and the `nats-server` that joins them.
    Services(u16),
    /// A `nats-server` alone, while the generator plays so many relay processes: what the bus costs without relays.
    Bus(u16),
    /// Somebody else's server, by the command that was given for this transport.
    Peer,
    /// `moq-relay`, which forwards tracks of Media over QUIC.
    Moq,
}

impl Kind {
    /// Its name in results.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Relay => "relay".into(),
            Self::Floor => "floor".into(),
            Self::Control => "control".into(),
            Self::Services(processes) => format!("services-{processes}"),
            Self::Bus(processes) => format!("nats-{processes}"),
            Self::Peer => "peer".into(),
            Self::Moq => "moq".into(),
        }
    }

    /// Whether it is not of this project: the run goes on without it, or with its errors.
    #[must_use]
    pub const fn is_foreign(self) -> bool {
        matches!(self, Self::Peer | Self::Moq)
    }
}

/// Which cores something may run on. Two in all, however many the machine has: figures of machines of different width can
/// then be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cores {
    /// The server's own.
    Server,
    /// The generator's own.
    Generator,
    /// Both of them.
    Both,
}

impl Cores {
    pub(crate) const fn list(self) -> &'static str {
        match self {
            Self::Server => "0",
            Self::Generator => "1",
            Self::Both => "0,1",
        }
    }
}

/// Why a server can't be measured.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No port, no such program, or something else that the system refuses.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A tool of util-linux has failed.
    #[error("{0} has failed")]
    Tool(&'static str),
    /// The command of a peer was not given.
    #[error("no command was given for a peer with this transport")]
    NoPeer,
    /// It ended before it listened.
    #[error("{0} has ended: {1}")]
    Ended(String, ExitStatus),
    /// It does not listen.
    #[error("{0} does not listen")]
    Silent(String),
}

fn io_error(what: impl Into<String>) -> impl FnOnce(io::Error) -> ServerError {
    let what = what.into();
    |source| ServerError::Io { what, source }
}

/// What there is to start.
#[derive(Clone, Debug)]
pub struct Programs {
    /// Folder of our binaries.
    folder: PathBuf,
    /// This binary, which has the floors.
    floor: PathBuf,
    nats: PathBuf,
    moq: PathBuf,
    /// Puts load on `moq-relay`.
    pub(crate) moq_load: PathBuf,
    /// Shell command of a peer that speaks WebSocket, with `{port}`.
    pub peer_ws: Option<String>,
    /// Shell command of a peer that speaks WebTransport, with `{port}`.
    pub peer_wt: Option<String>,
}

impl Programs {
    /// Our binaries beside this one, and no peer.
    ///
    /// # Errors
    /// [`ServerError`] if this binary does not know where it is.
    pub fn beside_this() -> Result<Self, ServerError> {
        let floor = env::current_exe().map_err(io_error("find this program"))?;
        // Debian installs it where only root looks.
        let debian = Path::new("/usr/sbin/nats-server");
        let folder = floor.parent().unwrap_or(Path::new(".")).to_owned();
        // Where `scripts/setup.sh moq` leaves them.
        let tools = folder.join("../tools");
        Ok(Self {
            folder,
            floor,
            moq: tools.join("bin/moq-relay"),
            moq_load: tools.join("release/bench-moq"),
            nats: if debian.exists() {
                debian
            } else {
                Path::new("nats-server")
            }
            .to_owned(),
            peer_ws: None,
            peer_wt: None,
        })
    }

    /// The command of a peer with this transport.
    #[must_use]
    pub fn peer(&self, transport: Transport) -> Option<&str> {
        match transport {
            Transport::WebSocket => self.peer_ws.as_deref(),
            Transport::WebTransport => self.peer_wt.as_deref(),
        }
    }
}

/// A command, and where it will listen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Launch {
    program: PathBuf,
    arguments: Vec<String>,
    tcp: Option<SocketAddr>,
    udp: Option<SocketAddr>,
}

impl Launch {
    fn relay(folder: &Path, http: SocketAddr, webtransport: SocketAddr) -> Self {
        Self {
            program: folder.join("videocall-server"),
            arguments: vec![
                format!("--http-addr={http}"),
                format!("--webtransport-addr={webtransport}"),
            ],
            tcp: Some(http),
            udp: Some(webtransport),
        }
    }

    fn service(
        folder: &Path,
        transport: Transport,
        tcp: SocketAddr,
        udp: SocketAddr,
        nats: SocketAddr,
    ) -> Self {
        let bus = format!("--nats-url=nats://{nats}");
        match transport {
            Transport::WebSocket => Self {
                program: folder.join("actix-api"),
                arguments: vec![format!("--http-addr={tcp}"), bus],
                tcp: Some(tcp),
                udp: None,
            },
            Transport::WebTransport => Self {
                program: folder.join("webtransport-server"),
                arguments: vec![
                    format!("--webtransport-addr={udp}"),
                    format!("--health-addr={tcp}"),
                    bus,
                ],
                tcp: Some(tcp),
                udp: Some(udp),
            },
        }
    }

    fn nats(program: &Path, address: SocketAddr) -> Self {
        Self {
            program: program.to_owned(),
            arguments: [
                "-a",
                &address.ip().to_string(),
                "-p",
                &address.port().to_string(),
                // What it has to say is not for the terminal of the benchmark.
                "-l",
                "/dev/null",
            ]
            .map(str::to_owned)
            .into(),
            tcp: Some(address),
            udp: None,
        }
    }

    fn floor(program: &Path, transport: Transport, address: SocketAddr) -> Self {
        let name = match transport {
            Transport::WebSocket => "floor-websocket",
            Transport::WebTransport => "floor-webtransport",
        };
        let arguments = vec![name.into(), format!("--addr={address}")];
        Self::at(program, arguments, transport, address)
    }

    fn peer(command: &str, transport: Transport, address: SocketAddr) -> Self {
        let command = command.replace("{port}", &address.port().to_string());
        Self::at(
            Path::new("sh"),
            vec!["-c".into(), command],
            transport,
            address,
        )
    }

    fn moq(program: &Path, address: SocketAddr) -> Self {
        let arguments = [
            &format!("--listen={address}"),
            "--listen-tls-generate=localhost",
            "--auth-public=**",
            "--log-level=error",
        ]
        .map(str::to_owned);
        Self::at(program, arguments.into(), Transport::WebTransport, address)
    }

    fn at(
        program: &Path,
        arguments: Vec<String>,
        transport: Transport,
        address: SocketAddr,
    ) -> Self {
        let is_tcp = transport == Transport::WebSocket;
        Self {
            program: program.to_owned(),
            arguments,
            tcp: is_tcp.then_some(address),
            udp: (!is_tcp).then_some(address),
        }
    }

    fn name(&self) -> String {
        let name = self.program.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// `taskset` becomes the program, so that the process is the program's.
    fn start(&self, cores: Cores) -> Result<Process, ServerError> {
        Command::new("taskset")
            .args(["-c", cores.list()])
            .arg(&self.program)
            .args(&self.arguments)
            .env("LOG", "error")
            .env_remove("NATS_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            // A group of its own: what a shell command starts is measured and killed with it.
            .process_group(0)
            .spawn()
            .map(Process)
            .map_err(io_error(format!("start {} with taskset", self.name())))
    }

    async fn wait_until_it_listens(&self, process: &mut Process) -> Result<(), ServerError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let tcp = self
                .tcp
                .is_none_or(|address| TcpStream::connect(address).is_ok());
            let udp = self
                .udp
                .is_none_or(|address| procfs::udp_port_is_bound(address.port()));
            if tcp && udp {
                return Ok(());
            }
            if let Ok(Some(status)) = process.0.try_wait() {
                return Err(ServerError::Ended(self.name(), status));
            }
            if Instant::now() > deadline {
                return Err(ServerError::Silent(self.name()));
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

struct Process(Child);

impl Drop for Process {
    /// `kill` with a negative id means the group. Its first process is not reaped yet, so the id is still its own.
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill")
            .args(["-s", "KILL", "--", &group])
            .stderr(Stdio::null())
            .status();
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running server: one process, or several with their broker.
pub struct Server {
    processes: Vec<Process>,
    /// Where clients connect, one address per relay; that of the bus where there is nothing else.
    pub addresses: Vec<SocketAddr>,
    /// Where relays serve `/metrics`; none for others.
    metrics: Vec<SocketAddr>,
}

impl Server {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// [`ServerError`] if it doesn't.
    pub async fn start(
        kind: Kind,
        transport: Transport,
        programs: &Programs,
        cores: Cores,
    ) -> Result<Self, ServerError> {
        let mut server = Self {
            processes: Vec::new(),
            addresses: Vec::new(),
            metrics: Vec::new(),
        };
        match kind {
            Kind::Relay => {
                let relay = Launch::relay(&programs.folder, free_tcp()?, free_udp()?);
                server.add_relay(&relay, transport, cores).await?;
            }
            Kind::Floor | Kind::Control => {
                let address = free(transport)?;
                let floor = Launch::floor(&programs.floor, transport, address);
                server.add(&floor, cores).await?;
                server.addresses.push(address);
            }
            Kind::Peer => {
                let address = free(transport)?;
                let command = programs.peer(transport).ok_or(ServerError::NoPeer)?;
                let peer = Launch::peer(command, transport, address);
                server.add(&peer, cores).await?;
                server.addresses.push(address);
            }
            Kind::Bus(_) => {
                let nats = server.add_nats(programs, cores).await?;
                server.addresses.push(nats);
            }
            Kind::Moq => {
                let address = free_udp()?;
                let moq = Launch::moq(&programs.moq, address);
                server.add(&moq, cores).await?;
                server.addresses.push(address);
            }
            Kind::Services(processes) => {
                let nats = server.add_nats(programs, cores).await?;
                for _ in 0..processes {
                    let service = Launch::service(
                        &programs.folder,
                        transport,
                        free_tcp()?,
                        free_udp()?,
                        nats,
                    );
                    server.add_relay(&service, transport, cores).await?;
                }
            }
        }
        Ok(server)
    }

    async fn add(&mut self, launch: &Launch, cores: Cores) -> Result<(), ServerError> {
        let mut process = launch.start(cores)?;
        launch.wait_until_it_listens(&mut process).await?;
        self.processes.push(process);
        Ok(())
    }

    async fn add_nats(
        &mut self,
        programs: &Programs,
        cores: Cores,
    ) -> Result<SocketAddr, ServerError> {
        let address = free_tcp()?;
        self.add(&Launch::nats(&programs.nats, address), cores)
            .await?;
        Ok(address)
    }

    async fn add_relay(
        &mut self,
        launch: &Launch,
        transport: Transport,
        cores: Cores,
    ) -> Result<(), ServerError> {
        self.add(launch, cores).await?;
        self.addresses.extend(match transport {
            Transport::WebSocket => launch.tcp,
            Transport::WebTransport => launch.udp,
        });
        self.metrics.extend(launch.tcp);
        Ok(())
    }

    /// Process groups of all that was started.
    #[must_use]
    pub fn groups(&self) -> Vec<u32> {
        self.processes
            .iter()
            .map(|process| process.0.id())
            .collect()
    }

    /// The sum of a counter over all relays.
    ///
    /// # Errors
    /// [`ServerError`] if one of them doesn't answer.
    pub fn counter(&self, name: &str) -> Result<u64, ServerError> {
        let mut sum = 0;
        for address in &self.metrics {
            let text = get(*address, "/metrics")
                .map_err(io_error(format!("read metrics of {address}")))?;
            sum += parse_counter(&text, name);
        }
        Ok(sum)
    }
}

/// Lets this process and its threads run on `cores` only.
///
/// # Errors
/// [`ServerError`] if there is no `taskset`, or no such core.
pub fn pin_this_process(cores: Cores) -> Result<(), ServerError> {
    pin(std::process::id(), cores)
}

/// The same for any process.
///
/// # Errors
/// As [`pin_this_process`].
pub fn pin(process: u32, cores: Cores) -> Result<(), ServerError> {
    let process = process.to_string();
    tool("taskset", &["-a", "-p", "-c", cores.list(), &process])
}

/// Lets this process, and what it starts, hold as many connections as the system allows it.
///
/// # Errors
/// [`ServerError`] if there is no `prlimit`.
pub fn raise_open_files() -> Result<(), ServerError> {
    let own = std::process::id().to_string();
    let limits = Command::new("prlimit")
        .args(["--pid", &own, "--nofile", "--noheadings", "--output=HARD"])
        .output()
        .map_err(io_error("start prlimit"))?;
    let hard = String::from_utf8_lossy(&limits.stdout).trim().to_owned();
    tool(
        "prlimit",
        &["--pid", &own, &format!("--nofile={hard}:{hard}")],
    )
}

fn tool(name: &'static str, arguments: &[&str]) -> Result<(), ServerError> {
    let status = Command::new(name)
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .map_err(io_error(format!("start {name}")))?;
    status
        .success()
        .then_some(())
        .ok_or(ServerError::Tool(name))
}

fn free(transport: Transport) -> Result<SocketAddr, ServerError> {
    match transport {
        Transport::WebSocket => free_tcp(),
        Transport::WebTransport => free_udp(),
    }
}

fn free_tcp() -> Result<SocketAddr, ServerError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    listener
        .and_then(|listener| listener.local_addr())
        .map_err(io_error("find a free TCP port"))
}

fn free_udp() -> Result<SocketAddr, ServerError> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
    socket
        .and_then(|socket| socket.local_addr())
        .map_err(io_error("find a free UDP port"))
}

/// One small request to a server of our own, at a time at which nothing is measured.
fn get(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Sums a counter over its labels in the Prometheus text format; 0 if there is none, as before the first count.
fn parse_counter(text: &str, name: &str) -> u64 {
    text.lines()
        .filter_map(|line| line.strip_prefix(name))
        .filter(|rest| rest.starts_with(['{', ' ']))
        .filter_map(|rest| rest.rsplit(' ').next()?.trim().parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, port).into()
    }

    #[test]
    fn counters_are_summed_over_labels() {
        let text = "HTTP/1.1 200 OK\r\n\r\n# TYPE x_total counter\nx_total 5\nx_total{a=\"b c\"} 7\nx_total_more 9\n";
        assert_eq!(parse_counter(text, "x_total"), 12);
        assert_eq!(parse_counter(text, "y_total"), 0);
    }

    #[test]
    fn commands_name_their_addresses() {
        let relay = Launch::relay(Path::new("bin"), at(1), at(2));
        assert_eq!(relay.program, Path::new("bin/videocall-server"));
        assert_eq!(
            relay.arguments,
            ["--http-addr=127.0.0.1:1", "--webtransport-addr=127.0.0.1:2"]
        );

        let floor = Launch::floor(Path::new("bin/bench"), Transport::WebTransport, at(3));
        assert_eq!(
            floor.arguments,
            ["floor-webtransport", "--addr=127.0.0.1:3"]
        );
        assert_eq!((floor.tcp, floor.udp), (None, Some(at(3))));

        let service = Launch::service(Path::new(""), Transport::WebSocket, at(4), at(5), at(6));
        assert_eq!(
            service.arguments,
            ["--http-addr=127.0.0.1:4", "--nats-url=nats://127.0.0.1:6"]
        );
        assert_eq!((service.tcp, service.udp), (Some(at(4)), None));

        let moq = Launch::moq(Path::new("moq-relay"), at(7));
        assert_eq!(moq.arguments.first().unwrap(), "--listen=127.0.0.1:7");
        assert_eq!((moq.tcp, moq.udp), (None, Some(at(7))));

        let peer = Launch::peer(
            "LISTEN=:{port} x --port {port}",
            Transport::WebSocket,
            at(7),
        );
        assert_eq!(peer.arguments, ["-c", "LISTEN=:7 x --port 7"]);
    }

    fn programs(peer_ws: &str) -> Programs {
        Programs {
            peer_ws: Some(peer_ws.into()),
            ..Programs::beside_this().unwrap()
        }
    }

    async fn start(programs: &Programs) -> Result<Server, ServerError> {
        Server::start(Kind::Peer, Transport::WebSocket, programs, Cores::Both).await
    }

    #[tokio::test]
    async fn a_broker_of_a_peer_is_measured_and_killed_with_it() {
        let programs = programs(&format!(
            "{} -a 127.0.0.1 -p {{port}} >/dev/null 2>&1 & wait",
            Programs::beside_this().unwrap().nats.display()
        ));
        let server = start(&programs).await.unwrap();
        let groups = server.groups();
        assert!(procfs::pss(&groups) > 1_000_000);
        assert!(TcpStream::connect(server.addresses[0]).is_ok());

        drop(server);
        assert_eq!(procfs::pss(&groups), 0);
    }

    #[tokio::test]
    async fn a_server_that_ends_is_told() {
        let error = start(&programs("exit 3")).await.err().unwrap();
        assert!(
            matches!(error, ServerError::Ended(name, status) if name == "sh" && status.code() == Some(3))
        );
    }
}
