//! What measuring packets carry: who sent them when, and a checksum, so that every receiver can check what it gets.
//!
//! ```text
//! magic 4 | room 4 | sender 4 | kind 1 | due time 8, ns | sequence 8 | crc32 4 | padding
//! ```
//! The checksum covers everything but itself.

use bytes::{BufMut as _, Bytes, BytesMut};
use protobuf::{Message as _, MessageField};
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::proto::media_packet::{AudioMetadata, MediaPacket, VideoCodec, VideoMetadata};
use videocall_types::{Codec, Packet, PacketHeader, PacketKind, Routing, SessionId, Track, Wishes};

use crate::measure::{Framing, Kind};

const MAGIC: u32 = 0x7663_626d;
const HEAD: usize = 29;
/// Bytes of the smallest payload.
pub const MIN_BYTES: usize = HEAD + 4;

/// One packet of the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Which room it belongs to.
    pub room: u32,
    /// Which client of all sent it.
    pub sender: u32,
    /// Which of its tracks.
    pub kind: Kind,
    /// When it was due, in nanoseconds since the run's start.
    pub due_ns: u64,
    /// +1 for each packet of the track.
    pub sequence: u64,
}

/// What a received packet turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// One of the load.
    Measured(Stamp),
    /// One that looks like the load's, but is damaged.
    Corrupt,
    /// The server asks for a keyframe.
    KeyframeRequest,
    /// Anything else that a server says.
    Other,
}

/// The serialized packet with `stamp` and `bytes` of payload, as a client of `framing` sends it.
#[must_use]
pub fn packet(stamp: &Stamp, bytes: usize, key: bool, framing: Framing) -> Bytes {
    let mut media = MediaPacket::new();
    media.data = payload(stamp, bytes);
    media.frame_type = if key { "key" } else { "delta" }.to_owned();
    media.timestamp = (stamp.due_ns / 1000) as f64;
    let track = match stamp.kind {
        Kind::Video => {
            media.media_type = MediaType::VIDEO.into();
            media.video_metadata = MessageField::some(VideoMetadata {
                sequence: stamp.sequence,
                codec: VideoCodec::VP9_PROFILE0_LEVEL10_8BIT.into(),
                ..Default::default()
            });
            Track::Camera
        }
        Kind::Audio => {
            media.media_type = MediaType::AUDIO.into();
            media.audio_metadata = MessageField::some(AudioMetadata {
                sequence: stamp.sequence,
                ..Default::default()
            });
            Track::Microphone
        }
    };
    let media = Bytes::from(media.write_to_bytes().unwrap_or_default());
    match framing {
        Framing::Stock => Packet::new(PacketKind::MEDIA, b"bench", SessionId::new(0), b"", media),
        Framing::Native => {
            let routing = Routing {
                capture_time_us: stamp.due_ns / 1000,
                // An audio level of 0 is not measured: all of it is carried, however large the room is.
                codec: Some(if track.is_audio() {
                    Codec::Opus
                } else {
                    Codec::Vp9
                }),
                ..Routing::new(track, stamp.sequence, key)
            };
            Packet::media(b"bench", None, &routing, media)
        }
    }
    .to_bytes()
}

/// A sign of life that every server knows: a round-trip probe.
#[must_use]
pub fn probe() -> Bytes {
    let mut media = MediaPacket::new();
    media.media_type = MediaType::RTT.into();
    let media = Bytes::from(media.write_to_bytes().unwrap_or_default());
    Packet::new(PacketKind::MEDIA, b"bench", None, b"", media).to_bytes()
}

/// Asks for everything.
#[must_use]
pub fn wishes() -> Bytes {
    let wishes = Wishes::everything().to_wire().write_to_bytes();
    let wishes = Bytes::from(wishes.unwrap_or_default());
    Packet::new(PacketKind::WISHES, b"bench", None, b"", wishes).to_bytes()
}

/// Reads a packet that a server sent.
#[must_use]
pub fn read(bytes: &Bytes) -> Arrived {
    let Ok(header) = PacketHeader::parse(bytes) else {
        return Arrived::Corrupt;
    };
    match header.kind {
        Ok(PacketKind::KEYFRAME_REQUEST) => return Arrived::KeyframeRequest,
        Ok(PacketKind::MEDIA) => {}
        _ => return Arrived::Other,
    }
    let Ok(media) = MediaPacket::parse_from_tokio_bytes(&header.data) else {
        return Arrived::Corrupt;
    };
    match media.media_type.enum_value_or_default() {
        MediaType::VIDEO | MediaType::AUDIO => {
            read_payload(&media.data).map_or(Arrived::Corrupt, Arrived::Measured)
        }
        MediaType::KEYFRAME_REQUEST => Arrived::KeyframeRequest,
        _ => Arrived::Other,
    }
}

fn payload(stamp: &Stamp, bytes: usize) -> Bytes {
    let len = bytes.max(MIN_BYTES);
    let mut payload = BytesMut::with_capacity(len);
    payload.put_u32(MAGIC);
    payload.put_u32(stamp.room);
    payload.put_u32(stamp.sender);
    payload.put_u8(u8::from(stamp.kind == Kind::Audio));
    payload.put_u64(stamp.due_ns);
    payload.put_u64(stamp.sequence);
    let head = payload.clone();
    payload.put_u32(0);
    payload.resize(len, (stamp.sequence & 0xff) as u8);
    let sum = checksum(&head, payload.get(MIN_BYTES..).unwrap_or_default());
    if let Some(place) = payload.get_mut(HEAD..MIN_BYTES) {
        place.copy_from_slice(&sum.to_be_bytes());
    }
    payload.freeze()
}

fn checksum(head: &[u8], padding: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(padding);
    hasher.finalize()
}

fn read_payload(payload: &[u8]) -> Option<Stamp> {
    let (head, rest) = payload.split_at_checked(HEAD)?;
    let (sum, padding) = rest.split_first_chunk::<4>()?;
    if checksum(head, padding) != u32::from_be_bytes(*sum) {
        return None;
    }
    let (magic, head) = head.split_first_chunk::<4>()?;
    let (room, head) = head.split_first_chunk::<4>()?;
    let (sender, head) = head.split_first_chunk::<4>()?;
    let (kind, head) = head.split_first_chunk::<1>()?;
    let (due_ns, head) = head.split_first_chunk::<8>()?;
    let (sequence, _) = head.split_first_chunk::<8>()?;
    (u32::from_be_bytes(*magic) == MAGIC).then_some(Stamp {
        room: u32::from_be_bytes(*room),
        sender: u32::from_be_bytes(*sender),
        kind: if *kind == [1] {
            Kind::Audio
        } else {
            Kind::Video
        },
        due_ns: u64::from_be_bytes(*due_ns),
        sequence: u64::from_be_bytes(*sequence),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp {
        room: 3,
        sender: 70_000,
        kind: Kind::Audio,
        due_ns: 1 << 40,
        sequence: 9,
    };

    #[test]
    fn a_packet_is_read_as_it_was_written() {
        for framing in [Framing::Stock, Framing::Native] {
            for (kind, bytes) in [(Kind::Video, 4000), (Kind::Audio, 120), (Kind::Audio, 0)] {
                let stamp = Stamp { kind, ..STAMP };
                let packet = packet(&stamp, bytes, true, framing);
                assert_eq!(read(&packet), Arrived::Measured(stamp));
            }
        }
        assert_eq!(read(&probe()), Arrived::Other);
    }

    #[test]
    fn any_flipped_bit_of_the_payload_is_noticed() {
        let payload = payload(&STAMP, 100);
        assert_eq!(read_payload(&payload), Some(STAMP));
        for index in 0..payload.len() {
            let mut damaged = payload.to_vec();
            damaged[index] ^= 1;
            assert_eq!(read_payload(&damaged), None, "byte {index}");
        }
    }
}
