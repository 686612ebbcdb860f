//! A WebSocket, by hand.

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::client::{Channel, Incoming, Refusal};
use crate::server::Endpoints;

/// Small, so that a client that stops reading is noticed soon.
const RECEIVE_BUFFER: u32 = 16 * 1024;

/// One connection.
pub struct WebSocket(WebSocketStream<TcpStream>);

impl WebSocket {
    pub(crate) async fn connect(
        server: &Endpoints,
        target: &str,
        origin: Option<&str>,
    ) -> Result<Self, Refusal> {
        let mut request = format!("ws://{}{target}", server.http)
            .into_client_request()
            .unwrap();
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert("origin", origin.parse().unwrap());
        }
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(RECEIVE_BUFFER).unwrap();
        let stream = socket.connect(server.http).await.unwrap();
        stream.set_nodelay(true).unwrap();
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(response)) => Err(Refusal::Status(response.status().as_u16())),
            Err(error) => panic!("the handshake failed: {error}"),
        }
    }

    /// Sends any message. False: the connection is gone.
    pub async fn send(&mut self, message: Message) -> bool {
        self.0.send(message).await.is_ok()
    }

    /// Writes bytes that need not be a frame.
    pub async fn write_raw(&mut self, bytes: &[u8]) -> bool {
        use tokio::io::AsyncWriteExt as _;
        self.0.get_mut().write_all(bytes).await.is_ok()
    }

    pub(crate) async fn recv(&mut self) -> Incoming {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Binary(bytes))) => {
                    return Incoming::Bytes(bytes, Channel::Message);
                }
                Some(Ok(Message::Close(frame))) => {
                    return Incoming::Closed(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                None | Some(Err(_)) => return Incoming::Closed(None),
            }
        }
    }

    pub(crate) async fn send_packet(&mut self, bytes: Bytes) -> bool {
        self.send(Message::Binary(bytes)).await
    }

    /// Reads to the end: unread bytes would reset the connection, and the relay might not see that it was closed.
    pub(crate) async fn close(&mut self) {
        let _ = self.0.close(None).await;
        while let Some(Ok(_)) = self.0.next().await {}
    }
}
