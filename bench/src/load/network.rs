//! Where clients connect.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use tokio::sync::mpsc;
use wtransport::quinn::Endpoint;

use super::Target;
use crate::client::{ConnectError, Guard, Outgoing, Plan, Sink, websocket, webtransport};
use crate::measure::{Framing, Kind, Transport};
use crate::payload;

/// A client that is to be connected.
pub struct Joining<S> {
    /// Which of all clients it is.
    pub index: usize,
    /// Its room.
    pub room: usize,
    /// Whether it sends.
    pub sends: bool,
    /// All clients of its room that send.
    pub senders: Range<usize>,
    /// Where packets go that come.
    pub sink: Arc<S>,
    /// Packets to send.
    pub outgoing: mpsc::UnboundedReceiver<Outgoing>,
}

/// What clients are connected to: servers, and how to speak with them.
pub trait Network: Clone + Send + 'static {
    /// How the packets of this client are serialized.
    fn framing(&self, client: usize) -> Framing;

    /// Whether packets of a track can't overtake each other on the way to this client.
    fn keeps_order(&self, client: usize) -> bool;

    /// Connects a client and runs its connection beside the caller.
    fn connect<S: Sink>(
        self,
        joining: Joining<S>,
    ) -> impl Future<Output = Result<Guard, ConnectError>> + Send + 'static;
}

/// Servers that speak our protocol or the public one. Clients take turns with them.
#[derive(Clone)]
pub(super) struct Relays {
    targets: Arc<[Target]>,
    endpoint: Option<Endpoint>,
}

impl Relays {
    pub(super) fn new(targets: &[Target]) -> io::Result<Self> {
        let quic = targets
            .iter()
            .any(|target| target.transport == Transport::WebTransport);
        Ok(Self {
            targets: targets.into(),
            endpoint: quic.then(webtransport::endpoint).transpose()?,
        })
    }

    fn target(&self, client: usize) -> Option<Target> {
        let number = client.checked_rem(self.targets.len())?;
        self.targets.get(number).copied()
    }
}

impl Network for Relays {
    fn framing(&self, client: usize) -> Framing {
        self.target(client)
            .map_or(Framing::Stock, |target| target.framing)
    }

    fn keeps_order(&self, client: usize) -> bool {
        self.target(client)
            .is_some_and(|target| target.transport == Transport::WebSocket)
    }

    async fn connect<S: Sink>(self, joining: Joining<S>) -> Result<Guard, ConnectError> {
        let target = self.target(joining.index).ok_or(ConnectError::Http3)?;
        let (dialect, first) = match target.framing {
            Framing::Stock => ("", None),
            Framing::Native => ("?dialect=native", Some(wishes())),
        };
        let plan = Plan {
            authority: target.address.to_string(),
            target: format!(
                "/lobby/user{}/bench{}{dialect}",
                joining.index, joining.room
            ),
            framing: target.framing,
            sink: joining.sink,
            first,
            outgoing: joining.outgoing,
        };
        match (target.transport, self.endpoint) {
            (Transport::WebTransport, Some(endpoint)) => {
                webtransport::connect(&endpoint, target.address, plan).await
            }
            _ => websocket::connect(target.address, plan).await,
        }
    }
}

/// Asks for everything, which a native client of a large room has to.
fn wishes() -> Outgoing {
    Outgoing {
        packet: payload::wishes(),
        kind: Kind::Video,
        key: true,
    }
}
