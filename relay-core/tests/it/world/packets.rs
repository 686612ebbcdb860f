//! Builders of what clients send.

use protobuf::Message as _;
use relay_core::Forward;
use relay_core::ingress::{self, Identity, Inbound};
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::proto::media_packet::{HeartbeatMetadata, MediaPacket};
use videocall_types::{Bytes, Packet, PacketKind, ResumeSecret, SessionId};

pub(crate) fn session(id: u64) -> SessionId {
    SessionId::new(id).unwrap()
}

/// `u1`, `u2`, ...
pub(crate) fn user(id: u64) -> String {
    format!("u{id}")
}

/// What a session can be resumed with that began, or goes on, over this connection.
pub(crate) fn secret(connection: SessionId) -> ResumeSecret {
    ResumeSecret::new(u128::from(connection.get()).to_le_bytes())
}

pub(crate) fn identity(id: u64) -> Identity {
    Identity {
        session: session(id),
        user: user(id).parse().unwrap(),
    }
}

/// What a client sends, through ingress.
pub(crate) fn forwarded(bytes: &Bytes, from: u64) -> Forward {
    match ingress::from_client(bytes, &identity(from)).unwrap() {
        Inbound::Forward(forward) => forward,
        other => panic!("{other:?} is not for others"),
    }
}

pub(crate) fn state(from: u64, state: HeartbeatMetadata) -> Forward {
    let mut media = media_packet(MediaType::HEARTBEAT);
    media.heartbeat_metadata = Some(state).into();
    forwarded(&stock(&media), from)
}

pub(crate) fn media_packet(kind: MediaType) -> MediaPacket {
    let mut media = MediaPacket::new();
    media.media_type = kind.into();
    media
}

/// A `MEDIA` packet as a stock client sends it.
pub(crate) fn stock(media: &MediaPacket) -> Bytes {
    packet(PacketKind::MEDIA, media.write_to_bytes().unwrap().into())
}

pub(crate) fn packet(kind: PacketKind, data: Bytes) -> Bytes {
    Packet::new(kind, b"", None, b"", data).to_bytes()
}
