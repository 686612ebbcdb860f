//! One connection to NATS.

use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use rand::Rng as _;
use tokio::sync::watch;
use videocall_types::framing::MAX_PREFIX_BYTES;
use videocall_types::limits::MAX_PACKET_BYTES;

use crate::bus::BusError;
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

/// One connection. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) client: Client,
    /// Whether it is there; marked as changed when it comes back.
    pub(super) connected: watch::Receiver<bool>,
}

impl Connection {
    pub(super) async fn open(servers: Vec<ServerAddr>) -> Result<Self, BusError> {
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
        if client.max_payload() < MAX_PREFIX_BYTES + MAX_PACKET_BYTES {
            tracing::warn!("max_payload of NATS is too small for the largest packets");
        }
        Ok(Self { client, connected })
    }

    pub(super) fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
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
}
