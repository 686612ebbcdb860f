//! What connects the relays of one deployment.

mod batch;
mod in_process;
mod nats;
mod room_bus;

use std::num::NonZeroU8;
use std::sync::Arc;

use videocall_types::{Bytes, MeetingId};

use crate::metrics::Metrics;
use room_bus::Place;

pub use in_process::InProcessBus;
pub use nats::NatsBus;
pub(crate) use room_bus::RoomBus;

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
    /// Stamped packets, each preceded by its length.
    Packets(Bytes),
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

impl Bus {
    /// Makes `connections` to NATS, or an in-process bus where there is no URL. Call it after
    /// [`metrics::install`](crate::metrics::install).
    ///
    /// # Errors
    /// [`BusError`] if NATS can't be reached now. A connection that is lost later comes back by itself.
    pub async fn connect(nats_url: Option<&str>, connections: NonZeroU8) -> Result<Self, BusError> {
        match nats_url {
            Some(url) => Ok(Self::Nats(NatsBus::connect(url, connections).await?)),
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

    pub(crate) fn open(&self, meeting: &MeetingId, metrics: Arc<Metrics>) -> RoomBus {
        let place = match self {
            Self::InProcess(bus) => Place::InProcess(bus.open(meeting)),
            Self::Nats(bus) => Place::Nats(Box::new(bus.open(meeting))),
        };
        RoomBus::new(place, metrics)
    }

    /// Waits until what was published is on its way.
    pub(crate) async fn flush(&self) {
        match self {
            Self::InProcess(_) => {}
            Self::Nats(bus) => bus.flush().await,
        }
    }
}
