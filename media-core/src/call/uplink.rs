//! How much of what we send the connection carries, and what the relay hears of what we get.

use std::time::Duration;

use videocall_types::Timestamp;
use videocall_types::bandwidth::Bandwidth;
use videocall_types::report::{REPORT_INTERVAL, Report, Reporter, padding};

use super::outbox::Outbox;
use super::stats::bits_per_second;
use crate::command::Lane;

/// What waits in front of the transport is judged by at least this rate, in bits per second.
const SLOWEST: u64 = 50_000;

/// Lives as long as one connection.
#[derive(Debug)]
pub(super) struct Uplink {
    reporter: Reporter,
    bandwidth: Bandwidth,
    /// `None`: no media flow.
    next_report: Option<Timestamp>,
    /// Media came or went since the last report.
    flows: bool,
    /// Bytes that the estimate has heard of.
    counted: u64,
    rate: SendRate,
    /// Bytes that the transport has not taken yet.
    waiting: u64,
    /// Bits per second that come at most, as the relay says.
    downlink: Option<u64>,
}

impl Uplink {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            reporter: Reporter::default(),
            bandwidth: Bandwidth::default(),
            next_report: None,
            flows: false,
            counted: 0,
            rate: SendRate {
                since: now,
                bytes: 0,
                rate: 0,
            },
            waiting: 0,
            downlink: None,
        }
    }

    /// Bits per second that the connection carries; `None`: all.
    pub(super) const fn limit(&self) -> Option<u64> {
        self.bandwidth.limit()
    }

    /// Bits per second that come at most, as the relay says; `None`: all.
    pub(super) const fn downlink(&self) -> Option<u64> {
        self.downlink
    }

    /// Bits per second that would be of use beyond the limit.
    pub(super) fn want(&mut self, wanted: Option<u64>, now: Timestamp) {
        self.bandwidth.want(wanted, now);
    }

    /// A packet came.
    pub(super) const fn received(&mut self, bytes: usize) {
        self.reporter.received(bytes);
    }

    /// Media come or go: the other end is told how the connection does.
    pub(super) fn media(&mut self, now: Timestamp) {
        self.flows = true;
        self.next_report.get_or_insert(now + REPORT_INTERVAL);
    }

    /// So many bytes have not been taken by the transport.
    pub(super) const fn waiting(&mut self, bytes: u64) {
        self.waiting = bytes;
    }

    /// The relay reports. True if the limit has changed.
    pub(super) fn handle(&mut self, report: &Report, now: Timestamp, out: &Outbox) -> bool {
        self.downlink = report.limit_bps;
        let Some(feedback) = self.reporter.handle(report, now) else {
            // It asks for one, before packets can pile up on the way.
            self.next_report = Some(now);
            return false;
        };
        self.count(out);
        let rate = self.rate.update(out.total_sent(), now);
        let micros = self.waiting.saturating_mul(8_000_000) / rate.max(SLOWEST);
        let backlog = Duration::from_micros(micros);
        self.bandwidth.handle(&feedback, backlog, now)
    }

    /// Sends what is due. True if the limit has changed.
    pub(super) fn handle_timeout(&mut self, now: Timestamp, out: &mut Outbox) -> bool {
        if self.next_report.is_some_and(|at| now >= at) {
            self.next_report = std::mem::take(&mut self.flows).then(|| now + REPORT_INTERVAL);
            let report = Report {
                limit_bps: self.bandwidth.limit(),
                ..self.reporter.report(now)
            };
            out.send(report.to_packet(), Lane::Control);
        }
        if self.bandwidth.poll_timeout().is_none_or(|at| now < at) {
            return false;
        }
        self.count(out);
        let before = self.bandwidth.limit();
        for packet in padding(self.bandwidth.padding(now)) {
            out.send(packet, Lane::Padding);
        }
        before != self.bandwidth.limit()
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        let padding = self.bandwidth.poll_timeout();
        self.next_report.into_iter().chain(padding).min()
    }

    fn count(&mut self, out: &Outbox) {
        let sent = out.total_sent().saturating_sub(self.counted);
        self.counted = out.total_sent();
        self.bandwidth
            .sent(usize::try_from(sent).unwrap_or(usize::MAX));
    }
}

/// Bits per second that were sent between the last reports.
#[derive(Debug)]
struct SendRate {
    since: Timestamp,
    bytes: u64,
    rate: u64,
}

impl SendRate {
    fn update(&mut self, total: u64, now: Timestamp) -> u64 {
        let elapsed = now - self.since;
        if elapsed >= REPORT_INTERVAL / 2 {
            let bytes = total.saturating_sub(self.bytes);
            self.rate = bits_per_second(bytes, elapsed);
            (self.since, self.bytes) = (now, total);
        }
        self.rate
    }
}
