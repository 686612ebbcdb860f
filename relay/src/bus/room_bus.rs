//! What a room says and hears on the bus, whichever it is.

use std::sync::Arc;

use relay_core::DropReason;
use videocall_types::{Bytes, Packet};

use super::batch::Batch;
use super::{BusInput, BusMessage, in_process, nats};
use crate::metrics::Metrics;

/// One room's place on the bus. Packets and events arrive in the order in which they were published: an event takes the
/// packets that wait along, so that nobody's packets come before the news of joining or after that of leaving.
pub(crate) struct RoomBus {
    place: Place,
    batch: Batch,
    metrics: Arc<Metrics>,
}

pub(super) enum Place {
    InProcess(in_process::Place),
    Nats(Box<nats::Place>),
}

impl RoomBus {
    pub(super) fn new(place: Place, metrics: Arc<Metrics>) -> Self {
        Self {
            place,
            batch: Batch::default(),
            metrics,
        }
    }

    /// What comes next; waits for ever if nothing can come. Cancel safe.
    pub(crate) async fn recv(&mut self) -> BusInput {
        let input = match &mut self.place {
            Place::InProcess(place) => place.recv().await,
            Place::Nats(place) => place.recv().await,
        };
        if let BusInput::Message(BusMessage::Packets(message)) = &input {
            self.metrics.bus_messages_received.increment(1);
            self.metrics
                .bus_bytes_received
                .increment(message.len() as u64);
        }
        input
    }

    /// Publishes a stamped packet, at the latest with [`flush`](Self::flush). Never waits.
    pub(crate) fn publish_packet(&mut self, packet: &Packet) {
        let max_bytes = match &self.place {
            Place::InProcess(_) => usize::MAX,
            Place::Nats(place) => place.max_bytes(),
        };
        if !self.batch.has_room_for(packet, max_bytes) {
            self.flush();
        }
        self.batch.push(packet);
    }

    /// Publishes a serialized `BusEvent` at once, after the packets before it.
    pub(crate) fn publish_event(&mut self, event: Bytes) {
        self.flush();
        if let Err(reason) = self.publish(BusMessage::Event(event)) {
            self.metrics.dropped(reason, 1);
        }
    }

    /// Publishes the packets that wait.
    pub(crate) fn flush(&mut self) {
        let Some((message, packets)) = self.batch.take() else {
            return;
        };
        let bytes = message.len() as u64;
        match self.publish(BusMessage::Packets(message)) {
            Ok(()) => {
                self.metrics.bus_packets_sent.increment(packets);
                self.metrics.bus_messages_sent.increment(1);
                self.metrics.bus_bytes_sent.increment(bytes);
            }
            Err(reason) => self.metrics.dropped(reason, packets),
        }
    }

    fn publish(&self, message: BusMessage) -> Result<(), DropReason> {
        match &self.place {
            Place::InProcess(place) => place.publish(&message),
            Place::Nats(place) => place.publish(message),
        }
    }
}
