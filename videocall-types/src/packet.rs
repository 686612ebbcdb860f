//! Reading a packet's header and stamping a sender on it, without copying the payload.

use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use protobuf::rt::WireType;
use protobuf::{CodedInputStream, CodedOutputStream, Message as _};

use crate::framing;
use crate::id::SessionId;
use crate::limits::MAX_PACKET_BYTES;
use crate::routing::Routing;

pub use crate::proto::packet_wrapper::packet_wrapper::PacketType as PacketKind;

/// Field numbers of `PacketWrapper`.
mod field {
    pub(super) const PACKET_TYPE: u32 = 1;
    pub(super) const USER_ID: u32 = 2;
    pub(super) const DATA: u32 = 3;
    pub(super) const SESSION_ID: u32 = 4;
    pub(super) const ROUTING: u32 = 20;
}

/// Why bytes are not a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Over [`MAX_PACKET_BYTES`].
    #[error("packet is larger than {MAX_PACKET_BYTES} bytes")]
    TooLarge,
    /// Not a serialized `PacketWrapper`.
    #[error("packet can't be read")]
    Malformed,
}

/// A packet as it arrived: the header's values and the payload as slices of the received bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketHeader {
    /// What `data` is; `Err` holds the number of a type that this version doesn't know.
    pub kind: Result<PacketKind, i32>,
    /// Who sent it. From a client it is a claim; from a relay it is the truth.
    pub session_id: Option<SessionId>,
    /// The sender's user id, as `session_id`.
    pub user_id: Bytes,
    /// The serialized routing header; empty if there is none.
    pub routing: Bytes,
    /// The payload.
    pub data: Bytes,
}

impl PacketHeader {
    /// Reads the header of a serialized `PacketWrapper`. Unknown fields are skipped.
    ///
    /// # Errors
    /// [`PacketError`] if `bytes` is too large or not a `PacketWrapper`.
    pub fn parse(bytes: &Bytes) -> Result<Self, PacketError> {
        if bytes.len() > MAX_PACKET_BYTES {
            return Err(PacketError::TooLarge);
        }
        Self::read(bytes).map_err(|_| PacketError::Malformed)
    }

    fn read(bytes: &Bytes) -> protobuf::Result<Self> {
        let mut header = Self {
            kind: Ok(PacketKind::PACKET_TYPE_UNKNOWN),
            session_id: None,
            user_id: Bytes::new(),
            routing: Bytes::new(),
            data: Bytes::new(),
        };
        let mut input = CodedInputStream::from_tokio_bytes(bytes);
        while let Some(tag) = input.read_raw_tag_or_eof()? {
            let (number, wire_type) = (tag >> 3, tag & 7);
            match (number, wire_type) {
                (field::PACKET_TYPE, 0) => {
                    let raw = input.read_int32()?;
                    header.kind = protobuf::Enum::from_i32(raw).ok_or(raw);
                }
                (field::USER_ID, 2) => header.user_id = input.read_tokio_bytes()?,
                (field::DATA, 2) => header.data = input.read_tokio_bytes()?,
                (field::SESSION_ID, 0) => header.session_id = SessionId::new(input.read_uint64()?),
                (field::ROUTING, 2) => header.routing = input.read_tokio_bytes()?,
                _ => protobuf::rt::skip_field_for_tag(tag, &mut input)?,
            }
        }
        Ok(header)
    }
}

/// A packet ready to be sent to any number of receivers: cloning it counts a reference.
#[derive(Clone, Debug)]
pub struct Packet(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    /// The length prefix of [`framing`], then every field but the payload's bytes.
    framed_head: Bytes,
    prefix_len: usize,
    payload: Bytes,
    /// The packet in one piece, if it came so.
    serialized: Option<Bytes>,
    /// See [`Packet::message`].
    message: OnceLock<Bytes>,
    /// See [`Packet::datagram`].
    datagram: OnceLock<Bytes>,
}

impl Packet {
    /// A packet of `kind` from `session_id`/`user_id` with `payload` as its data.
    /// `routing` is a serialized routing header, or empty.
    #[must_use]
    pub fn new(
        kind: PacketKind,
        user_id: &[u8],
        session_id: Option<SessionId>,
        routing: &[u8],
        payload: Bytes,
    ) -> Self {
        const ROOM: usize = framing::MAX_PREFIX_BYTES;
        let mut framed = Vec::with_capacity(ROOM + 32 + user_id.len() + routing.len());
        framed.extend_from_slice(&[0; ROOM]);
        write_head(
            &mut framed,
            kind,
            user_id,
            session_id,
            routing,
            payload.len(),
        );
        // The prefix is known last and stands first: it ends where the head begins.
        let prefix = framing::prefix(framed.len() - ROOM + payload.len());
        let prefix_len = prefix.len();
        if let Some(place) = framed.get_mut(ROOM - prefix_len..ROOM) {
            place.copy_from_slice(&prefix);
        }
        Self(Arc::new(Parts {
            framed_head: Bytes::from(framed).slice(ROOM - prefix_len..),
            prefix_len,
            payload,
            serialized: None,
            message: OnceLock::new(),
            datagram: OnceLock::new(),
        }))
    }

    /// A media packet with a routing header.
    #[must_use]
    pub fn media(
        user_id: &[u8],
        session_id: Option<SessionId>,
        routing: &Routing,
        payload: Bytes,
    ) -> Self {
        let routing = routing.to_wire().write_to_bytes().unwrap_or_default();
        Self::new(PacketKind::MEDIA, user_id, session_id, &routing, payload)
    }

    /// A packet that is serialized already, such as one from another relay. Its bytes go out as they are.
    #[must_use]
    pub fn from_serialized(bytes: Bytes) -> Self {
        let mut framed = BytesMut::with_capacity(framing::MAX_PREFIX_BYTES);
        framing::write_prefix(&mut framed, bytes.len());
        let prefix_len = framed.len();
        Self(Arc::new(Parts {
            framed_head: framed.freeze(),
            prefix_len,
            payload: bytes.clone(),
            serialized: Some(bytes),
            message: OnceLock::new(),
            datagram: OnceLock::new(),
        }))
    }

    /// Size of the serialized `PacketWrapper`, in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.framed_head.len() - self.0.prefix_len + self.0.payload.len()
    }

    /// Always false: a packet has at least its type.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The two chunks that make one frame of a long-lived stream: length prefix and header, then payload.
    #[must_use]
    pub fn framed(&self) -> [Bytes; 2] {
        [self.0.framed_head.clone(), self.0.payload.clone()]
    }

    /// The two chunks that make one serialized `PacketWrapper`: header, then payload.
    #[must_use]
    pub fn chunks(&self) -> [Bytes; 2] {
        [
            self.0.framed_head.slice(self.0.prefix_len..),
            self.0.payload.clone(),
        ]
    }

    /// The serialized `PacketWrapper` in one piece. Copied at the first call, then shared.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        match &self.0.serialized {
            Some(bytes) => bytes.clone(),
            None => self
                .message()
                .slice(framing::message_head(self.len()).len()..),
        }
    }

    /// The packet as a WebSocket message of a server. Copied at the first call, then shared.
    #[must_use]
    pub fn message(&self) -> Bytes {
        let join = || self.join(&framing::message_head(self.len()));
        self.0.message.get_or_init(join).clone()
    }

    /// The packet as an HTTP/3 datagram of the connection's first request. Copied at the first call, then shared.
    #[must_use]
    pub fn datagram(&self) -> Bytes {
        let join = || self.join(&framing::DATAGRAM_HEAD);
        self.0.datagram.get_or_init(join).clone()
    }

    fn join(&self, before: &[u8]) -> Bytes {
        let [head, payload] = self.chunks();
        let mut whole = BytesMut::with_capacity(before.len() + self.len());
        whole.extend_from_slice(before);
        whole.extend_from_slice(&head);
        whole.extend_from_slice(&payload);
        whole.freeze()
    }
}

impl PartialEq for Packet {
    fn eq(&self, other: &Self) -> bool {
        self.chunks() == other.chunks()
    }
}

impl Eq for Packet {}

fn write_head(
    head: &mut Vec<u8>,
    kind: PacketKind,
    user_id: &[u8],
    session_id: Option<SessionId>,
    routing: &[u8],
    payload_len: usize,
) {
    let mut out = CodedOutputStream::vec(head);
    // Writing to a Vec can't fail, so that a result is of no interest here.
    let _ = write_fields(&mut out, kind, user_id, session_id, routing, payload_len)
        .and_then(|()| out.flush());
}

fn write_fields(
    out: &mut CodedOutputStream<'_>,
    kind: PacketKind,
    user_id: &[u8],
    session_id: Option<SessionId>,
    routing: &[u8],
    payload_len: usize,
) -> protobuf::Result<()> {
    out.write_enum(field::PACKET_TYPE, protobuf::Enum::value(&kind))?;
    if !user_id.is_empty() {
        out.write_bytes(field::USER_ID, user_id)?;
    }
    if let Some(session) = session_id {
        out.write_uint64(field::SESSION_ID, session.get())?;
    }
    if !routing.is_empty() {
        out.write_bytes(field::ROUTING, routing)?;
    }
    out.write_tag(field::DATA, WireType::LengthDelimited)?;
    out.write_raw_varint64(payload_len as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::packet_wrapper::PacketWrapper;
    use proptest::prelude::*;

    fn session(raw: u64) -> SessionId {
        SessionId::new(raw).unwrap()
    }

    #[test]
    fn a_stamped_packet_is_a_packet_wrapper() {
        let payload = Bytes::from_static(b"frame");
        let packet = Packet::new(
            PacketKind::MEDIA,
            b"ada",
            Some(session(7)),
            b"\x08\x01",
            payload.clone(),
        );
        let wrapper = PacketWrapper::parse_from_tokio_bytes(&packet.to_bytes()).unwrap();
        assert_eq!(wrapper.packet_type.enum_value(), Ok(PacketKind::MEDIA));
        assert_eq!(wrapper.user_id, "ada");
        assert_eq!(wrapper.session_id, 7);
        assert_eq!(wrapper.data, payload);
        assert_eq!(wrapper.routing.track.value(), 1);
        assert_eq!(packet.len(), packet.to_bytes().len());
    }

    #[test]
    fn a_serialized_packet_goes_out_as_it_is() {
        let bytes = Packet::new(
            PacketKind::MEDIA,
            b"ada",
            Some(session(7)),
            b"",
            Bytes::from_static(b"frame"),
        )
        .to_bytes();
        let packet = Packet::from_serialized(bytes.clone());
        assert_eq!(packet.len(), bytes.len());
        assert_eq!(packet.chunks().concat(), bytes);
        assert_eq!(packet.to_bytes().as_ptr(), bytes.as_ptr());
        let mut framed = BytesMut::new();
        framing::write_prefix(&mut framed, bytes.len());
        framed.extend_from_slice(&bytes);
        assert_eq!(packet.framed().concat(), framed);
        assert_eq!(packet.datagram()[1..], bytes);
        assert_eq!(packet.message()[2..], bytes);
    }

    #[test]
    fn the_payload_is_never_copied() {
        let received = Packet::new(
            PacketKind::MEDIA,
            b"x",
            None,
            b"",
            Bytes::from(vec![5; 4000]),
        )
        .to_bytes();
        let header = PacketHeader::parse(&received).unwrap();
        assert!(received.as_ptr_range().contains(&header.data.as_ptr()));
        let stamped = Packet::new(
            PacketKind::MEDIA,
            b"ada",
            Some(session(1)),
            &header.routing,
            header.data.clone(),
        );
        assert_eq!(stamped.framed()[1].as_ptr(), header.data.as_ptr());
    }

    proptest! {
        #[test]
        fn reading_agrees_with_the_generated_code(
            kind in 0..40i32, user in prop::collection::vec(any::<u8>(), 0..70), id: u64,
            routing in prop::collection::vec(any::<u8>(), 0..30), data in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let known = PacketKind::MEDIA;
            let packet = Packet::new(known, &user, SessionId::new(id), &routing, data.clone().into());
            let header = PacketHeader::parse(&packet.to_bytes()).unwrap();
            prop_assert_eq!(header.kind, Ok(known));
            prop_assert_eq!(&header.user_id[..], &user[..]);
            prop_assert_eq!(header.session_id, SessionId::new(id));
            prop_assert_eq!(&header.routing[..], &routing[..]);
            prop_assert_eq!(&header.data[..], &data[..]);

            let mut wrapper = PacketWrapper::new();
            wrapper.packet_type = protobuf::EnumOrUnknown::from_i32(kind);
            wrapper.user_id = user.into();
            wrapper.session_id = id;
            wrapper.data = data.into();
            let bytes = Bytes::from(wrapper.write_to_bytes().unwrap());
            let header = PacketHeader::parse(&bytes).unwrap();
            prop_assert_eq!(header.kind.map_or_else(|raw| raw, |k| protobuf::Enum::value(&k)), kind);
            prop_assert_eq!(header.data, wrapper.data);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let bytes = Bytes::from(bytes);
            if let Ok(header) = PacketHeader::parse(&bytes) {
                let _ = Routing::parse(&header.routing);
            }
        }
    }
}
