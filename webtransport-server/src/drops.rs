//! What this endpoint drops before it is a packet.

use metrics::counter;

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The handshake took too long or failed.
    Handshake,
    /// More handshakes at once than the server does.
    Overload,
    /// A stream ended without a whole packet, or dribbled.
    StreamReset,
}

/// Counts one.
pub(crate) fn count(reason: Reason) {
    let reason = match reason {
        Reason::Handshake => "handshake",
        Reason::Overload => "overload",
        Reason::StreamReset => "stream_reset",
    };
    counter!("webtransport_drops_total", "reason" => reason).increment(1);
}
