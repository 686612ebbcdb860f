//! Reports of how a connection does, which native peers exchange.

use std::time::Duration;

use bytes::Bytes;
use protobuf::Message as _;

use crate::packet::{Packet, PacketKind};
use crate::proto::control as wire;
use crate::time::Timestamp;

/// A client reports so often while it sends or receives media.
pub const REPORT_INTERVAL: Duration = Duration::from_millis(250);
/// Most padding in one packet, in bytes; it fits a datagram.
pub const PADDING_PACKET: usize = 1_000;

/// How a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The clock of who sends it, in microseconds.
    pub time_us: u64,
    /// `time_us` of the last report from the other end, 0 if none has come, and when it came.
    pub echo_time_us: u64,
    /// In microseconds on the clock of who sends this.
    pub echo_arrival_us: u64,
    /// What has been received on this connection.
    pub received_bytes: u64,
    /// Bits per second that the connection carries from who sends this, as far as that knows; `None`: all.
    pub limit_bps: Option<u64>,
}

impl Report {
    /// Reads the payload of a packet.
    #[must_use]
    pub fn parse(payload: &Bytes) -> Option<Self> {
        let report = wire::Report::parse_from_tokio_bytes(payload).ok()?;
        Some(Self {
            time_us: report.time_us,
            echo_time_us: report.echo_time_us,
            echo_arrival_us: report.echo_arrival_us,
            received_bytes: report.received_bytes,
            limit_bps: Some(report.limit_bps).filter(|limit| *limit > 0),
        })
    }

    /// As a packet.
    #[must_use]
    pub fn to_packet(self) -> Packet {
        let mut report = wire::Report::new();
        report.time_us = self.time_us;
        report.echo_time_us = self.echo_time_us;
        report.echo_arrival_us = self.echo_arrival_us;
        report.received_bytes = self.received_bytes;
        report.limit_bps = self.limit_bps.unwrap_or(0);
        let payload = report.write_to_bytes().unwrap_or_default();
        Packet::new(PacketKind::REPORT, b"", None, b"", payload.into())
    }
}

/// Packets that only take up room, of about so many bytes together.
#[must_use]
pub fn padding(bytes: usize) -> Vec<Packet> {
    let full = Bytes::from_static(&[0; PADDING_PACKET]);
    let lengths = (0..bytes)
        .step_by(PADDING_PACKET)
        .map(|sent| PADDING_PACKET.min(bytes - sent));
    lengths
        .map(|len| Packet::new(PacketKind::PADDING, b"", None, b"", full.slice(..len)))
        .collect()
}

/// What one end knows to tell the other.
#[derive(Debug, Default)]
pub struct Reporter {
    received_bytes: u64,
    /// The clock in the last report of the other end, and when that came.
    heard: Option<(u64, Timestamp)>,
}

/// What the other end says of what we sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// When our last report left, on our clock.
    pub sent: Timestamp,
    /// When it arrived, in microseconds on the clock of the other end.
    pub arrived_us: u64,
    /// All bytes that have arrived until `counted_us`.
    pub received_bytes: u64,
    /// In microseconds on the clock of the other end.
    pub counted_us: u64,
}

impl Reporter {
    /// A packet came.
    pub const fn received(&mut self, bytes: usize) {
        self.received_bytes = self.received_bytes.saturating_add(bytes as u64);
    }

    /// A report came. `None`: the other end has not heard one of ours yet.
    pub const fn handle(&mut self, report: &Report, now: Timestamp) -> Option<Feedback> {
        self.heard = Some((report.time_us, now));
        if report.echo_time_us == 0 {
            return None;
        }
        Some(Feedback {
            sent: Timestamp::from_micros(report.echo_time_us),
            arrived_us: report.echo_arrival_us,
            received_bytes: report.received_bytes,
            counted_us: report.time_us,
        })
    }

    /// The report to send now, without a limit.
    #[must_use]
    pub fn report(&self, now: Timestamp) -> Report {
        let (echo_time_us, heard_at) = self.heard.unwrap_or((0, Timestamp::ZERO));
        Report {
            time_us: now.as_micros(),
            echo_time_us,
            echo_arrival_us: heard_at.as_micros(),
            received_bytes: self.received_bytes,
            limit_bps: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::PacketHeader;

    #[test]
    fn padding_is_as_much_as_was_asked_for_in_datagrams() {
        let lengths = |bytes| padding(bytes).iter().map(Packet::len).collect::<Vec<_>>();
        assert_eq!(lengths(0), [0; 0]);
        assert_eq!(lengths(2_500), [1_005, 1_005, 505]);
    }

    #[test]
    fn each_end_learns_when_its_report_arrived_and_what_did() {
        let read = |report: Report| {
            let header = PacketHeader::parse(&report.to_packet().to_bytes()).unwrap();
            assert_eq!(header.kind, Ok(PacketKind::REPORT));
            Report::parse(&header.data).unwrap()
        };
        let (mut near, mut far) = (Reporter::default(), Reporter::default());
        let at = Timestamp::from_millis;
        near.received(10);
        far.received(500);
        // The far clock is 7 s ahead.
        assert_eq!(far.handle(&read(near.report(at(100))), at(7_140)), None);
        let feedback = near.handle(&far.report(at(7_150)), at(190));
        assert_eq!(
            feedback,
            Some(Feedback {
                sent: at(100),
                arrived_us: 7_140_000,
                received_bytes: 500,
                counted_us: 7_150_000,
            })
        );
        let feedback = far.handle(&near.report(at(300)), at(7_340)).unwrap();
        assert_eq!(
            (feedback.sent, feedback.arrived_us, feedback.received_bytes),
            (at(7_150), 190_000, 10)
        );
    }
}
