//! TCP: bytes in segments, each of which takes the time that the network lets it take, in order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{BufMut as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::line::{Line, arrival};
use super::proxy::Target;

/// What a segment holds on Ethernet.
const SEGMENT: usize = 1448;
/// Small, so that what does not get through soon waits at its sender.
const RECEIVE_BUFFER: u32 = 32 * 1024;

pub(super) fn listen() -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    socket.listen(1024)
}

/// Runs until it is dropped.
pub(super) async fn run(listener: TcpListener, target: Target, up: Arc<Line>, down: Arc<Line>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else {
            continue;
        };
        let server = *target.borrow();
        let (up, down) = (Arc::clone(&up), Arc::clone(&down));
        connections.spawn(async move {
            // Its end is the end of the connection, whatever the reason.
            let _ = connection(client, server, &up, &down).await;
        });
    }
}

async fn connection(
    client: TcpStream,
    server: Option<SocketAddr>,
    up: &Line,
    down: &Line,
) -> io::Result<()> {
    let Some(server) = server else { return Ok(()) };
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    let server = socket.connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::try_join!(
        pump(from_client, to_server, up),
        pump(from_server, to_client, down)
    )?;
    Ok(())
}

/// One direction, to its end.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, line: &Line) -> io::Result<()> {
    let (in_flight, mut queue) = mpsc::unbounded_channel();
    let read = async move {
        let mut buffer = BytesMut::new();
        loop {
            let len = from.read_buf(&mut (&mut buffer).limit(SEGMENT)).await?;
            // The end takes its way, too.
            let at = line.send_segment(len).await;
            let _ = in_flight.send((at, buffer.split().freeze()));
            if len == 0 {
                return io::Result::Ok(());
            }
        }
    };
    let write = async {
        while let Some(segment) = arrival(&mut queue).await {
            to.write_all(&segment).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(read, write)?;
    Ok(())
}
