//! Packets that are sent at once or not at all.

use relay::transport::DatagramWriter;
use videocall_types::Packet;
use videocall_types::limits::MAX_DATAGRAM_PACKET_BYTES;
use wtransport::Connection;

/// Sends datagrams of one session.
pub(crate) struct Datagrams(Connection);

impl Datagrams {
    pub(crate) fn new(connection: Connection) -> Self {
        Self(connection)
    }
}

impl DatagramWriter for Datagrams {
    /// The path may allow less than the protocol does. A full buffer drops its oldest datagram, which is right for sound.
    fn try_send(&self, packet: &Packet) -> bool {
        packet.len() <= MAX_DATAGRAM_PACKET_BYTES && self.0.send_datagram(packet.to_bytes()).is_ok()
    }
}
