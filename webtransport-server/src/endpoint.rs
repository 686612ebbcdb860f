//! The QUIC endpoint: socket, TLS and transport parameters.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use relay::certificates::Certificates;
use socket2::{Domain, Protocol, Socket, Type};
use videocall_types::limits::MAX_CLIENT_STREAMS;
use wtransport::config::QuicTransportConfig;
use wtransport::endpoint::endpoint_side::Server;
use wtransport::quinn::congestion::CubicConfig;
use wtransport::quinn::{AckFrequencyConfig, IdleTimeout, VarInt};
use wtransport::{Endpoint, ServerConfig};

/// Control, QPACK encoder and QPACK decoder stream: HTTP/3's own, beside those of the session.
const HTTP3_STREAMS: u32 = 3;
/// Unread bytes of one stream.
const STREAM_WINDOW: u32 = 512 * 1024;
/// Unread bytes of one connection.
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Sent and not yet acknowledged. What waits longer shall wait in the session's queue, which can drop it.
const SEND_WINDOW: u64 = 512 * 1024;
/// Audio that does not fit is older than it is worth: the oldest is dropped.
const DATAGRAM_SEND_BUFFER: usize = 32 * 1024;
const DATAGRAM_RECEIVE_BUFFER: usize = 64 * 1024;
/// Connections whose first packet has come and which are not accepted or refused yet. Both happen at once, so that more
/// than a burst never wait; what comes beyond it is ignored, and clients try again.
const MAX_INCOMING: usize = 4_096;
/// Further packets of one of them: a handshake's first flight is a few packets.
const INCOMING_BUFFER: u64 = 16 * 1024;
/// Of all of them together: 256 that use up their share.
const INCOMING_BUFFER_TOTAL: u64 = 4 * 1024 * 1024;
/// Handshake bytes that came out of order. A client's hello takes 2 KiB with keys against quantum computers, and there is
/// no client certificate.
const CRYPTO_BUFFER: usize = 16 * 1024;
/// Largest UDP payload until discovery has found more: what every path of QUIC carries (RFC 9000, section 14).
const MTU: u16 = 1_200;
const KEEP_ALIVE: Duration = Duration::from_secs(2);
const IDLE_TIMEOUT_MS: u32 = 8_000;
/// Packets for each acknowledgement.
const ACK_EVERY: u32 = 16;
/// However few came.
const MAX_ACK_DELAY: Duration = Duration::from_millis(25);
/// Of the first flight, before anything is measured.
const INITIAL_RTT: Duration = Duration::from_millis(100);
/// One socket carries every session: bursts must fit. The kernel may grant less.
const SOCKET_BUFFER: usize = 4 * 1024 * 1024;

/// Opens the endpoint; port 0 lets the system choose one.
pub(crate) fn open(
    address: SocketAddr,
    certificates: Arc<Certificates>,
) -> io::Result<Endpoint<Server>> {
    let mut config = ServerConfig::builder()
        .with_bind_socket(bind(address)?)
        .with_custom_tls_and_transport(tls(certificates)?, transport())
        .build();
    config
        .quic_config_mut()
        .max_incoming(MAX_INCOMING)
        .incoming_buffer_size(INCOMING_BUFFER)
        .incoming_buffer_size_total(INCOMING_BUFFER_TOTAL);
    Endpoint::server(config)
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    socket.set_recv_buffer_size(SOCKET_BUFFER)?;
    socket.set_send_buffer_size(SOCKET_BUFFER)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

fn tls(certificates: Arc<Certificates>) -> io::Result<rustls::ServerConfig> {
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_protocol_versions(&[&rustls::version::TLS13])
    .map_err(io::Error::other)?
    .with_no_client_auth()
    .with_cert_resolver(certificates);
    tls.alpn_protocols = vec![b"h3".to_vec()];
    Ok(tls)
}

fn transport() -> QuicTransportConfig {
    let mut transport = QuicTransportConfig::default();
    transport
        .max_concurrent_uni_streams((MAX_CLIENT_STREAMS + HTTP3_STREAMS).into())
        // The session itself; nothing else travels on a bidirectional stream.
        .max_concurrent_bidi_streams(1_u8.into())
        .stream_receive_window(STREAM_WINDOW.into())
        .receive_window(CONNECTION_WINDOW.into())
        .send_window(SEND_WINDOW)
        // Round-robin among streams of one priority would delay all frames for the sake of each.
        .send_fairness(false)
        .datagram_send_buffer_size(DATAGRAM_SEND_BUFFER)
        .datagram_receive_buffer_size(Some(DATAGRAM_RECEIVE_BUFFER))
        .crypto_buffer_size(CRYPTO_BUFFER)
        .initial_mtu(MTU)
        // Also once packets get lost: less is never tried.
        .min_mtu(MTU)
        .keep_alive_interval(Some(KEEP_ALIVE))
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE_TIMEOUT_MS))))
        .initial_rtt(INITIAL_RTT)
        .ack_frequency_config(Some(acknowledgements()))
        // quinn's BBR is not maintained.
        .congestion_controller_factory(Arc::new(CubicConfig::default()));
    transport
}

/// What clients are asked for that know the extension (draft-ietf-quic-ack-frequency). An acknowledgement costs both
/// sides about as much as a packet.
fn acknowledgements() -> AckFrequencyConfig {
    let mut config = AckFrequencyConfig::default();
    config
        .ack_eliciting_threshold(ACK_EVERY.into())
        .max_ack_delay(Some(MAX_ACK_DELAY));
    config
}
