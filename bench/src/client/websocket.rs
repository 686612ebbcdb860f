//! One packet per binary message.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::{ConnectError, Guard, Plan, Sink, guard};
use crate::scenario::Reading;

/// Small, because there are thousands.
const BUFFER: usize = 16 * 1024;

/// Connects and runs the connection beside the caller.
///
/// # Errors
/// [`ConnectError`]
pub async fn connect<S: Sink>(address: SocketAddr, plan: Plan<S>) -> Result<Guard, ConnectError> {
    let request = format!("ws://{}{}", plan.authority, plan.target)
        .into_client_request()
        .map_err(Box::new)?;
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(0);
    match client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(guard(run(socket, plan))),
        Err(Error::Http(response)) => Err(ConnectError::Refused(response.status().as_u16())),
        Err(error) => Err(Box::new(error).into()),
    }
}

async fn run<S: Sink>(mut socket: WebSocketStream<TcpStream>, mut plan: Plan<S>) {
    let mut resume = Instant::now();
    if let Some(first) = plan.first.take() {
        // A failure shows where it is read.
        let _ = socket.send(Message::Binary(first.packet)).await;
    }
    loop {
        let reads = !plan.sink.stalled();
        let late = resume > Instant::now();
        tokio::select! {
            out = plan.outgoing.recv() => match out {
                Some(out) => if socket.send(Message::Binary(out.packet)).await.is_err() { break },
                None => return,
            },
            message = socket.next(), if reads && !late => match message {
                Some(Ok(Message::Binary(bytes))) => {
                    if let Reading::Limited(per_second) = plan.sink.reading() {
                        resume = Instant::now() + Duration::from_secs_f64(bytes.len() as f64 / f64::from(per_second));
                    }
                    plan.sink.packet(bytes);
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => {}
            },
            () = sleep_until(resume), if reads && late => {}
        }
    }
    plan.sink.closed();
}
