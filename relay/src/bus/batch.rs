//! The packets that a room has for the bus, gathered into one message.

use videocall_types::{Bytes, Packet, framing};

/// Most packets in one message: what a room handles in one pass, so that one message floods no receiver.
const MAX_PACKETS: usize = 64;
/// Most bytes in one message of several packets. A packet that waits for its receiver keeps its whole message in memory.
const MAX_BYTES: usize = 64 * 1024;

/// Packets that wait to go as one message, in order. They are joined, and their payloads copied, once: when it goes.
#[derive(Debug, Default)]
pub(super) struct Batch {
    chunks: Vec<Bytes>,
    packets: usize,
    bytes: usize,
}

impl Batch {
    /// Whether the packet may join those that wait. `max_bytes` is what the bus takes. Alone, a packet always may.
    pub(super) fn has_room_for(&self, packet: &Packet, max_bytes: usize) -> bool {
        let bytes = self.bytes + framed_len(packet);
        self.packets == 0 || (self.packets < MAX_PACKETS && bytes <= MAX_BYTES.min(max_bytes))
    }

    pub(super) fn push(&mut self, packet: &Packet) {
        self.bytes += framed_len(packet);
        self.packets += 1;
        self.chunks.extend(packet.framed());
    }

    /// The packets that wait, as one message, and their number.
    pub(super) fn take(&mut self) -> Option<(Bytes, u64)> {
        if self.packets == 0 {
            return None;
        }
        let message = Bytes::from(self.chunks.concat());
        let packets = self.packets as u64;
        self.chunks.clear();
        self.packets = 0;
        self.bytes = 0;
        Some((message, packets))
    }
}

fn framed_len(packet: &Packet) -> usize {
    framing::prefix(packet.len()).len() + packet.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use videocall_types::framing::Split;
    use videocall_types::limits::MAX_PACKET_BYTES;

    /// What NATS takes by default.
    const MAX_PAYLOAD: usize = 1024 * 1024;

    fn packet(len: usize, fill: u8) -> Packet {
        Packet::from_serialized(vec![fill; len].into())
    }

    #[test]
    fn a_message_is_its_packets_in_order() {
        let mut batch = Batch::default();
        let lens = [1, 0, 127, 128, 300, 20_000];
        for (fill, len) in (0..).zip(lens) {
            assert!(batch.has_room_for(&packet(len, fill), MAX_PAYLOAD));
            batch.push(&packet(len, fill));
        }
        let (message, packets) = batch.take().unwrap();
        assert_eq!(packets, 6);
        let split: Vec<Bytes> = Split::new(message).map(Result::unwrap).collect();
        for ((fill, len), packet) in (0..).zip(lens).zip(&split) {
            assert_eq!(*packet, vec![fill; len]);
        }
        assert_eq!(split.len(), 6);
        assert_eq!(batch.take(), None);
    }

    #[test]
    fn a_message_is_bounded_in_packets_and_bytes() {
        let small = packet(10, 0);
        let mut batch = Batch::default();
        for _ in 0..MAX_PACKETS {
            assert!(batch.has_room_for(&small, MAX_PAYLOAD));
            batch.push(&small);
        }
        assert!(!batch.has_room_for(&small, MAX_PAYLOAD));
        batch.take();

        batch.push(&packet(MAX_BYTES / 2 - 3, 0));
        assert!(batch.has_room_for(&packet(MAX_BYTES / 2 - 3, 0), MAX_PAYLOAD));
        assert!(!batch.has_room_for(&packet(MAX_BYTES / 2 - 2, 0), MAX_PAYLOAD));
        batch.push(&packet(MAX_BYTES / 2 - 3, 0));
        assert_eq!(batch.take().unwrap().0.len(), MAX_BYTES);

        batch.push(&small);
        assert!(batch.has_room_for(&small, 22));
        assert!(!batch.has_room_for(&small, 21));
    }

    #[test]
    fn the_largest_packet_goes_alone_and_fits() {
        let mut batch = Batch::default();
        let largest = packet(MAX_PACKET_BYTES, 7);
        assert!(batch.has_room_for(&largest, MAX_PAYLOAD));
        batch.push(&largest);
        assert!(!batch.has_room_for(&packet(0, 0), MAX_PAYLOAD));
        let (message, _) = batch.take().unwrap();
        assert_eq!(message.len(), MAX_PACKET_BYTES + 3);
        assert!(message.len() <= MAX_PAYLOAD);
    }
}
