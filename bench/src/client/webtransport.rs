//! WebTransport on bare quinn: the handshake by hand, and then streams and datagrams without anything in between.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use videocall_types::framing::{self, DATAGRAM_HEAD, Deframer};
use videocall_types::limits::MAX_DATAGRAM_PACKET_BYTES;
use wtransport::proto::frame::{Frame, FrameKind};
use wtransport::proto::headers::Headers;
use wtransport::proto::settings::Settings;
use wtransport::proto::stream_header::{StreamHeader, StreamKind};
use wtransport::quinn::crypto::rustls::QuicClientConfig;
use wtransport::quinn::{
    ClientConfig, Connection, Endpoint, EndpointConfig, RecvStream, SendStream, TokioRuntime,
    TransportConfig,
};

use super::{ConnectError, Guard, Outgoing, Plan, Sink, guard};
use crate::measure::{Framing, Kind};
use crate::payload;
use crate::scenario::Reading;

/// What a WebTransport stream of session 0, the only one of a connection, begins with: its type and the session.
const STREAM_HEAD: Bytes = Bytes::from_static(&[0x40, 0x54, 0x00]);
/// Servers close connections from which nothing comes.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);
const SOCKET_BUFFER: usize = 4 * 1024 * 1024;
/// Unread bytes of a connection: as much as browsers allow at least.
const CONNECTION_WINDOW: u32 = 2 * 1024 * 1024;
/// Streams that a server may have open: stock framing has one per packet.
const STREAMS: u32 = 512;

/// The socket that all connections share.
///
/// # Errors
/// If there is no socket, or no cipher suite for QUIC.
pub fn endpoint() -> std::io::Result<Endpoint> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let options = socket2::SockRef::from(&socket);
    options.set_recv_buffer_size(SOCKET_BUFFER)?;
    options.set_send_buffer_size(SOCKET_BUFFER)?;
    let mut endpoint = Endpoint::new(
        EndpointConfig::default(),
        None,
        socket,
        Arc::new(TokioRuntime),
    )?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(std::io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate))
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h3".to_vec()];
    let crypto = QuicClientConfig::try_from(tls).map_err(std::io::Error::other)?;
    let mut config = ClientConfig::new(Arc::new(crypto));
    let mut transport = TransportConfig::default();
    transport
        .receive_window(CONNECTION_WINDOW.into())
        .max_concurrent_uni_streams(STREAMS.into());
    config.transport_config(Arc::new(transport));
    endpoint.set_default_client_config(config);
    Ok(endpoint)
}

/// Connects and runs the connection beside the caller.
///
/// # Errors
/// [`ConnectError`]
pub async fn connect<S: Sink>(
    endpoint: &Endpoint,
    address: SocketAddr,
    plan: Plan<S>,
) -> Result<Guard, ConnectError> {
    let connection = endpoint.connect(address, "localhost")?.await?;
    let session = open_session(&connection, &plan).await?;
    Ok(guard(run(connection, session, plan)))
}

/// HTTP/3's own streams: they stay open as long as the session.
struct Session {
    _control: SendStream,
    _request: (SendStream, RecvStream),
}

async fn open_session<S>(connection: &Connection, plan: &Plan<S>) -> Result<Session, ConnectError> {
    let settings = Settings::builder()
        .enable_connect_protocol()
        .enable_webtransport()
        .enable_h3_datagrams()
        .webtransport_max_sessions(1_u32.into())
        .build();
    let mut bytes = Vec::new();
    StreamHeader::new_control()
        .write(&mut bytes)
        .and_then(|()| settings.generate_frame().write(&mut bytes))
        .map_err(|_| ConnectError::Http3)?;
    let mut control = connection.open_uni().await?;
    write(&mut control, &bytes).await?;

    let fields = [
        (":method", "CONNECT"),
        (":scheme", "https"),
        (":protocol", "webtransport"),
        (":authority", &plan.authority),
        (":path", &plan.target),
        // What the public protocol's drafts called it before RFC 9220.
        ("sec-webtransport-http3-draft02", "1"),
    ];
    let mut bytes = Vec::new();
    fields
        .into_iter()
        .collect::<Headers>()
        .generate_frame()
        .write(&mut bytes)
        .map_err(|_| ConnectError::Http3)?;
    let (mut send, mut recv) = connection.open_bi().await?;
    write(&mut send, &bytes).await?;
    match status(&mut recv).await? {
        200 => Ok(Session {
            _control: control,
            _request: (send, recv),
        }),
        status => Err(ConnectError::Refused(status)),
    }
}

async fn write(stream: &mut SendStream, bytes: &[u8]) -> Result<(), ConnectError> {
    stream
        .write_all(bytes)
        .await
        .map_err(|_| ConnectError::Http3)
}

/// Of the answer to the request.
async fn status(recv: &mut RecvStream) -> Result<u16, ConnectError> {
    let mut received = Vec::new();
    loop {
        let chunk = recv.read_chunk(usize::MAX, true).await;
        match chunk {
            Ok(Some(chunk)) => received.extend_from_slice(&chunk.bytes),
            Ok(None) | Err(_) => return Err(ConnectError::Http3),
        }
        let mut rest = received.as_slice();
        while let Ok(Some(frame)) = Frame::read(&mut rest) {
            if matches!(frame.kind(), FrameKind::Headers) {
                let headers = Headers::with_frame(&frame).map_err(|_| ConnectError::Http3)?;
                return headers
                    .get(":status")
                    .and_then(|status| status.parse().ok())
                    .ok_or(ConnectError::Http3);
            }
        }
    }
}

async fn run<S: Sink>(connection: Connection, session: Session, plan: Plan<S>) {
    let Plan {
        framing,
        sink,
        first,
        outgoing,
        ..
    } = plan;
    let _datagrams = guard(receive_datagrams(connection.clone(), sink.clone()));
    let _sending = guard(send(connection.clone(), framing, first, outgoing));
    let _alive = guard(stay_alive(connection.clone(), framing));
    match framing {
        Framing::Stock => receive_stock(&connection, &*sink).await,
        Framing::Native => receive_native(&connection, &sink).await,
    }
    drop(session);
    sink.closed();
}

async fn stay_alive(connection: Connection, framing: Framing) {
    let datagram = match framing {
        Framing::Stock => datagram(b"ping"),
        Framing::Native => datagram(&payload::probe()),
    };
    loop {
        sleep(SIGN_OF_LIFE).await;
        if connection.send_datagram(datagram.clone()).is_err() {
            return;
        }
    }
}

fn datagram(packet: &[u8]) -> Bytes {
    [&DATAGRAM_HEAD[..], packet].concat().into()
}

async fn receive_datagrams<S: Sink>(connection: Connection, sink: Arc<S>) {
    while let Ok(mut datagram) = connection.read_datagram().await {
        if datagram.starts_with(&DATAGRAM_HEAD) {
            datagram.advance(DATAGRAM_HEAD.len());
            sink.packet(datagram);
        }
    }
}

/// One packet per stream. A stream that is there as a whole costs no more than reading it.
async fn receive_stock<S: Sink>(connection: &Connection, sink: &S) {
    let mut incomplete = FuturesUnordered::new();
    let mut pace = Pace::new();
    while !sink.stalled() {
        let packet = tokio::select! {
            biased;
            accepted = connection.accept_uni() => match accepted {
                Ok(stream) => {
                    let mut whole = Box::pin(read_whole(stream));
                    match whole.as_mut().now_or_never() {
                        Some(packet) => packet,
                        None => {
                            incomplete.push(whole);
                            continue;
                        }
                    }
                }
                Err(_) => return,
            },
            Some(packet) = incomplete.next() => packet,
        };
        if let Some(packet) = packet {
            pace.wait(sink.reading(), packet.len()).await;
            sink.packet(packet);
        }
    }
    std::future::pending().await
}

/// `None` for HTTP/3's own streams, which are kept without being read.
async fn read_whole(mut stream: RecvStream) -> Option<Bytes> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(chunk) = stream.read_chunk(usize::MAX, true).await.ok()? {
        if first.is_empty() && rest.is_empty() {
            if !chunk.bytes.starts_with(&STREAM_HEAD) {
                return keep(stream).await;
            }
            first = chunk.bytes;
        } else {
            rest.extend_from_slice(&std::mem::take(&mut first));
            rest.extend_from_slice(&chunk.bytes);
        }
    }
    let mut packet = if rest.is_empty() {
        first
    } else {
        rest.freeze()
    };
    packet.advance(STREAM_HEAD.len().min(packet.len()));
    Some(packet)
}

/// Dropping one would tell the server to stop sending, which closes a connection in HTTP/3.
async fn keep<T>(stream: RecvStream) -> T {
    let _stream = stream;
    std::future::pending().await
}

/// Long-lived streams of packets with their lengths.
async fn receive_native<S: Sink>(connection: &Connection, sink: &Arc<S>) {
    let mut streams = Vec::new();
    while let Ok(stream) = connection.accept_uni().await {
        streams.push(guard(read_track(stream, sink.clone())));
    }
}

async fn read_track<S: Sink>(mut stream: RecvStream, sink: Arc<S>) {
    let mut deframer = Deframer::default();
    let mut head = BytesMut::new();
    let mut pace = Pace::new();
    while !sink.stalled() {
        let Ok(Some(chunk)) = stream.read_chunk(usize::MAX, true).await else {
            return;
        };
        pace.wait(sink.reading(), chunk.bytes.len()).await;
        if head.len() < STREAM_HEAD.len() {
            head.extend_from_slice(&chunk.bytes);
            let mut rest = &head[..];
            if matches!(StreamHeader::read(&mut rest), Ok(Some(header)) if !matches!(header.kind(), StreamKind::WebTransport))
            {
                return keep(stream).await;
            }
            if head.len() >= STREAM_HEAD.len() {
                deframer.push(head.get(STREAM_HEAD.len()..).unwrap_or_default());
            }
        } else {
            deframer.push(&chunk.bytes);
        }
        while let Ok(Some(packet)) = deframer.next_packet() {
            sink.packet(packet);
        }
    }
    std::future::pending().await
}

/// Makes a reader slow.
struct Pace(Instant);

impl Pace {
    fn new() -> Self {
        Self(Instant::now())
    }

    async fn wait(&mut self, reading: Reading, bytes: usize) {
        if let Reading::Limited(per_second) = reading {
            self.0 = self.0.max(Instant::now())
                + Duration::from_secs_f64(bytes as f64 / f64::from(per_second));
            sleep_until(self.0).await;
        }
    }
}

async fn send(
    connection: Connection,
    framing: Framing,
    mut first: Option<Outgoing>,
    mut outgoing: mpsc::UnboundedReceiver<Outgoing>,
) {
    let mut tracks: [Option<SendStream>; 2] = [None, None];
    while let Some(out) = match first.take() {
        Some(first) => Some(first),
        None => outgoing.recv().await,
    } {
        let sent = match framing {
            Framing::Stock => send_stock(&connection, out.packet).await,
            Framing::Native => send_native(&connection, &mut tracks, out).await,
        };
        if sent.is_none() {
            return;
        }
    }
    // Nobody sends through it any more, but it shall stay open.
    std::future::pending().await
}

async fn send_stock(connection: &Connection, packet: Bytes) -> Option<()> {
    let mut stream = connection.open_uni().await.ok()?;
    stream
        .write_all_chunks(&mut [STREAM_HEAD, packet])
        .await
        .ok()?;
    stream.finish().ok()
}

async fn send_native(
    connection: &Connection,
    tracks: &mut [Option<SendStream>; 2],
    out: Outgoing,
) -> Option<()> {
    if out.kind == Kind::Audio && out.packet.len() <= MAX_DATAGRAM_PACKET_BYTES {
        return connection.send_datagram(datagram(&out.packet)).ok();
    }
    let [video, audio] = tracks;
    let track = if out.kind == Kind::Video {
        video
    } else {
        audio
    };
    if track.is_none() {
        let mut stream = connection.open_uni().await.ok()?;
        stream.write_chunk(STREAM_HEAD).await.ok()?;
        *track = Some(stream);
    }
    let mut prefix = BytesMut::new();
    framing::write_prefix(&mut prefix, out.packet.len());
    track
        .as_mut()?
        .write_all_chunks(&mut [prefix.freeze(), out.packet])
        .await
        .ok()
}

/// The certificates of test servers are their own.
#[derive(Debug)]
struct AnyCertificate;

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
