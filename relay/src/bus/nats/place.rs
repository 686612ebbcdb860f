//! One room at NATS.

use std::fmt;

use async_nats::client::PublishErrorKind;
use async_nats::{Subject, SubscribeError, Subscriber};
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::StreamExt as _;
use relay_core::DropReason;
use tokio::task::coop::unconstrained;
use videocall_types::MeetingId;

use super::connection::Connection;
use crate::bus::{BusInput, BusMessage};

/// One room's place on the bus.
pub(in crate::bus) struct Place {
    connection: Connection,
    packets: Subject,
    event: Subject,
    subscription: Subscription,
}

enum Subscription {
    /// It waits while the connection is down, and joining a room must not.
    Opening(BoxFuture<'static, Result<Subscriber, SubscribeError>>),
    Open(Subscriber),
    Failed,
}

impl Place {
    pub(super) fn open(connection: Connection, meeting: &MeetingId) -> Self {
        // The alphabet of meeting ids has no character with a meaning in a subject.
        let all = format!("vc.room.{meeting}.*");
        let client = connection.client.clone();
        let subscribing = async move { client.subscribe(all).await }.boxed();
        Self {
            connection,
            packets: format!("vc.room.{meeting}.packets").into(),
            event: format!("vc.room.{meeting}.event").into(),
            subscription: Subscription::Opening(subscribing),
        }
    }

    pub(in crate::bus) async fn recv(&mut self) -> BusInput {
        loop {
            match &mut self.subscription {
                Subscription::Opening(opening) => match opening.await {
                    Ok(subscriber) => {
                        self.subscription = Subscription::Open(subscriber);
                        self.connection.connected.mark_unchanged();
                        return BusInput::Up;
                    }
                    Err(error) => {
                        tracing::error!(%error, "can't subscribe to a room");
                        self.subscription = Subscription::Failed;
                    }
                },
                Subscription::Open(subscriber) => tokio::select! {
                    message = subscriber.next() => match message {
                        Some(message) if message.subject == self.packets => {
                            return BusInput::Message(BusMessage::Packets(message.payload));
                        }
                        Some(message) => return BusInput::Message(BusMessage::Event(message.payload)),
                        None => self.subscription = Subscription::Failed,
                    },
                    Ok(()) = self.connection.connected.changed() => {
                        if *self.connection.connected.borrow_and_update() {
                            return BusInput::Up;
                        }
                    }
                },
                Subscription::Failed => return std::future::pending().await,
            }
        }
    }

    pub(in crate::bus) fn publish(&self, message: BusMessage) -> Result<(), DropReason> {
        // What waits for a lost connection is stale when it comes back.
        if !self.connection.is_connected() {
            return Err(DropReason::BusLost);
        }
        let (subject, payload) = match message {
            BusMessage::Packets(bytes) => (&self.packets, bytes),
            BusMessage::Event(bytes) => (&self.event, bytes),
        };
        // Publishing only waits while the client's channel is full; outside of the task's budget, which would look the same.
        let publishing = self.connection.client.publish(subject.clone(), payload);
        match unconstrained(publishing).now_or_never() {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                Err(DropReason::TooLarge)
            }
            Some(Err(_)) | None => Err(DropReason::BusFull),
        }
    }

    /// The largest message that the server takes.
    pub(in crate::bus) fn max_bytes(&self) -> usize {
        self.connection.client.max_payload()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("packets", &self.packets)
            .finish_non_exhaustive()
    }
}
