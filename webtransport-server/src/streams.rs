//! What both framings share: what arrives on a connection, and how much of it may wait in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use relay::transport::{Lane, ReadError};
use videocall_types::limits::MAX_PACKET_BYTES;
use videocall_types::{CloseCode, Track};
use wtransport::error::{ApplicationClose, ConnectionError};
use wtransport::proto::stream_header::StreamHeader;
use wtransport::{Connection, RecvStream};

/// A packet that takes longer from its first byte to its last is of no use; its stream is reset.
pub(crate) const PACKET_DEADLINE: Duration = Duration::from_secs(5);
/// Most bytes taken off a stream at once.
pub(crate) const MAX_CHUNK: usize = 64 * 1024;
/// Incomplete packets of one session: one of the largest, and what other tracks send meanwhile.
const MAX_WAITING_BYTES: usize = MAX_PACKET_BYTES * 3 / 2;

/// Something new on a connection.
pub(crate) enum Arrival {
    Stream(RecvStream),
    Datagram(Bytes),
    /// The peer has closed the connection.
    Closed,
}

/// Waits for the next stream or datagram. Cancel safe.
pub(crate) async fn next_arrival(connection: &Connection) -> Result<Arrival, ReadError> {
    let arrival = tokio::select! {
        stream = connection.accept_uni() => stream.map(Arrival::Stream),
        datagram = connection.receive_datagram() => datagram.map(|datagram| Arrival::Datagram(datagram.payload())),
    };
    match arrival {
        Ok(arrival) => Ok(arrival),
        Err(ConnectionError::ApplicationClosed(close)) if is_lost(&close) => Err(ReadError::Lost),
        Err(
            ConnectionError::ApplicationClosed(_)
            | ConnectionError::ConnectionClosed(_)
            | ConnectionError::LocallyClosed,
        ) => Ok(Arrival::Closed),
        Err(
            ConnectionError::LocalH3Error(_)
            | ConnectionError::TimedOut
            | ConnectionError::QuicProto(_)
            | ConnectionError::CidsExhausted,
        ) => Err(ReadError::Lost),
    }
}

/// Whether a client closes the connection without leaving.
fn is_lost(close: &ApplicationClose) -> bool {
    close.code().into_inner() == u64::from(CloseCode::Idle.code())
}

/// Why a packet can't be read off its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamError {
    /// The packet, or all incomplete ones together, are over the limit.
    TooLarge,
    /// The peer has reset the stream, or was too slow. Others are not affected.
    Gone,
}

/// Bytes of a session's incomplete packets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    /// A share of it for one stream.
    pub(crate) fn share(&self) -> Share {
        Share {
            all: self.clone(),
            own: 0,
        }
    }
}

/// What one stream holds; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    all: Waiting,
    own: usize,
}

impl Share {
    /// This stream holds `bytes` from now on.
    pub(crate) fn set(&mut self, bytes: usize) -> Result<(), StreamError> {
        let all = if bytes >= self.own {
            let more = bytes - self.own;
            self.all.0.fetch_add(more, Ordering::Relaxed) + more
        } else {
            self.all.0.fetch_sub(self.own - bytes, Ordering::Relaxed)
        };
        let grew = bytes > self.own;
        self.own = bytes;
        if grew && all > MAX_WAITING_BYTES {
            Err(StreamError::TooLarge)
        } else {
            Ok(())
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.all.0.fetch_sub(self.own, Ordering::Relaxed);
    }
}

/// What every stream of the session begins with (draft-ietf-webtrans-http3, section 4.2).
pub(crate) fn stream_head(connection: &Connection) -> Bytes {
    let header = StreamHeader::new_webtransport(connection.session_id());
    let mut head = Vec::with_capacity(header.write_size());
    // Writing to a Vec can't fail.
    let _ = header.write(&mut head);
    head.into()
}

/// Which of a session's streams go first when not all can.
pub(crate) const fn priority(lane: Lane) -> i32 {
    match lane {
        Lane::Control | Lane::Datagram => 3,
        Lane::Track { track, .. } | Lane::TrackDatagram { track, .. } => match track {
            Track::Microphone | Track::ScreenAudio => 2,
            Track::Screen => 1,
            Track::Camera => 0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_streams_hold_is_bounded_together_and_given_back() {
        let waiting = Waiting::default();
        let (mut one, mut two) = (waiting.share(), waiting.share());
        assert_eq!(one.set(MAX_PACKET_BYTES), Ok(()));
        assert_eq!(two.set(MAX_PACKET_BYTES), Err(StreamError::TooLarge));
        assert_eq!(two.set(10), Ok(()));
        drop(one);
        assert_eq!(two.set(MAX_PACKET_BYTES), Ok(()));
        drop(two);
        assert_eq!(waiting.0.load(Ordering::Relaxed), 0);
    }
}
