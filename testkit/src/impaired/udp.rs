//! UDP: each client gets a socket of its own towards the server, so that the server tells them apart.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::line::{InFlight, Line, arrival};
use super::proxy::Target;

const LARGEST: usize = 65_536;

/// Runs until it is dropped.
pub(super) async fn run(socket: UdpSocket, target: Target, up: Arc<Line>, down: Arc<Line>) {
    let socket = Arc::new(socket);
    let mut tasks = JoinSet::new();
    let mut clients: HashMap<SocketAddr, InFlight> = HashMap::new();
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(LARGEST);
        // An error is about a packet that could not be sent, not about this one.
        let Ok((_, client)) = socket.recv_buf_from(&mut buffer).await else {
            continue;
        };
        let packet = buffer.split().freeze();
        let Some(server) = *target.borrow() else {
            continue;
        };
        let to_server = match clients.entry(client) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let upstream = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
                upstream.connect(server).await.unwrap();
                let (to_server, queue) = mpsc::unbounded_channel();
                tasks.spawn(forward(queue, Arc::clone(&upstream), None));
                let (to_client, queue) = mpsc::unbounded_channel();
                tasks.spawn(forward(queue, Arc::clone(&socket), Some(client)));
                tasks.spawn(answers(upstream, Arc::clone(&down), to_client));
                place.insert(to_server)
            }
        };
        pass(&up, to_server, packet);
    }
}

async fn answers(upstream: Arc<UdpSocket>, down: Arc<Line>, to_client: InFlight) {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(LARGEST);
        if upstream.recv_buf(&mut buffer).await.is_ok() {
            pass(&down, &to_client, buffer.split().freeze());
        }
    }
}

fn pass(line: &Line, queue: &InFlight, packet: Bytes) {
    if let Some(at) = line.send(packet.len()) {
        let _ = queue.send((at, packet));
    }
}

async fn forward(
    mut queue: mpsc::UnboundedReceiver<(Instant, Bytes)>,
    socket: Arc<UdpSocket>,
    to: Option<SocketAddr>,
) {
    while let Some(packet) = arrival(&mut queue).await {
        // Whoever is gone gets nothing.
        let _ = match to {
            Some(client) => socket.send_to(&packet, client).await,
            None => socket.send(&packet).await,
        };
    }
}
