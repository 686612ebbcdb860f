//! What was sent, what arrived where, and whether it was right.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use hdrhistogram::Histogram;
use tokio::sync::mpsc;

use super::{Place, Sending, nanos};
use crate::client::{Guard, Outgoing, Sink};
use crate::measure::{Errors, Kind, KindReport, LoadReport, Quantiles};
use crate::payload::{self, Arrived, Stamp};
use crate::scenario::Reading;
use crate::track::{Order, Track};

/// Latencies from a microsecond to a minute, to three digits.
const LONGEST_US: u64 = 60_000_000;

/// One client.
#[derive(Default)]
pub(super) struct Member {
    /// The connection; `None` while or where there is none.
    pub(super) guard: Option<Guard>,
    pub(super) sending: Option<Sending>,
    /// Kept so that the connection stays open for who never sends.
    #[expect(dead_code, reason = "held to be dropped")]
    pub(super) outgoing: Option<mpsc::UnboundedSender<Outgoing>>,
    pub(super) receiver: Option<Arc<Receiver>>,
}

impl Member {
    pub(super) fn sending(&self) -> Option<Sending> {
        self.sending.clone()
    }
}

/// What all clients write down together.
pub(super) struct Ledger {
    epoch: Instant,
    begins_ns: AtomicU64,
    ends_ns: AtomicU64,
    books: Mutex<Books>,
}

struct Books {
    sent: u64,
    /// Packets sent in the measured time by kind and room, and by whom.
    sent_by: HashMap<(Kind, usize, usize), u64>,
    delivered_bytes: u64,
    latency: BTreeMap<(&'static str, Kind), Histogram<u64>>,
    join: Histogram<u64>,
    pacing: Histogram<u64>,
    errors: Errors,
}

impl Books {
    /// How packets of all kinds to receivers of one role fared.
    fn report_of(&self, role: &str, expected: u64) -> KindReport {
        let mut all = histogram();
        for (_, latency) in self.latency.iter().filter(|((of, _), _)| *of == role) {
            // Both have the same bounds.
            let _ = all.add(latency);
        }
        KindReport {
            expected,
            delivered: all.len(),
            latency: quantiles(&all),
        }
    }
}

impl Ledger {
    pub(super) fn new() -> Self {
        Self {
            epoch: Instant::now(),
            begins_ns: AtomicU64::new(u64::MAX),
            ends_ns: AtomicU64::new(u64::MAX),
            books: Mutex::new(Books {
                sent: 0,
                sent_by: HashMap::new(),
                delivered_bytes: 0,
                latency: BTreeMap::new(),
                join: histogram(),
                pacing: histogram(),
                errors: Errors::default(),
            }),
        }
    }

    pub(super) const fn epoch(&self) -> Instant {
        self.epoch
    }

    pub(super) fn now_ns(&self) -> u64 {
        nanos(self.epoch)
    }

    pub(super) fn begin(&self) {
        self.begins_ns.store(self.now_ns(), Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.ends_ns.store(self.now_ns(), Ordering::Relaxed);
    }

    pub(super) fn refused(&self) {
        self.books().errors.refused += 1;
    }

    /// A packet goes to its connection.
    pub(super) fn sent(&self, stamp: &Stamp) {
        if !self.is_measured(stamp.due_ns) {
            return;
        }
        let late_us = self.now_ns().saturating_sub(stamp.due_ns) / 1000;
        let mut books = self.books();
        books.sent += 1;
        let key = (stamp.kind, stamp.room as usize, stamp.sender as usize);
        *books.sent_by.entry(key).or_default() += 1;
        books.pacing.saturating_record(late_us);
    }

    /// What the receivers that are connected should have got, and what they did.
    pub(super) fn report(&self, receivers: &[Arc<Receiver>]) -> LoadReport {
        let books = self.books();
        let mut delivered: BTreeMap<(&str, Kind), KindReport> = BTreeMap::new();
        for receiver in receivers {
            for ((kind, room, sender), sent) in &books.sent_by {
                if *room == receiver.place.room && !receiver.own.contains(sender) {
                    let report = delivered.entry((receiver.role(), *kind)).or_default();
                    report.expected += sent;
                }
            }
        }
        for (key, histogram) in &books.latency {
            let report = delivered.entry(*key).or_default();
            report.delivered = histogram.len();
            report.latency = quantiles(histogram);
        }
        let of_role = |wanted: &'static str| {
            delivered
                .iter()
                .filter(move |((role, _), _)| *role == wanted)
        };
        let roles: BTreeSet<&str> = delivered.keys().map(|(role, _)| *role).collect();
        let in_all = |role: &&str| {
            let expected = delivered.iter().filter(|((of, _), _)| of == role);
            let expected = expected.map(|(_, report)| report.expected).sum();
            (role.to_string(), books.report_of(role, expected))
        };
        LoadReport {
            seconds: (self.ends_ns.load(Ordering::Relaxed) - self.begins_ns.load(Ordering::Relaxed))
                as f64
                / 1e9,
            connections: receivers
                .iter()
                .filter(|receiver| receiver.is_open())
                .count() as u64,
            sent: books.sent,
            delivered_bytes: books.delivered_bytes,
            kinds: of_role("normal")
                .map(|((_, kind), report)| (*kind, *report))
                .collect(),
            roles: roles.iter().map(in_all).collect(),
            join: quantiles(&books.join),
            pacing: quantiles(&books.pacing),
            errors: books.errors,
            generator_cpu_seconds: 0.0,
        }
    }

    fn is_measured(&self, due_ns: u64) -> bool {
        let begins = self.begins_ns.load(Ordering::Relaxed);
        due_ns >= begins && due_ns < self.ends_ns.load(Ordering::Relaxed)
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One client's end of what comes.
pub(super) struct Receiver {
    /// Clients whose packets do not come here.
    own: Vec<usize>,
    place: Place,
    /// The transport keeps the order of every track.
    ordered: bool,
    ledger: Arc<Ledger>,
    connecting_ns: AtomicU64,
    open: AtomicBool,
    keyframe_wanted: Arc<AtomicBool>,
    tracks: Mutex<HashMap<(u32, Kind), Track>>,
}

impl Receiver {
    pub(super) fn new(ledger: &Arc<Ledger>, own: Vec<usize>, place: Place, ordered: bool) -> Self {
        Self {
            own,
            place,
            ordered,
            ledger: ledger.clone(),
            connecting_ns: AtomicU64::new(0),
            open: AtomicBool::new(true),
            keyframe_wanted: Arc::default(),
            tracks: Mutex::default(),
        }
    }

    pub(super) fn keyframe_wanted(&self) -> Arc<AtomicBool> {
        self.keyframe_wanted.clone()
    }

    pub(super) fn connecting(&self) {
        self.connecting_ns
            .store(self.ledger.now_ns(), Ordering::Relaxed);
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    const fn role(&self) -> &'static str {
        match self.place.reading {
            Reading::Eager => "normal",
            Reading::Limited(_) => "slow",
            Reading::Stalled => "stalled",
        }
    }

    fn measured(&self, stamp: &Stamp, len: usize) {
        let now_ns = self.ledger.now_ns();
        let foreign =
            stamp.room as usize != self.place.room || self.own.contains(&(stamp.sender as usize));
        let order = {
            let mut tracks = self.tracks.lock().unwrap_or_else(PoisonError::into_inner);
            let track = tracks.entry((stamp.sender, stamp.kind)).or_default();
            track.take(stamp.sequence)
        };
        let mut books = self.ledger.books();
        books.errors.foreign += u64::from(foreign);
        books.errors.duplicate += u64::from(order == Order::Duplicate);
        books.errors.out_of_order += u64::from(order == Order::Late && self.ordered);
        if !foreign && order != Order::Duplicate && self.ledger.is_measured(stamp.due_ns) {
            books.delivered_bytes += len as u64;
            let latency_us = now_ns.saturating_sub(stamp.due_ns) / 1000;
            books
                .latency
                .entry((self.role(), stamp.kind))
                .or_insert_with(histogram)
                .saturating_record(latency_us);
        }
    }
}

impl Sink for Receiver {
    fn packet(&self, bytes: Bytes) {
        let connecting = self.connecting_ns.swap(0, Ordering::Relaxed);
        if connecting > 0 {
            let joined_us = self.ledger.now_ns().saturating_sub(connecting) / 1000;
            self.ledger.books().join.saturating_record(joined_us);
        }
        match payload::read(&bytes) {
            Arrived::Measured(stamp) => self.measured(&stamp, bytes.len()),
            Arrived::Corrupt => self.corrupt(),
            Arrived::KeyframeRequest => self.keyframe_wanted.store(true, Ordering::Relaxed),
            Arrived::Other => {}
        }
    }

    fn corrupt(&self) {
        self.ledger.books().errors.corrupt += 1;
    }

    fn reading(&self) -> Reading {
        self.place.reading
    }

    fn stalled(&self) -> bool {
        self.place.reading == Reading::Stalled
            && self.ledger.now_ns() >= self.ledger.begins_ns.load(Ordering::Relaxed)
    }

    fn closed(&self) {
        // The relay may end the session of a client that does not read.
        if self.open.swap(false, Ordering::Relaxed) && self.place.reading == Reading::Eager {
            self.ledger.books().errors.closed += 1;
        }
    }
}

#[expect(clippy::expect_used, reason = "the bounds are constants")]
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_US, 3).expect("the bounds are valid")
}

fn quantiles(histogram: &Histogram<u64>) -> Quantiles {
    Quantiles {
        count: histogram.len(),
        p50: histogram.value_at_quantile(0.5),
        p90: histogram.value_at_quantile(0.9),
        p99: histogram.value_at_quantile(0.99),
        p999: histogram.value_at_quantile(0.999),
        max: histogram.max(),
    }
}
