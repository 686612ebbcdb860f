//! The load generator.

pub mod bus;
mod ledger;
mod network;

use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use crate::client::{ConnectError, Guard, Outgoing};
use crate::measure::{Framing, Kind, LoadReport, Transport};
use crate::pacing::{self, Due, Schedule};
use crate::payload::{self, Stamp};
use crate::procfs;
use crate::scenario::{Reading, Scenario};
use ledger::{Ledger, Member, Receiver};
use network::Relays;
pub use network::{Joining, Network};

/// A sender's frames are decodable on their own this often at least.
const KEYFRAME_EVERY: u64 = 60;
/// How long packets may be under way after the measured time.
const GRACE: Duration = Duration::from_secs(2);
const CONNECT_DEADLINE: Duration = Duration::from_secs(20);

/// A server under load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// How clients reach it.
    pub transport: Transport,
    /// How packets lie on the connection.
    pub framing: Framing,
}

/// How long a run takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Full load that is not measured, after all have joined.
    pub warm_up: Duration,
    /// Full load that is measured.
    pub measured: Duration,
}

/// Told when the measured time begins and ends, to look at the server at just these moments.
pub trait Observer {
    /// The measured time begins.
    fn begins(&mut self);
    /// The measured time has ended; all clients are still connected.
    fn ends(&mut self);
}

/// For who does not care.
impl Observer for () {
    fn begins(&mut self) {}
    fn ends(&mut self) {}
}

/// Puts `scenario` on `targets` and reports what arrived. Clients are spread over the targets one by one, so that the
/// members of a room meet through all of them. Senders join first, then all others while these send.
///
/// # Errors
/// If nobody could join, or there is no socket.
pub async fn run(
    targets: &[Target],
    scenario: &Scenario,
    span: Span,
    observer: &mut impl Observer,
) -> io::Result<LoadReport> {
    run_on(Relays::new(targets)?, scenario, span, observer).await
}

/// The same on any network that clients can be connected to.
///
/// # Errors
/// If nobody could join.
pub async fn run_on(
    network: impl Network,
    scenario: &Scenario,
    span: Span,
    observer: &mut impl Observer,
) -> io::Result<LoadReport> {
    let mut crowd = Crowd::new(network, scenario);
    let (senders, listeners): (Vec<_>, Vec<_>) =
        (0..scenario.connections()).partition(|index| place(scenario, *index).sends);
    let senders_join = if listeners.is_empty() {
        scenario.ramp
    } else {
        Duration::from_millis(20) * u32::try_from(senders.len()).unwrap_or(u32::MAX)
    };
    crowd.join(&senders, senders_join).await;
    let members = crowd.members.iter().map(Member::sending).collect();
    let sending = send(scenario, members, &crowd.ledger);
    crowd.join(&listeners, scenario.ramp).await;
    if crowd.members.iter().all(|member| member.guard.is_none()) {
        return Err(io::Error::other("nobody could join"));
    }
    Ok(measure(&crowd.ledger, span, observer, &crowd.receivers(), sending).await)
}

/// Begins to send for all `members` that do; the others are `None`.
fn send(
    scenario: &Scenario,
    members: Vec<Option<Sending>>,
    ledger: &Arc<Ledger>,
) -> Option<JoinHandle<()>> {
    let all = members.iter().enumerate();
    let senders: Vec<usize> = all
        .filter_map(|(index, member)| member.as_ref().map(|_| index))
        .collect();
    if senders.is_empty() {
        return None;
    }
    let schedule = Schedule::new(scenario, &senders, ledger.now_ns());
    let due = pacing::start(schedule, ledger.epoch());
    let dispatcher = Dispatcher {
        scenario: scenario.clone(),
        members,
        ledger: ledger.clone(),
    };
    Some(tokio::spawn(dispatcher.run(due)))
}

/// Lets the load run, and ends it.
async fn measure(
    ledger: &Ledger,
    span: Span,
    observer: &mut impl Observer,
    receivers: &[Arc<Receiver>],
    sending: Option<JoinHandle<()>>,
) -> LoadReport {
    sleep(span.warm_up).await;
    let cpu = procfs::own_cpu_seconds();
    ledger.begin();
    observer.begins();
    sleep(span.measured).await;
    ledger.end();
    observer.ends();
    let cpu = procfs::own_cpu_seconds() - cpu;
    sleep(GRACE).await;
    if let Some(sending) = sending {
        sending.abort();
    }
    let mut report = ledger.report(receivers);
    report.generator_cpu_seconds = cpu;
    report
}

/// Where a client stands in its scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    room: usize,
    sends: bool,
    reading: Reading,
}

fn place(scenario: &Scenario, index: usize) -> Place {
    let per_room = scenario.senders + scenario.listeners;
    let (room, position) = (index / per_room, index % per_room);
    let odd = position
        .checked_sub(scenario.senders)
        .and_then(|listener| scenario.odd_listeners.get(listener));
    Place {
        room,
        sends: position < scenario.senders,
        reading: odd.copied().unwrap_or(Reading::Eager),
    }
}

/// The clients that send in a room.
fn senders_of(scenario: &Scenario, room: usize) -> Range<usize> {
    let first = room * (scenario.senders + scenario.listeners);
    first..first + scenario.senders
}

/// The way to one sender's connection.
#[derive(Clone)]
pub(crate) struct Sending {
    room: usize,
    framing: Framing,
    outgoing: mpsc::UnboundedSender<Outgoing>,
    keyframe_wanted: Arc<AtomicBool>,
}

/// All clients.
struct Crowd<N> {
    network: N,
    scenario: Scenario,
    ledger: Arc<Ledger>,
    members: Vec<Member>,
}

impl<N: Network> Crowd<N> {
    fn new(network: N, scenario: &Scenario) -> Self {
        Self {
            network,
            scenario: scenario.clone(),
            ledger: Arc::new(Ledger::new()),
            members: (0..scenario.connections())
                .map(|_| Member::default())
                .collect(),
        }
    }

    /// Connects `clients` one after the other within `ramp`. Who can't is counted.
    async fn join(&mut self, clients: &[usize], ramp: Duration) {
        let mut joining = JoinSet::new();
        let started = tokio::time::Instant::now();
        for (count, index) in clients.iter().enumerate() {
            let at = started + ramp.mul_f64(count as f64 / clients.len() as f64);
            let (member, connecting) = self.connect(*index);
            let (ledger, index) = (self.ledger.clone(), *index);
            if let Some(place) = self.members.get_mut(index) {
                *place = member;
            }
            joining.spawn(async move {
                tokio::time::sleep_until(at).await;
                let connected = tokio::time::timeout(CONNECT_DEADLINE, connecting).await;
                let guard = match connected {
                    Ok(Ok(guard)) => Some(guard),
                    Ok(Err(_)) | Err(_) => {
                        ledger.refused();
                        None
                    }
                };
                (index, guard)
            });
        }
        while let Some(joined) = joining.join_next().await {
            if let Ok((index, guard)) = joined
                && let Some(member) = self.members.get_mut(index)
            {
                member.guard = guard;
            }
        }
    }

    fn connect(
        &self,
        index: usize,
    ) -> (
        Member,
        impl Future<Output = Result<Guard, ConnectError>> + Send + 'static,
    ) {
        let place = place(&self.scenario, index);
        let ordered = self.network.keeps_order(index);
        let receiver = Arc::new(Receiver::new(&self.ledger, vec![index], place, ordered));
        let (outgoing_tx, outgoing) = mpsc::unbounded_channel();
        let member = Member {
            guard: None,
            sending: place.sends.then(|| Sending {
                room: place.room,
                framing: self.network.framing(index),
                outgoing: outgoing_tx.clone(),
                keyframe_wanted: receiver.keyframe_wanted(),
            }),
            outgoing: Some(outgoing_tx),
            receiver: Some(receiver.clone()),
        };
        let joining = Joining {
            index,
            room: place.room,
            sends: place.sends,
            senders: senders_of(&self.scenario, place.room),
            sink: receiver.clone(),
            outgoing,
        };
        let network = self.network.clone();
        let connecting = async move {
            receiver.connecting();
            network.connect(joining).await
        };
        (member, connecting)
    }

    fn receivers(&self) -> Vec<Arc<Receiver>> {
        let connected = self.members.iter().filter(|member| member.guard.is_some());
        connected
            .filter_map(|member| member.receiver.clone())
            .collect()
    }
}

/// Makes packets of what is due and gives each to its sender's connection.
struct Dispatcher {
    scenario: Scenario,
    members: Vec<Option<Sending>>,
    ledger: Arc<Ledger>,
}

impl Dispatcher {
    async fn run(self, mut due: mpsc::UnboundedReceiver<Due>) {
        while let Some(due) = due.recv().await {
            self.send(&due);
        }
    }

    fn send(&self, due: &Due) {
        let pace = match due.kind {
            Kind::Video => self.scenario.video,
            Kind::Audio => self.scenario.audio,
        };
        let (Some(pace), Some(Some(sender))) = (pace, self.members.get(due.client)) else {
            return;
        };
        let key = due.kind == Kind::Audio
            || due.sequence.is_multiple_of(KEYFRAME_EVERY)
            || sender.keyframe_wanted.swap(false, Ordering::Relaxed);
        let stamp = Stamp {
            room: sender.room as u32,
            sender: due.client as u32,
            kind: due.kind,
            due_ns: due.at_ns,
            sequence: due.sequence,
        };
        let packet = payload::packet(&stamp, pace.bytes, key, sender.framing);
        self.ledger.sent(&stamp);
        // A connection that has ended is counted by its receiver.
        let _ = sender.outgoing.send(Outgoing {
            packet,
            kind: due.kind,
            key,
        });
    }
}

/// A moment of the run, in nanoseconds.
fn nanos(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
