//! WebTransport with both framings, by hand.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{BoxStream, SelectAll};
use futures_util::{StreamExt as _, stream};
use videocall_types::framing::{Deframer, write_prefix};
use videocall_types::{CloseCode, PacketHeader, Routing, Track};
use wtransport::error::{ConnectingError, ConnectionError};
use wtransport::quinn::TransportConfig;
use wtransport::tls::Sha256Digest;
use wtransport::{ClientConfig, Connection, Endpoint, RecvStream, SendStream};

use crate::client::{Channel, Incoming, Refusal};
use crate::server::Endpoints;

/// Small, so that a client that stops reading is noticed soon.
const RECEIVE_WINDOW: u32 = 128 * 1024;

/// One session.
pub struct WebTransport {
    connection: Connection,
    framing: Framing,
}

enum Framing {
    /// A stream per packet.
    Stock,
    /// Long-lived streams.
    Native {
        sending: HashMap<Option<Track>, SendStream>,
        receiving: SelectAll<BoxStream<'static, Bytes>>,
    },
}

impl WebTransport {
    pub(crate) async fn connect(
        server: &Endpoints,
        target: &str,
        origin: Option<&str>,
        native: bool,
    ) -> Result<Self, Refusal> {
        let hashes = server
            .config()
            .await
            .webtransport
            .unwrap()
            .certificate_hashes;
        let endpoint = client(hashes.iter().map(|hash| digest(hash)));
        let options = wtransport::endpoint::ConnectOptions::builder(format!(
            "https://{}{target}",
            server.webtransport
        ));
        let options = match origin {
            Some(origin) => options.add_header("origin", origin),
            None => options,
        };
        let connection = match endpoint.connect(options.build()).await {
            Ok(connection) => connection,
            Err(ConnectingError::SessionRejected) => return Err(Refusal::Rejected),
            Err(error) => panic!("no session: {error}"),
        };
        let framing = if native {
            Framing::Native {
                sending: HashMap::new(),
                receiving: SelectAll::new(),
            }
        } else {
            Framing::Stock
        };
        Ok(Self {
            connection,
            framing,
        })
    }

    /// The session itself, for what no packet can say.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Sends `bytes` as a datagram.
    pub fn send_datagram(&self, bytes: &[u8]) {
        self.connection.send_datagram(bytes).unwrap();
    }

    /// A new stream that `bytes` are written to and that stays open.
    pub async fn open_stream(&self, bytes: &[u8]) -> SendStream {
        let mut stream = self.connection.open_uni().await.unwrap().await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }

    /// False: the connection is gone.
    pub(crate) async fn send_packet(&mut self, bytes: Bytes) -> bool {
        match &mut self.framing {
            Framing::Stock => send_alone(&self.connection, &bytes).await.is_some(),
            Framing::Native { sending, .. } => {
                let track = PacketHeader::parse(&bytes)
                    .ok()
                    .and_then(|header| Routing::parse(&header.routing));
                let track = track.map(|routing| routing.track);
                let mut framed = BytesMut::new();
                write_prefix(&mut framed, bytes.len());
                framed.extend_from_slice(&bytes);
                let stream = match sending.entry(track) {
                    Entry::Occupied(stream) => stream.into_mut(),
                    Entry::Vacant(place) => {
                        let Ok(opening) = self.connection.open_uni().await else {
                            return false;
                        };
                        let Ok(stream) = opening.await else {
                            return false;
                        };
                        place.insert(stream)
                    }
                };
                stream.write_all(&framed).await.is_ok()
            }
        }
    }

    pub(crate) async fn recv(&mut self) -> Incoming {
        loop {
            let Framing::Native { receiving, .. } = &mut self.framing else {
                return recv_alone(&self.connection).await;
            };
            tokio::select! {
                stream = self.connection.accept_uni() => match stream {
                    Ok(stream) => receiving.push(packets(stream)),
                    Err(error) => return closed(&error),
                },
                datagram = self.connection.receive_datagram() => return datagram_or_end(datagram),
                Some(bytes) = receiving.next() => return Incoming::Bytes(bytes, Channel::Stream),
            }
        }
    }

    pub(crate) async fn lose(&mut self) {
        let code = u32::from(CloseCode::Idle.code());
        self.connection.close(code.into(), b"");
    }

    pub(crate) async fn close(&mut self) {
        self.connection.close(0_u32.into(), b"");
    }
}

async fn send_alone(connection: &Connection, bytes: &[u8]) -> Option<()> {
    let mut stream = connection.open_uni().await.ok()?.await.ok()?;
    stream.write_all(bytes).await.ok()?;
    stream.quic_stream_mut().finish().ok()
}

/// Streams one after the other, so that packets keep the order in which the relay sent them.
async fn recv_alone(connection: &Connection) -> Incoming {
    tokio::select! {
        stream = connection.accept_uni() => match stream {
            Ok(mut stream) => match stream.quic_stream_mut().read_to_end(usize::MAX).await {
                Ok(bytes) => Incoming::Bytes(bytes.into(), Channel::Stream),
                Err(_) => Incoming::Closed(None),
            },
            Err(error) => closed(&error),
        },
        datagram = connection.receive_datagram() => datagram_or_end(datagram),
    }
}

fn datagram_or_end(datagram: Result<wtransport::datagram::Datagram, ConnectionError>) -> Incoming {
    match datagram {
        Ok(datagram) => Incoming::Bytes(datagram.payload(), Channel::Datagram),
        Err(error) => closed(&error),
    }
}

fn closed(error: &ConnectionError) -> Incoming {
    match error {
        ConnectionError::ApplicationClosed(close) => {
            Incoming::Closed(u16::try_from(close.code().into_inner()).ok())
        }
        _ => Incoming::Closed(None),
    }
}

fn packets(stream: RecvStream) -> BoxStream<'static, Bytes> {
    stream::unfold(
        (stream, Deframer::default()),
        |(mut stream, mut deframer)| async {
            loop {
                if let Some(packet) = deframer.next_packet().unwrap() {
                    return Some((packet, (stream, deframer)));
                }
                let chunk = stream
                    .quic_stream_mut()
                    .read_chunk(usize::MAX, true)
                    .await
                    .ok()??;
                deframer.push(&chunk.bytes);
            }
        },
    )
    .boxed()
}

fn client(
    hashes: impl Iterator<Item = Sha256Digest>,
) -> Endpoint<wtransport::endpoint::endpoint_side::Client> {
    let mut config = ClientConfig::builder()
        .with_bind_address("127.0.0.1:0".parse().unwrap())
        .with_server_certificate_hashes(hashes)
        .build();
    let mut transport = TransportConfig::default();
    transport
        .receive_window(RECEIVE_WINDOW.into())
        .stream_receive_window(RECEIVE_WINDOW.into());
    config
        .quic_config_mut()
        .transport_config(Arc::new(transport));
    Endpoint::client(config).unwrap()
}

fn digest(hex: &str) -> Sha256Digest {
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * index..2 * index + 2).unwrap(), 16).unwrap();
    }
    Sha256Digest::new(bytes)
}
