//! WebTransport on bare wtransport: a stream per packet for stock clients; one stream per receiver, and datagrams, for
//! native ones.

use std::io;
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use videocall_types::framing::{self, Deframer};
use wtransport::endpoint::IncomingSession;
use wtransport::{Connection, Endpoint, Identity, RecvStream, ServerConfig};

use super::group::{Groups, Place};

const SOCKET_BUFFER: usize = 4 * 1024 * 1024;
const PING: &[u8] = b"ping";

#[derive(Clone)]
enum Item {
    Packet(Bytes),
    Datagram(Bytes),
}

/// Serves until the process ends.
///
/// # Errors
/// If the address can't be used.
pub async fn serve(address: SocketAddr) -> io::Result<()> {
    let socket = std::net::UdpSocket::bind(address)?;
    let options = socket2::SockRef::from(&socket);
    options.set_recv_buffer_size(SOCKET_BUFFER)?;
    options.set_send_buffer_size(SOCKET_BUFFER)?;
    let identity = Identity::self_signed(["localhost"]).map_err(io::Error::other)?;
    let config = ServerConfig::builder()
        .with_bind_socket(socket)
        .with_identity(identity)
        .build();
    let endpoint = Endpoint::server(config)?;
    let groups = Groups::default();
    loop {
        tokio::spawn(session(endpoint.accept().await, groups.clone()));
    }
}

async fn session(incoming: IncomingSession, groups: Groups<Item>) {
    let Ok(request) = incoming.await else { return };
    let path = request.path().to_owned();
    let Ok(connection) = request.accept().await else {
        return;
    };
    let (place, mut items) = groups.join(&path);
    let sending = async {
        if path.ends_with("dialect=native") {
            let mut track = connection.open_uni().await.ok()?.await.ok()?;
            while let Some(item) = items.recv().await {
                match item {
                    Item::Packet(packet) => {
                        let mut prefix = BytesMut::new();
                        framing::write_prefix(&mut prefix, packet.len());
                        let mut chunks = [prefix.freeze(), packet];
                        track
                            .quic_stream_mut()
                            .write_all_chunks(&mut chunks)
                            .await
                            .ok()?;
                    }
                    Item::Datagram(packet) => connection.send_datagram(packet).ok()?,
                }
            }
        } else {
            while let Some(Item::Packet(packet) | Item::Datagram(packet)) = items.recv().await {
                let mut stream = connection.open_uni().await.ok()?.await.ok()?;
                stream.quic_stream_mut().write_chunk(packet).await.ok()?;
                stream.quic_stream_mut().finish().ok()?;
            }
        }
        Some(())
    };
    tokio::select! {
        _ = sending => {}
        () = receive(&connection, &place, path.ends_with("dialect=native")) => {}
    }
}

async fn receive(connection: &Connection, place: &Place<Item>, native: bool) {
    let streams = async {
        let mut reading = tokio::task::JoinSet::new();
        let (packets, mut read) = tokio::sync::mpsc::channel(1024);
        loop {
            tokio::select! {
                stream = connection.accept_uni() => match stream {
                    Ok(stream) if native => drop(reading.spawn(read_track(stream, packets.clone()))),
                    Ok(stream) => drop(reading.spawn(read_whole(stream, packets.clone()))),
                    Err(_) => return,
                },
                Some(packet) = read.recv() => place.send(&Item::Packet(packet)),
                Some(_) = reading.join_next() => {}
            }
        }
    };
    let datagrams = async {
        while let Ok(datagram) = connection.receive_datagram().await {
            let packet = datagram.payload();
            if packet != PING {
                place.send(&Item::Datagram(packet));
            }
        }
    };
    tokio::select! {
        () = streams => {}
        () = datagrams => {}
    }
}

type Packets = tokio::sync::mpsc::Sender<Bytes>;

async fn read_whole(mut stream: RecvStream, packets: Packets) {
    if let Ok(packet) = stream.quic_stream_mut().read_to_end(1_000_000).await {
        let _ = packets.send(packet.into()).await;
    }
}

async fn read_track(mut stream: RecvStream, packets: Packets) {
    let mut deframer = Deframer::default();
    while let Ok(Some(chunk)) = stream.quic_stream_mut().read_chunk(64 * 1024, true).await {
        deframer.push(&chunk.bytes);
        while let Ok(Some(packet)) = deframer.next_packet() {
            let _ = packets.send(packet).await;
        }
    }
}
