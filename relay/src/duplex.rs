//! A connection in memory: the relay's half for [`session::run`](crate::session::run), the client's half for a test.

use tokio::sync::{mpsc, watch};
use videocall_types::{Bytes, CloseCode, Packet, SessionId};

use crate::transport::{
    Channel, DatagramWriter, Lane, Outgoing, PacketReader, PacketWriter, ReadError, Received,
    WriteError,
};

/// What the client's half gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// A packet and the lane that it came on. Nothing has copied it: a test sees what a transport gets.
    Packet(Packet, Lane),
    /// [`PacketWriter::close_tracks`]
    TracksClosed(SessionId),
}

/// The client's half. Dropping it closes the connection.
#[derive(Debug)]
pub struct Peer {
    to_relay: mpsc::Sender<Received>,
    from_relay: mpsc::Receiver<Sent>,
    closed: watch::Receiver<Option<CloseCode>>,
}

/// The relay's receiving half.
#[derive(Debug)]
pub struct DuplexReader(mpsc::Receiver<Received>);

/// The relay's sending half.
#[derive(Debug)]
pub struct DuplexWriter {
    to_peer: mpsc::Sender<Sent>,
    closed: watch::Sender<Option<CloseCode>>,
}

/// The relay's datagrams.
#[derive(Debug)]
pub struct DuplexDatagrams(mpsc::Sender<Sent>);

/// A connection that holds `capacity` packets in each direction before a sender waits.
#[must_use]
pub fn pair(capacity: usize) -> (DuplexReader, DuplexWriter, Peer) {
    let (to_relay, reader) = mpsc::channel(capacity);
    let (to_peer, from_relay) = mpsc::channel(capacity);
    let (closed_tx, closed) = watch::channel(None);
    let writer = DuplexWriter {
        to_peer,
        closed: closed_tx,
    };
    (
        DuplexReader(reader),
        writer,
        Peer {
            to_relay,
            from_relay,
            closed,
        },
    )
}

impl Peer {
    /// Sends a serialized packet. Lost if the relay has closed the connection.
    pub async fn send(&self, bytes: Bytes, channel: Channel) {
        let _ = self.to_relay.send(Received { bytes, channel }).await;
    }

    /// The next thing that comes; `None` when the relay has closed the connection.
    pub async fn recv(&mut self) -> Option<Sent> {
        self.from_relay.recv().await
    }

    /// What has come already.
    pub fn try_recv(&mut self) -> Option<Sent> {
        self.from_relay.try_recv().ok()
    }

    /// Waits until the relay has closed the connection; `None` if it vanished without a reason.
    pub async fn closed(&mut self) -> Option<CloseCode> {
        self.closed
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|code| *code)
    }
}

impl PacketReader for DuplexReader {
    async fn recv(&mut self) -> Result<Option<Received>, ReadError> {
        Ok(self.0.recv().await)
    }
}

impl PacketWriter for DuplexWriter {
    type Datagrams = DuplexDatagrams;

    fn datagrams(&self) -> DuplexDatagrams {
        DuplexDatagrams(self.to_peer.clone())
    }

    async fn send(&mut self, out: &Outgoing) -> Result<(), WriteError> {
        self.to_peer
            .send(Sent::Packet(out.packet.clone(), out.lane))
            .await
            .map_err(|_| WriteError)
    }

    fn close_tracks(&mut self, source: SessionId) {
        // A peer that does not read is told nothing: only tests look at this.
        let _ = self.to_peer.try_send(Sent::TracksClosed(source));
    }

    async fn close(self, code: CloseCode) {
        self.closed.send_replace(Some(code));
    }
}

impl DatagramWriter for DuplexDatagrams {
    fn try_send(&self, packet: &Packet) -> bool {
        self.0
            .try_send(Sent::Packet(packet.clone(), Lane::Datagram))
            .is_ok()
    }
}
