//! Connections that cost the generator as little as possible, so that it holds thousands on one core.

pub mod nats;
mod stop;
pub mod websocket;
pub mod webtransport;

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite;
use wtransport::quinn;

use crate::measure::{Framing, Kind};
use crate::scenario::Reading;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// TCP, or the local socket.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The WebSocket handshake.
    #[error(transparent)]
    WebSocket(#[from] Box<tungstenite::Error>),
    /// The QUIC handshake.
    #[error(transparent)]
    Connect(#[from] quinn::ConnectError),
    /// The QUIC connection was lost in the handshake.
    #[error(transparent)]
    Connection(#[from] quinn::ConnectionError),
    /// What came is not HTTP/3 as WebTransport needs it.
    #[error("the server does not answer as WebTransport does")]
    Http3,
    /// The server does not want it.
    #[error("the server refused with status {0}")]
    Refused(u16),
}

/// A packet to send.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// Serialized.
    pub packet: Bytes,
    /// What it carries: native framing has a stream for each.
    pub kind: Kind,
    /// Whether it is decodable on its own.
    pub key: bool,
}

/// What a connection does with what comes.
pub trait Sink: Send + Sync + 'static {
    /// A whole packet has come.
    fn packet(&self, bytes: Bytes);
    /// Something has come that is no packet.
    fn corrupt(&self);
    /// How eagerly to read.
    fn reading(&self) -> Reading;
    /// Ends when the connection shall stop reading, for [`Reading::Stalled`].
    fn stalled(&self) -> bool;
    /// The connection has ended by itself.
    fn closed(&self);
}

/// What a connection is made of.
pub struct Plan<S> {
    /// `host:port` and path with query.
    pub authority: String,
    /// Path with query.
    pub target: String,
    /// How packets lie on it.
    pub framing: Framing,
    /// Where packets go that come.
    pub sink: Arc<S>,
    /// What is sent first.
    pub first: Option<Outgoing>,
    /// Packets to send.
    pub outgoing: mpsc::UnboundedReceiver<Outgoing>,
}

/// Keeps a connection open: it is closed when this is dropped.
pub struct Guard(#[expect(dead_code, reason = "held to be dropped")] stop::AbortOnDrop);

/// Runs `connection` beside the caller.
pub fn guard(connection: impl Future<Output = ()> + Send + 'static) -> Guard {
    Guard(stop::AbortOnDrop::spawn(connection))
}
