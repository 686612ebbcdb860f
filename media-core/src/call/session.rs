//! What lives as long as one connection: heartbeats, probes and the numbers.

use std::time::Duration;

use videocall_types::Timestamp;

use super::heartbeat::{Heartbeat, MediaState};
use super::outbox::Outbox;
use super::pack;
use super::picture::Connection;
use super::receive::Receivers;
use super::stats::{Interval, bits_per_second};
use super::uplink::Uplink;
use super::watchdog::{Verdict, Watchdog};
use crate::command::Lane;
use crate::event::{Event, Stats};

/// Probes are answered once a second: when nothing has come for this time, nothing comes.
const SILENCE: Duration = Duration::from_secs(2);
/// A second that was longer than this: we were asleep, and what came meanwhile is still to be handed in.
const ASLEEP: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Session {
    watchdog: Watchdog,
    heartbeat: Heartbeat,
    interval: Interval,
    received_bytes: u64,
    received_at: Timestamp,
    pub(super) uplink: Uplink,
}

/// Whether the connection works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Health {
    Alive,
    /// Nothing comes, though something should.
    Doubtful,
    Dead,
}

impl Session {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            watchdog: Watchdog::new(now),
            heartbeat: Heartbeat::new(now),
            interval: Interval::new(now),
            received_bytes: 0,
            received_at: now,
            uplink: Uplink::new(now),
        }
    }

    pub(super) fn received(&mut self, bytes: usize, now: Timestamp) {
        self.received_bytes = self.received_bytes.saturating_add(bytes as u64);
        self.received_at = now;
        self.uplink.received(bytes);
        self.watchdog.received(now);
    }

    /// What arrived was media, which should go on.
    pub(super) fn media(&mut self, now: Timestamp) {
        self.watchdog.media(now);
        self.uplink.media(now);
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
        let _ = self.probe(now, out);
    }

    pub(super) fn handle_timeout(
        &mut self,
        state: MediaState,
        receivers: &mut Receivers,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Health {
        let health = self.probe(now, out);
        if health == Health::Dead {
            return health;
        }
        self.beat(state, now, out);
        if let Some(elapsed) = self.interval.end(now) {
            receivers.review_losses(out);
            if elapsed < ASLEEP {
                let connection = Connection {
                    is_silent: now - self.received_at >= SILENCE,
                    is_limited: self.uplink.downlink().is_some(),
                };
                receivers.review_pictures(connection, now, out);
            }
            let stats = Stats {
                interval_ms: elapsed.as_secs_f64() * 1000.0,
                rtt_ms: self.watchdog.rtt_ms(),
                sent_bps: bits_per_second(out.take_sent_bytes(), elapsed),
                received_bps: bits_per_second(std::mem::take(&mut self.received_bytes), elapsed),
                uplink_bps: self.uplink.limit(),
                downlink_bps: self.uplink.downlink(),
                tracks: receivers.take_stats(elapsed),
            };
            out.emit(Event::Stats(stats));
        }
        health
    }

    pub(super) fn poll_timeout(&self) -> Timestamp {
        let periodic = self
            .watchdog
            .poll_timeout()
            .min(self.heartbeat.poll_timeout())
            .min(self.interval.poll_timeout());
        let uplink = self.uplink.poll_timeout();
        uplink.map_or(periodic, |uplink| uplink.min(periodic))
    }

    fn probe(&mut self, now: Timestamp, out: &mut Outbox) -> Health {
        let mut health = Health::Alive;
        loop {
            match self.watchdog.handle_timeout(now) {
                Verdict::Wait => return health,
                Verdict::Probe(sent) => out.send(pack::probe(sent), Lane::Control),
                Verdict::Suspect => health = Health::Doubtful,
                Verdict::Dead => return Health::Dead,
            }
        }
    }

    fn beat(&mut self, state: MediaState, now: Timestamp, out: &mut Outbox) {
        if self.heartbeat.is_due(now) {
            out.send(pack::heartbeat(state, now), Lane::Control);
        }
    }
}
