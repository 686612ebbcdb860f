//! Several packets in one piece, on a long-lived stream or in a message: each is preceded by its length as a protobuf varint.

use arrayvec::ArrayVec;
use bytes::{Buf as _, Bytes, BytesMut};

use crate::limits::MAX_PACKET_BYTES;

/// A length prefix has at most this many bytes: `MAX_PACKET_BYTES` needs three groups of seven bits.
pub const MAX_PREFIX_BYTES: usize = 3;
/// Most memory that is reserved for bytes that have not come: a length is announced before anything stands behind it.
const RESERVED_AHEAD: usize = 16 * 1024;

/// The prefix of a packet of `len` bytes, at most [`MAX_PACKET_BYTES`].
#[must_use]
pub fn prefix(len: usize) -> Prefix {
    let mut prefix = Prefix::new();
    let mut rest = len;
    while rest >= 0x80 && prefix.len() < MAX_PREFIX_BYTES - 1 {
        prefix.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    prefix.push((rest & 0x7f) as u8);
    prefix
}

/// See [`prefix`].
pub type Prefix = ArrayVec<u8, MAX_PREFIX_BYTES>;

/// Appends the prefix of a packet of `len` bytes.
pub fn write_prefix(out: &mut BytesMut, len: usize) {
    out.extend_from_slice(&prefix(len));
}

/// What a datagram of a connection's first request begins with: its number divided by four (RFC 9297, section 2.1).
pub const DATAGRAM_HEAD: [u8; 1] = [0];

/// What a binary WebSocket message of `len` bytes from a server begins with (RFC 6455, section 5.2).
#[must_use]
pub fn message_head(len: usize) -> MessageHead {
    const FINAL_BINARY: u8 = 0x82;
    let mut head = MessageHead::new();
    head.push(FINAL_BINARY);
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len @ ..=125), _) => head.push(len),
        (_, Ok(len)) => {
            head.push(126);
            head.extend(len.to_be_bytes());
        }
        (_, Err(_)) => {
            head.push(127);
            head.extend((len as u64).to_be_bytes());
        }
    }
    head
}

/// At most ten bytes.
pub type MessageHead = ArrayVec<u8, 10>;

/// Why a stream or message can't be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// A length over [`MAX_PACKET_BYTES`]. Found before anything of that packet is buffered.
    #[error("packet on a stream is larger than {MAX_PACKET_BYTES} bytes")]
    TooLarge,
    /// A message that ends within a packet. A stream never does: the rest is still to come.
    #[error("message ends within a packet")]
    Truncated,
}

/// Takes packets off the bytes of one stream, in order.
#[derive(Debug, Default)]
pub struct Deframer {
    buffer: BytesMut,
}

impl Deframer {
    /// Adds bytes that arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole packet; `Ok(None)` until more bytes arrive.
    ///
    /// # Errors
    /// [`FramingError::TooLarge`]; the stream can't be read on after that.
    pub fn next_packet(&mut self) -> Result<Option<Bytes>, FramingError> {
        let Some((len, prefix)) = read_prefix(&self.buffer)? else {
            return Ok(None);
        };
        if self.buffer.len() < prefix + len {
            let missing = prefix + len - self.buffer.len();
            self.buffer.reserve(missing.min(RESERVED_AHEAD));
            return Ok(None);
        }
        self.buffer.advance(prefix);
        Ok(Some(self.buffer.split_to(len).freeze()))
    }

    /// Bytes of a packet that is not complete yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }
}

/// Takes the packets of one whole message, in order, as slices of it. It ends after an error.
#[derive(Clone, Debug)]
pub struct Split {
    rest: Bytes,
}

impl Split {
    /// The packets of `message`.
    #[must_use]
    pub const fn new(message: Bytes) -> Self {
        Self { rest: message }
    }

    fn take_packet(&mut self) -> Result<Bytes, FramingError> {
        let (len, prefix) = read_prefix(&self.rest)?.ok_or(FramingError::Truncated)?;
        if self.rest.len() < prefix + len {
            return Err(FramingError::Truncated);
        }
        self.rest.advance(prefix);
        Ok(self.rest.split_to(len))
    }
}

impl Iterator for Split {
    type Item = Result<Bytes, FramingError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let packet = self.take_packet();
        if packet.is_err() {
            self.rest.clear();
        }
        Some(packet)
    }
}

/// The length that `bytes` begin with, and how many bytes say so; `Ok(None)` if there are too few.
fn read_prefix(bytes: &[u8]) -> Result<Option<(usize, usize)>, FramingError> {
    let mut len = 0;
    for (index, byte) in bytes.iter().take(MAX_PREFIX_BYTES).enumerate() {
        len |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return if len > MAX_PACKET_BYTES {
                Err(FramingError::TooLarge)
            } else {
                Ok(Some((len, index + 1)))
            };
        }
    }
    if bytes.len() >= MAX_PREFIX_BYTES {
        Err(FramingError::TooLarge)
    } else {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_message_head_is_as_short_as_its_length_allows() {
        assert_eq!(message_head(125)[..], [0x82, 125]);
        assert_eq!(message_head(126)[..], [0x82, 126, 0, 126]);
        assert_eq!(message_head(0xffff)[..], [0x82, 126, 0xff, 0xff]);
        assert_eq!(
            message_head(0x1_0000)[..],
            [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]
        );
    }

    #[test]
    fn a_huge_length_is_refused_at_its_prefix() {
        let mut deframer = Deframer::default();
        deframer.push(&[0xff, 0xff, 0xff]);
        assert_eq!(deframer.next_packet(), Err(FramingError::TooLarge));
        let mut prefix = BytesMut::new();
        write_prefix(&mut prefix, MAX_PACKET_BYTES + 1);
        let mut deframer = Deframer::default();
        deframer.push(&prefix);
        assert_eq!(deframer.next_packet(), Err(FramingError::TooLarge));
    }

    /// Twice, because a buffer that grows doubles at least.
    #[test]
    fn memory_comes_with_bytes_and_not_with_their_announcement() {
        let mut deframer = Deframer::default();
        deframer.push(&prefix(MAX_PACKET_BYTES));
        assert_eq!(deframer.next_packet(), Ok(None));
        assert!(deframer.buffer.capacity() <= 2 * RESERVED_AHEAD);

        let packet = vec![7; MAX_PACKET_BYTES];
        for piece in packet.chunks(1_200) {
            assert_eq!(deframer.next_packet(), Ok(None));
            deframer.push(piece);
            let capacity = deframer.buffer.capacity();
            assert!(capacity <= 2 * (deframer.pending() + RESERVED_AHEAD));
        }
        assert_eq!(deframer.next_packet(), Ok(Some(packet.into())));
    }

    fn message(packets: &[&[u8]]) -> BytesMut {
        let mut message = BytesMut::new();
        for packet in packets {
            write_prefix(&mut message, packet.len());
            message.extend_from_slice(packet);
        }
        message
    }

    #[test]
    fn what_is_before_the_fault_of_a_message_is_read() {
        let good = message(&[b"one", b"", b"two"]);
        let packets = [&b"one"[..], b"", b"two"].map(|packet| Ok(Bytes::copy_from_slice(packet)));
        let read = |tail: &[u8]| -> Vec<_> {
            Split::new([&good, tail].concat().into())
                .skip(packets.len())
                .collect()
        };
        assert!(Split::new(good.clone().freeze()).eq(packets.clone()));
        assert!(Split::new(Bytes::new()).eq([]));
        for truncated in [&[1][..], &[0x80], &[0xff, 0xff], &[4, b'a', b'b', b'c']] {
            assert_eq!(read(truncated), [Err(FramingError::Truncated)]);
        }
        for too_large in [&[0xff, 0xff, 0xff, 1][..], &[0xff, 0xff, 0x7f]] {
            assert_eq!(read(too_large), [Err(FramingError::TooLarge)]);
        }
        let mut faulty = good.clone();
        faulty.extend_from_slice(&[9, 1]);
        assert!(Split::new(faulty.freeze()).take(packets.len()).eq(packets));
    }

    #[test]
    fn the_largest_packet_is_split_off_without_copying() {
        let largest = vec![7; MAX_PACKET_BYTES];
        let message = message(&[b"small", &largest, b"small"]).freeze();
        let packets: Vec<Bytes> = Split::new(message.clone()).map(Result::unwrap).collect();
        assert_eq!(packets[1], largest);
        assert_eq!(packets.len(), 3);
        for packet in packets {
            assert!(message.as_ptr_range().contains(&packet.as_ptr()));
        }
    }

    proptest! {
        #[test]
        fn a_message_is_read_as_a_stream_is(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut deframer = Deframer::default();
            deframer.push(&bytes);
            let end = loop {
                match deframer.next_packet() {
                    Ok(Some(_)) => {}
                    Ok(None) => break (deframer.pending() > 0).then_some(FramingError::Truncated),
                    Err(error) => break Some(error),
                }
            };
            let mut stream = Deframer::default();
            stream.push(&bytes);
            let mut split = Split::new(bytes.into());
            while let Ok(Some(packet)) = stream.next_packet() {
                prop_assert_eq!(split.next(), Some(Ok(packet)));
            }
            prop_assert_eq!(split.next(), end.map(Err));
            prop_assert_eq!(split.next(), None);
        }

        #[test]
        fn packets_survive_any_cut(
            packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..500), 0..8),
            cut in 1..64usize,
        ) {
            let mut stream = BytesMut::new();
            for packet in &packets {
                write_prefix(&mut stream, packet.len());
                stream.extend_from_slice(packet);
            }
            let mut deframer = Deframer::default();
            let mut read = Vec::new();
            for chunk in stream.chunks(cut) {
                deframer.push(chunk);
                while let Some(packet) = deframer.next_packet().unwrap() {
                    read.push(packet.to_vec());
                }
            }
            prop_assert_eq!(read, packets);
            prop_assert_eq!(deframer.pending(), 0);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut deframer = Deframer::default();
            deframer.push(&bytes);
            while let Ok(Some(_)) = deframer.next_packet() {}
        }
    }
}
