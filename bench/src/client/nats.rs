//! The part of a relay process that speaks to the bus, as the relay's own does: connection, subjects, intervals.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, ConnectError, ConnectOptions, Subject, SubscribeError};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio::time::sleep;
use videocall_types::framing::{self, Split};

use super::{Guard, Outgoing, Sink, guard};

/// Messages that wait for one room, and those that wait for the connection.
const CAPACITY: usize = 1024;
/// Packets that leave together, at most.
const BATCH: usize = 64;
/// What comes within this time after a message leaves together, as from a relay whose threads sleep so long.
const INTERVAL: Duration = Duration::from_millis(2);

/// Connects one process.
///
/// # Errors
/// If nobody answers there.
pub async fn connect(address: SocketAddr) -> Result<Client, ConnectError> {
    ConnectOptions::new()
        .no_echo()
        .subscription_capacity(CAPACITY)
        .client_capacity(CAPACITY)
        // A server under test does not come back.
        .max_reconnects(1)
        .connect(format!("nats://{address}"))
        .await
}

/// Takes part in a room: publishes what is `outgoing` and gives to `sink` what other processes publish.
///
/// # Errors
/// If the connection is lost.
pub async fn join<S: Sink>(
    client: &Client,
    room: usize,
    sink: Arc<S>,
    outgoing: mpsc::UnboundedReceiver<Outgoing>,
) -> Result<[Guard; 2], SubscribeError> {
    let mut subscription = client.subscribe(format!("vc.room.bench{room}.*")).await?;
    let subject = format!("vc.room.bench{room}.packets").into();
    let receiving = async move {
        while let Some(message) = subscription.next().await {
            for packet in Split::new(message.payload) {
                match packet {
                    Ok(packet) => sink.packet(packet),
                    Err(_) => sink.corrupt(),
                }
            }
        }
        sink.closed();
    };
    Ok([
        guard(receiving),
        guard(publish(client.clone(), subject, outgoing)),
    ])
}

/// A quiet room publishes at once, a busy one in intervals.
async fn publish(
    client: Client,
    subject: Subject,
    mut outgoing: mpsc::UnboundedReceiver<Outgoing>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let count = outgoing.recv_many(&mut batch, BATCH).await;
        if count == 0 {
            return;
        }
        // A connection that has ended is counted where it is read.
        let _ = client.publish(subject.clone(), message(&batch)).await;
        batch.clear();
        if count < BATCH {
            sleep(INTERVAL).await;
        }
    }
}

/// The packets, each preceded by its length.
fn message(packets: &[Outgoing]) -> Bytes {
    let mut message = BytesMut::new();
    for Outgoing { packet, .. } in packets {
        framing::write_prefix(&mut message, packet.len());
        message.extend_from_slice(packet);
    }
    message.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Kind;

    #[test]
    fn a_message_is_its_packets() {
        let packets = [&b"one"[..], b"", b"two"].map(Bytes::from_static);
        let outgoing = packets.clone().map(|packet| Outgoing {
            packet,
            kind: Kind::Video,
            key: false,
        });
        assert!(Split::new(message(&outgoing)).eq(packets.map(Ok)));
    }
}
