//! WebSocket on bare tungstenite.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

use super::group::Groups;

/// Serves until the process ends.
///
/// # Errors
/// If the address can't be used.
pub async fn serve(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let groups = Groups::default();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(connection(stream, groups.clone()));
    }
}

async fn connection(stream: TcpStream, groups: Groups<Bytes>) {
    let mut path = String::new();
    #[expect(clippy::result_large_err, reason = "the library's signature")]
    let look = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        path = request.uri().path().to_owned();
        Ok(response)
    };
    let Ok(socket) = accept_hdr_async(stream, look).await else {
        return;
    };
    let (place, mut packets) = groups.join(&path);
    let (mut sink, mut messages) = socket.split();
    let sending = async {
        while let Some(packet) = packets.recv().await {
            if sink.send(Message::Binary(packet)).await.is_err() {
                return;
            }
        }
    };
    let receiving = async {
        while let Some(Ok(message)) = messages.next().await {
            if let Message::Binary(packet) = message {
                place.send(&packet);
            }
        }
    };
    tokio::select! {
        () = sending => {}
        () = receiving => {}
    }
}
