//! Relays that meet at NATS, in two subjects per meeting.

use std::fmt;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, ConnectOptions, Event, ServerAddr, Subject, SubscribeError, Subscriber};
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::StreamExt as _;
use rand::Rng as _;
use relay_core::DropReason;
use tokio::sync::watch;
use tokio::task::coop::unconstrained;
use videocall_types::MeetingId;

use super::{BusError, BusInput, BusMessage};
use crate::metrics::bus_slow_consumers;

/// Messages that wait for one room; NATS drops more.
const SUBSCRIPTION_CAPACITY: usize = 1024;
/// Messages and subscriptions that wait for the connection; the relay drops more.
const CLIENT_CAPACITY: usize = 1024;
/// How soon a connection that is silently dead is noticed: after two or three of these.
const PING_INTERVAL: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);
const MIN_RECONNECT_DELAY: Duration = Duration::from_millis(50);
const MAX_RECONNECT_DELAY: Duration = Duration::from_secs(1);

/// Connects processes through NATS.
#[derive(Clone, Debug)]
pub struct NatsBus {
    client: Client,
    connected: watch::Receiver<bool>,
}

impl NatsBus {
    /// Connects. `url` may name several servers, separated by commas.
    ///
    /// # Errors
    /// [`BusError`] if the URL can't be read or no server answers.
    pub async fn connect(url: &str) -> Result<Self, BusError> {
        let servers: Vec<ServerAddr> = url
            .split(',')
            .map(|server| server.trim().parse())
            .collect::<Result<_, _>>()
            .map_err(|_| BusError::Url)?;
        let (state, connected) = watch::channel(true);
        let slow_consumers = bus_slow_consumers();
        let options = ConnectOptions::new()
            .name("videocall-relay")
            .no_echo()
            .subscription_capacity(SUBSCRIPTION_CAPACITY)
            .client_capacity(CLIENT_CAPACITY)
            .ping_interval(PING_INTERVAL)
            .connection_timeout(CONNECT_TIMEOUT)
            .max_reconnects(None)
            .reconnect_delay_callback(reconnect_delay)
            .event_callback(move |event| {
                handle_event(&event, &state, &slow_consumers);
                std::future::ready(())
            });
        let client = options.connect(servers).await?;
        Ok(Self { client, connected })
    }

    pub(super) fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    pub(super) fn open(&self, meeting: &MeetingId) -> RoomBus {
        // The alphabet of meeting ids has no character with a meaning in a subject.
        let all = format!("vc.room.{meeting}.*");
        let client = self.client.clone();
        let subscribing = async move { client.subscribe(all).await }.boxed();
        RoomBus {
            bus: self.clone(),
            packet: format!("vc.room.{meeting}.packet").into(),
            event: format!("vc.room.{meeting}.event").into(),
            subscription: Subscription::Opening(subscribing),
        }
    }

    pub(super) async fn flush(&self) {
        // Whatever is not out by then can't be helped: it happens when the process stops.
        let _ = tokio::time::timeout(FLUSH_TIMEOUT, self.client.flush()).await;
    }
}

fn handle_event(event: &Event, connected: &watch::Sender<bool>, slow_consumers: &metrics::Counter) {
    match event {
        Event::Connected => {
            connected.send_replace(true);
            tracing::info!("connected to NATS");
        }
        Event::Disconnected | Event::Closed => {
            connected.send_replace(false);
            tracing::warn!("lost NATS; rooms go on without the other relays");
        }
        Event::SlowConsumer(_) => slow_consumers.increment(1),
        Event::LameDuckMode | Event::Draining => tracing::info!(%event, "NATS"),
        Event::ServerError(_) | Event::ClientError(_) => tracing::warn!(%event, "NATS"),
    }
}

/// Doubles up to the maximum, and then takes half to all of it, so that relays do not come back in step.
fn reconnect_delay(attempt: usize) -> Duration {
    let factor = 1u32
        .checked_shl(u32::try_from(attempt).unwrap_or(u32::MAX))
        .unwrap_or(u32::MAX);
    let delay = MIN_RECONNECT_DELAY
        .saturating_mul(factor.max(1))
        .min(MAX_RECONNECT_DELAY);
    delay.mul_f64(rand::rng().random_range(0.5..=1.0))
}

/// One room's place on the bus.
pub(crate) struct RoomBus {
    bus: NatsBus,
    packet: Subject,
    event: Subject,
    subscription: Subscription,
}

enum Subscription {
    /// It waits while the connection is down, and joining a room must not.
    Opening(BoxFuture<'static, Result<Subscriber, SubscribeError>>),
    Open(Subscriber),
    Failed,
}

impl RoomBus {
    pub(super) async fn recv(&mut self) -> BusInput {
        loop {
            match &mut self.subscription {
                Subscription::Opening(opening) => match opening.await {
                    Ok(subscriber) => {
                        self.subscription = Subscription::Open(subscriber);
                        self.bus.connected.mark_unchanged();
                        return BusInput::Up;
                    }
                    Err(error) => {
                        tracing::error!(%error, "can't subscribe to a room");
                        self.subscription = Subscription::Failed;
                    }
                },
                Subscription::Open(subscriber) => tokio::select! {
                    message = subscriber.next() => match message {
                        Some(message) if message.subject == self.packet => {
                            return BusInput::Message(BusMessage::Packet(message.payload));
                        }
                        Some(message) => return BusInput::Message(BusMessage::Event(message.payload)),
                        None => self.subscription = Subscription::Failed,
                    },
                    Ok(()) = self.bus.connected.changed() => {
                        if *self.bus.connected.borrow_and_update() {
                            return BusInput::Up;
                        }
                    }
                },
                Subscription::Failed => return std::future::pending().await,
            }
        }
    }

    pub(super) fn publish(&self, message: BusMessage) -> Result<(), DropReason> {
        // What waits for a lost connection is stale when it comes back.
        if !self.bus.is_connected() {
            return Err(DropReason::BusLost);
        }
        let (subject, payload) = match message {
            BusMessage::Packet(bytes) => (&self.packet, bytes),
            BusMessage::Event(bytes) => (&self.event, bytes),
        };
        // Publishing only waits while the client's channel is full; outside of the task's budget, which would look the same.
        match unconstrained(self.bus.client.publish(subject.clone(), payload)).now_or_never() {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err(DropReason::BusFull),
        }
    }
}

impl fmt::Debug for RoomBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomBus")
            .field("packet", &self.packet)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reconnecting_is_capped_and_jittered() {
        for attempt in [0, 1, 5, 31, 32, 1000, usize::MAX] {
            let delay = reconnect_delay(attempt);
            assert!(
                delay >= MIN_RECONNECT_DELAY / 2 && delay <= MAX_RECONNECT_DELAY,
                "{attempt}: {delay:?}"
            );
        }
        assert!(reconnect_delay(1000) >= MAX_RECONNECT_DELAY / 2);
    }

    #[tokio::test]
    async fn a_url_that_is_none_is_refused_without_repeating_it() {
        let error = NatsBus::connect("nats://user:secret@[").await.unwrap_err();
        assert!(matches!(error, BusError::Url));
        assert!(!error.to_string().contains("secret"));
    }
}
