//! What a session needs of a connection. Each transport implements it; [`Duplex`](crate::duplex) is the one in memory.

use std::future::Future;

use videocall_types::{Bytes, CloseCode, Packet, SessionId, Track};

/// How a packet came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Reliable: a stream or a WebSocket message.
    Stream,
    /// A datagram.
    Datagram,
}

/// One packet as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The serialized packet. Empty: only a sign of life, such as a WebSocket pong or the `ping` datagram.
    pub bytes: Bytes,
    /// How it came in.
    pub channel: Channel,
}

/// Why nothing more can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A packet over the size limit.
    #[error("packet too large")]
    TooLarge,
    /// What came is no packet at all, such as a text message.
    #[error("not a packet")]
    Malformed,
    /// The connection broke.
    #[error("connection lost")]
    Lost,
}

impl ReadError {
    /// What the connection is closed with.
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::TooLarge => CloseCode::TooLarge,
            Self::Malformed => CloseCode::Malformed,
            Self::Lost => CloseCode::Idle,
        }
    }
}

/// The receiving half of a connection.
pub trait PacketReader {
    /// The next packet; `Ok(None)` when the peer has closed the connection because it leaves. A peer that closes it with
    /// [`CloseCode::Idle`] has only lost it.
    ///
    /// Packets of one stream come in order; where each packet has its own stream, in the order in which the streams
    /// were opened. The relay takes a step backwards in a video track for loss. The returned future is polled until it
    /// is ready or the session ends; it needs not be cancel safe.
    fn recv(&mut self) -> impl Future<Output = Result<Option<Received>, ReadError>>;
}

/// Where a packet shall travel. A transport with one ordered channel ignores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Reliable and in order among its like.
    Control,
    /// Reliable and in order on the stream of that track of that source.
    Track {
        /// The source.
        session: SessionId,
        /// Its track.
        track: Track,
    },
    /// A datagram if it can be sent at once ([`DatagramWriter::try_send`]), otherwise as [`Lane::Track`].
    TrackDatagram {
        /// The source.
        session: SessionId,
        /// Its track.
        track: Track,
    },
    /// A datagram, or nothing. Never given to [`PacketWriter::send`].
    Datagram,
}

/// A packet on its way out.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The packet.
    pub packet: Packet,
    /// Where it shall travel.
    pub lane: Lane,
}

/// Why nothing more can be written: the connection is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("connection lost")]
pub struct WriteError;

/// The sending half of a connection.
pub trait PacketWriter {
    /// The way for datagrams. It works beside a [`send`](Self::send) that waits.
    type Datagrams: DatagramWriter;

    /// The way for datagrams; [`NoDatagrams`] where there is none.
    fn datagrams(&self) -> Self::Datagrams;

    /// Sends one packet; waits while the connection can't take it.
    fn send(&mut self, out: &Outgoing) -> impl Future<Output = Result<(), WriteError>>;

    /// `source` has left: nothing more comes on the lanes of its tracks.
    fn close_tracks(&mut self, _source: SessionId) {}

    /// Says why and closes. Bounded in time by the implementation.
    fn close(self, code: CloseCode) -> impl Future<Output = ()>;
}

/// Sends datagrams.
pub trait DatagramWriter {
    /// Sends `packet` as a datagram without waiting. False: it can't be sent so.
    fn try_send(&self, packet: &Packet) -> bool;
}

/// For connections without datagrams.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDatagrams;

impl DatagramWriter for NoDatagrams {
    fn try_send(&self, _packet: &Packet) -> bool {
        false
    }
}
