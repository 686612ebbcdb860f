//! What lives as long as one connection: heartbeats, probes and the numbers.

use videocall_types::Timestamp;

use super::heartbeat::{Heartbeat, MediaState};
use super::outbox::Outbox;
use super::pack;
use super::receive::Receivers;
use super::stats::{Interval, bits_per_second};
use super::watchdog::{Verdict, Watchdog};
use crate::command::Lane;
use crate::event::{Event, Stats};

#[derive(Debug)]
pub(super) struct Session {
    watchdog: Watchdog,
    heartbeat: Heartbeat,
    interval: Interval,
    received_bytes: u64,
}

impl Session {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            watchdog: Watchdog::new(now),
            heartbeat: Heartbeat::new(now),
            interval: Interval::new(now),
            received_bytes: 0,
        }
    }

    pub(super) fn received(&mut self, bytes: usize, now: Timestamp) {
        self.received_bytes = self.received_bytes.saturating_add(bytes as u64);
        self.watchdog.received(now);
    }

    pub(super) fn probe_answered(&mut self, sent: Timestamp, now: Timestamp) {
        self.watchdog.answered(sent, now);
    }

    /// What we publish has changed.
    pub(super) fn state_changed(&mut self, state: MediaState, now: Timestamp, out: &mut Outbox) {
        self.heartbeat.hurry(now);
        self.beat(state, now, out);
    }

    /// The network may have changed under the connection.
    pub(super) fn doubt(&mut self, now: Timestamp, out: &mut Outbox) {
        self.watchdog.doubt(now);
        self.probe(now, out);
    }

    /// False if the connection is dead.
    pub(super) fn handle_timeout(
        &mut self,
        state: MediaState,
        receivers: &mut Receivers,
        now: Timestamp,
        out: &mut Outbox,
    ) -> bool {
        if !self.probe(now, out) {
            return false;
        }
        self.beat(state, now, out);
        if let Some(elapsed) = self.interval.end(now) {
            receivers.review_losses(out);
            let stats = Stats {
                interval_ms: elapsed.as_secs_f64() * 1000.0,
                rtt_ms: self.watchdog.rtt_ms(),
                sent_bps: bits_per_second(out.take_sent_bytes(), elapsed),
                received_bps: bits_per_second(std::mem::take(&mut self.received_bytes), elapsed),
                tracks: receivers.take_stats(elapsed),
            };
            out.emit(Event::Stats(stats));
        }
        true
    }

    pub(super) fn poll_timeout(&self) -> Timestamp {
        self.watchdog
            .poll_timeout()
            .min(self.heartbeat.poll_timeout())
            .min(self.interval.poll_timeout())
    }

    fn probe(&mut self, now: Timestamp, out: &mut Outbox) -> bool {
        match self.watchdog.handle_timeout(now) {
            Verdict::Wait => true,
            Verdict::Probe(sent) => {
                out.send(pack::probe(sent), Lane::Control);
                true
            }
            Verdict::Dead => false,
        }
    }

    fn beat(&mut self, state: MediaState, now: Timestamp, out: &mut Outbox) {
        if self.heartbeat.is_due(now) {
            out.send(pack::heartbeat(state, now), Lane::Control);
        }
    }
}
