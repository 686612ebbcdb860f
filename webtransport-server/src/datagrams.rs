//! Packets that are sent at once or not at all.

use relay::transport::DatagramWriter;
use videocall_types::Packet;
use videocall_types::limits::MAX_DATAGRAM_PACKET_BYTES;
use wtransport::Connection;

/// Sends datagrams of one session.
pub(crate) struct Datagrams {
    connection: Connection,
    /// As it always is where a connection has one session: its datagrams are then the same for all receivers.
    is_session_zero: bool,
}

impl Datagrams {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            is_session_zero: connection.session_id().into_u64() == 0,
            connection,
        }
    }
}

impl DatagramWriter for Datagrams {
    /// The path may allow less than the protocol does. A full buffer drops its oldest datagram, which is right for sound.
    fn try_send(&self, packet: &Packet) -> bool {
        if packet.len() > MAX_DATAGRAM_PACKET_BYTES {
            return false;
        }
        if self.is_session_zero {
            let datagram = packet.datagram();
            self.connection
                .quic_connection()
                .send_datagram(datagram)
                .is_ok()
        } else {
            self.connection.send_datagram(packet.to_bytes()).is_ok()
        }
    }
}
