//! The connections of a call.

mod websocket;
mod webtransport;

use std::collections::{BTreeMap, BTreeSet};

use media_core::Input;
use media_core::command::{Lane, TransportId, TransportKind};
use videocall_types::{CloseCode, Packet};

use super::work::Queue;

enum Connection {
    WebSocket(websocket::Connection),
    WebTransport(webtransport::Connection),
}

/// Every connection that is open, opening or closing.
pub(super) struct Transports {
    queue: Queue,
    connections: BTreeMap<TransportId, Connection>,
    /// Those that are closing. On a dead network that can take the browser minutes.
    closing: BTreeSet<TransportId>,
}

impl Transports {
    pub(super) fn new(queue: Queue) -> Self {
        Self {
            queue,
            connections: BTreeMap::new(),
            closing: BTreeSet::new(),
        }
    }

    pub(super) fn open(
        &mut self,
        id: TransportId,
        kind: TransportKind,
        url: &str,
        certificate_hashes: &[String],
    ) {
        let reporter = Reporter {
            id,
            queue: self.queue.clone(),
        };
        let opened = match kind {
            TransportKind::WebSocket => {
                websocket::Connection::open(url, reporter).map(Connection::WebSocket)
            }
            TransportKind::WebTransport => {
                webtransport::Connection::open(url, certificate_hashes, reporter)
                    .map(Connection::WebTransport)
            }
        };
        match opened {
            Ok(connection) => {
                self.connections.insert(id, connection);
            }
            Err(error) => {
                tracing::info!(%error, ?kind, "no connection");
                self.queue.input(Input::TransportClosed { id, code: None });
            }
        }
    }

    pub(super) fn send(&mut self, id: TransportId, packet: &Packet, lane: Lane) {
        match self.connections.get_mut(&id) {
            Some(Connection::WebSocket(connection)) => connection.send(packet),
            Some(Connection::WebTransport(connection)) => connection.send(packet, lane),
            None => {}
        }
    }

    /// Begins to close; the connection is kept until the browser says that it is closed.
    pub(super) fn close(&mut self, id: TransportId, code: CloseCode) {
        match self.connections.get(&id) {
            Some(Connection::WebSocket(connection)) => connection.close(code),
            Some(Connection::WebTransport(connection)) => connection.close(code),
            None => return,
        }
        self.closing.insert(id);
    }

    /// The browser says that it is closed.
    pub(super) fn closed(&mut self, id: TransportId) {
        self.connections.remove(&id);
        self.closing.remove(&id);
    }

    /// Bytes that the browser has not taken over yet, on connections that are not closing.
    pub(super) fn waiting(&self) -> u64 {
        let waiting = |connection: &Connection| match connection {
            Connection::WebSocket(connection) => connection.waiting(),
            Connection::WebTransport(connection) => connection.waiting(),
        };
        let open = self
            .connections
            .iter()
            .filter(|(id, _)| !self.closing.contains(*id));
        open.map(|(_, connection)| waiting(connection)).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }
}

/// What a connection tells.
#[derive(Clone)]
struct Reporter {
    id: TransportId,
    queue: Queue,
}

impl Reporter {
    fn opened(&self) {
        self.queue.input(Input::TransportOpened(self.id));
    }

    fn received(&self, packet: impl Into<bytes::Bytes>) {
        self.queue.input(Input::PacketReceived {
            id: self.id,
            packet: packet.into(),
        });
    }

    fn closed(&self, code: Option<u16>) {
        self.queue
            .input(Input::TransportClosed { id: self.id, code });
    }
}
