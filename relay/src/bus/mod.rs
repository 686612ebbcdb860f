//! What connects the relays of one deployment.

mod in_process;
mod nats;

use videocall_types::{Bytes, MeetingId};

use relay_core::DropReason;

pub use in_process::InProcessBus;
pub use nats::NatsBus;

/// Why there is no bus.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The URL can't be read.
    #[error("the NATS URL is not valid")]
    Url,
    /// Nobody answers, or not as expected.
    #[error("can't connect to NATS: {0}")]
    Connect(#[from] async_nats::ConnectError),
}

/// What connects the relays of one deployment. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Bus {
    /// Hubs of this process only.
    InProcess(InProcessBus),
    /// Every process at the same NATS.
    Nats(NatsBus),
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BusMessage {
    /// A stamped packet.
    Packet(Bytes),
    /// A serialized `BusEvent`.
    Event(Bytes),
}

/// What a room hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BusInput {
    /// The bus works, for the first time or again.
    Up,
    Message(BusMessage),
}

/// One room's place on the bus.
#[derive(Debug)]
pub(crate) enum RoomBus {
    InProcess(in_process::RoomBus),
    Nats(Box<nats::RoomBus>),
}

impl Bus {
    /// Connects to NATS, or makes an in-process bus where there is no URL. Call it after
    /// [`metrics::install`](crate::metrics::install).
    ///
    /// # Errors
    /// [`BusError`] if NATS can't be reached now. A connection that is lost later comes back by itself.
    pub async fn connect(nats_url: Option<&str>) -> Result<Self, BusError> {
        match nats_url {
            Some(url) => Ok(Self::Nats(NatsBus::connect(url).await?)),
            None => Ok(Self::InProcess(InProcessBus::default())),
        }
    }

    /// Whether the other relays can be reached.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        match self {
            Self::InProcess(bus) => bus.is_connected(),
            Self::Nats(bus) => bus.is_connected(),
        }
    }

    pub(crate) fn open(&self, meeting: &MeetingId) -> RoomBus {
        match self {
            Self::InProcess(bus) => RoomBus::InProcess(bus.open(meeting)),
            Self::Nats(bus) => RoomBus::Nats(Box::new(bus.open(meeting))),
        }
    }

    /// Waits until what was published is on its way.
    pub(crate) async fn flush(&self) {
        match self {
            Self::InProcess(_) => {}
            Self::Nats(bus) => bus.flush().await,
        }
    }
}

impl RoomBus {
    /// What comes next; waits for ever if nothing can come. Cancel safe.
    pub(crate) async fn recv(&mut self) -> BusInput {
        match self {
            Self::InProcess(bus) => bus.recv().await,
            Self::Nats(bus) => bus.recv().await,
        }
    }

    /// Publishes without waiting.
    pub(crate) fn publish(&self, message: BusMessage) -> Result<(), DropReason> {
        match self {
            Self::InProcess(bus) => bus.publish(&message),
            Self::Nats(bus) => bus.publish(message),
        }
    }
}
