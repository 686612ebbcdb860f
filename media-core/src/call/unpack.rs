//! Bytes of a peer into what they mean. Whatever can't be read means nothing.

use std::time::Duration;

use bytes::Bytes;
use protobuf::Message as _;
use videocall_types::limits::MAX_REDUNDANCY;
use videocall_types::proto::control::notice::Reason;
use videocall_types::proto::control::{self as wire, Demand, KeyframeRequest, Notice, Presence};
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::proto::media_packet::{MediaPacket, VideoCodec};
use videocall_types::report::Report;
use videocall_types::{
    Codec, PacketHeader, PacketKind, Redundancy, ResumeSecret, Routing, SessionId, Timestamp,
    Track, TrackDemand,
};

use crate::frame::RemoteFrame;

/// More speakers than any relay names.
const MAX_SPEAKERS: usize = 16;

/// What a packet from the relay says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Inbound {
    /// This is our session, and what it can be resumed with.
    Assigned {
        session: SessionId,
        secret: Option<ResumeSecret>,
    },
    /// The relay stops: another connection should be made after this time.
    Drain(Duration),
    /// A frame of somebody.
    Media(RemoteFrame),
    /// A frame of somebody that no decoder can take: of an unknown codec, or broken.
    Undecodable { session: SessionId, track: Track },
    /// Our probe came back; it carries when it was sent.
    Probe(Timestamp),
    /// Somebody needs a keyframe of this layer of our track.
    KeyframeWanted { track: Track, spatial_layer: u8 },
    /// How the connection does.
    Report(Report),
    /// How much of our tracks anybody shows.
    Demand(Vec<TrackDemand>),
    /// How many earlier frames the packets of our sounds shall repeat.
    Redundancy(Redundancy),
    /// Who is in the room.
    Presence(Presence),
    /// Who speaks, whoever leads first.
    Speakers(Vec<SessionId>),
    /// Nothing that concerns us.
    Nothing,
}

/// Reads a serialized `PacketWrapper`.
pub(super) fn read(packet: &Bytes) -> Inbound {
    try_read(packet).unwrap_or(Inbound::Nothing)
}

fn try_read(packet: &Bytes) -> Option<Inbound> {
    let header = PacketHeader::parse(packet).ok()?;
    match header.kind.ok()? {
        PacketKind::SESSION_ASSIGNED => Some(Inbound::Assigned {
            session: header.session_id?,
            secret: ResumeSecret::from_bytes(&header.data),
        }),
        PacketKind::NOTICE => {
            let notice = Notice::parse_from_tokio_bytes(&header.data).ok()?;
            let after = Duration::from_millis(notice.retry_after_ms.into());
            (notice.reason == Reason::DRAIN.into()).then_some(Inbound::Drain(after))
        }
        PacketKind::PRESENCE => Presence::parse_from_tokio_bytes(&header.data)
            .ok()
            .map(Inbound::Presence),
        PacketKind::SPEAKERS => {
            let speakers = wire::Speakers::parse_from_tokio_bytes(&header.data).ok()?;
            let sessions = speakers.session_ids.iter().take(MAX_SPEAKERS);
            let sessions = sessions.filter_map(|raw| SessionId::new(*raw));
            Some(Inbound::Speakers(sessions.collect()))
        }
        PacketKind::DEMAND => {
            let demand = Demand::parse_from_tokio_bytes(&header.data).ok()?;
            let tracks = demand.tracks.iter().filter_map(TrackDemand::from_wire);
            Some(Inbound::Demand(tracks.collect()))
        }
        PacketKind::KEYFRAME_REQUEST => {
            let request = KeyframeRequest::parse_from_tokio_bytes(&header.data).ok()?;
            Some(Inbound::KeyframeWanted {
                track: Track::from_wire(request.track.enum_value().ok()?)?,
                spatial_layer: u8::try_from(request.spatial_layer).ok()?,
            })
        }
        PacketKind::REPORT => Report::parse(&header.data).map(Inbound::Report),
        PacketKind::REDUNDANCY => {
            let redundancy = wire::Redundancy::parse_from_tokio_bytes(&header.data).ok()?;
            Some(Inbound::Redundancy(Redundancy::from_relay(&redundancy)))
        }
        PacketKind::MEDIA => read_media(&header),
        PacketKind::PACKET_TYPE_UNKNOWN
        | PacketKind::RSA_PUB_KEY
        | PacketKind::AES_KEY
        | PacketKind::CONNECTION
        | PacketKind::DIAGNOSTICS
        | PacketKind::HEALTH
        | PacketKind::MEETING
        | PacketKind::CONGESTION
        | PacketKind::PADDING
        | PacketKind::WISHES
        | PacketKind::ENTER => None,
    }
}

fn read_media(header: &PacketHeader) -> Option<Inbound> {
    let media = MediaPacket::parse_from_tokio_bytes(&header.data);
    match media.as_ref().map(|media| media.media_type.enum_value()) {
        // The header tells whose frame of which track it is, also when the payload is broken.
        Ok(Ok(MediaType::VIDEO | MediaType::AUDIO | MediaType::SCREEN)) | Err(_) => {
            read_frame(header, media.ok())
        }
        Ok(Ok(MediaType::RTT)) => Some(Inbound::Probe(from_millis(media.ok()?.timestamp))),
        Ok(Ok(
            MediaType::MEDIA_TYPE_UNKNOWN | MediaType::HEARTBEAT | MediaType::KEYFRAME_REQUEST,
        ))
        | Ok(Err(_)) => None,
    }
}

/// `media`: `None` if it can't be read.
fn read_frame(header: &PacketHeader, media: Option<MediaPacket>) -> Option<Inbound> {
    let session = header.session_id?;
    let routing = Routing::parse(&header.routing)?;
    let track = routing.track;
    let frame = media.and_then(|media| to_frame(session, routing, media));
    Some(frame.map_or(Inbound::Undecodable { session, track }, Inbound::Media))
}

fn to_frame(session: SessionId, routing: Routing, media: MediaPacket) -> Option<RemoteFrame> {
    let codec = routing
        .codec
        .or_else(|| implied_codec(routing.track, &media))?;
    let mut earlier = if routing.track.is_audio() {
        media.earlier
    } else {
        Vec::new()
    };
    earlier.truncate(usize::from(MAX_REDUNDANCY));
    let fits = (codec == Codec::Opus) == routing.track.is_audio();
    fits.then_some(RemoteFrame {
        session,
        track: routing.track,
        codec,
        keyframe: routing.keyframe || routing.track.is_audio(),
        spatial_layer: routing.spatial_layer,
        sequence: routing.sequence,
        reference: routing.reference,
        capture_time_us: routing.capture_time_us,
        data: media.data,
        earlier,
    })
}

/// What a public 6.x client means when the relay could not tell.
fn implied_codec(track: Track, media: &MediaPacket) -> Option<Codec> {
    if track.is_audio() {
        return Some(Codec::Opus);
    }
    match media.video_metadata.codec.enum_value().ok()? {
        VideoCodec::VP8 => Some(Codec::Vp8),
        VideoCodec::VP9_PROFILE0_LEVEL10_8BIT => Some(Codec::Vp9),
        VideoCodec::VIDEO_CODEC_UNSPECIFIED => None,
    }
}

/// Saturates; not a number is zero.
fn from_millis(millis: f64) -> Timestamp {
    Timestamp::from_micros((millis * 1000.0).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::super::heartbeat::MediaState;
    use super::super::pack;
    use super::*;
    use crate::frame::LocalFrame;
    use proptest::prelude::*;
    use videocall_types::{LayerSet, Packet};

    fn stamped(packet: &Packet, session: u64) -> Bytes {
        let header = PacketHeader::parse(&packet.to_bytes()).unwrap();
        Packet::new(
            PacketKind::MEDIA,
            b"bob",
            SessionId::new(session),
            &header.routing,
            header.data,
        )
        .to_bytes()
    }

    fn local(track: Track, codec: Codec) -> LocalFrame {
        LocalFrame {
            track,
            codec,
            keyframe: true,
            spatial_layer: 0,
            temporal_layer: 0,
            capture_time_us: 1_234_567,
            duration_us: 33_333,
            audio_level: 40,
            data: Bytes::from_static(b"chunk"),
        }
    }

    fn place(sequence: u64) -> pack::Place {
        pack::Place {
            sequence,
            reference: 3,
            layers: LayerSet::only(0),
        }
    }

    #[test]
    fn a_packed_frame_is_read_back() {
        for (track, codec) in [
            (Track::Camera, Codec::Av1),
            (Track::ScreenAudio, Codec::Opus),
        ] {
            let earlier = match track {
                Track::ScreenAudio => vec![Bytes::from_static(b"before"), Bytes::new()],
                _ => Vec::new(),
            };
            let packet = pack::media(local(track, codec), place(9), earlier.clone());
            let Inbound::Media(frame) = read(&stamped(&packet, 7)) else {
                panic!("{track:?}")
            };
            assert_eq!(
                frame,
                RemoteFrame {
                    session: SessionId::new(7).unwrap(),
                    track,
                    codec,
                    keyframe: true,
                    spatial_layer: 0,
                    sequence: 9,
                    reference: 3,
                    capture_time_us: 1_234_567,
                    data: Bytes::from_static(b"chunk"),
                    earlier,
                }
            );
        }
    }

    #[test]
    fn the_payload_is_what_a_public_client_sends() {
        let packet = pack::media(local(Track::Screen, Codec::Vp8), place(3), Vec::new());
        let header = PacketHeader::parse(&packet.to_bytes()).unwrap();
        let media = MediaPacket::parse_from_tokio_bytes(&header.data).unwrap();
        assert_eq!(media.media_type.enum_value(), Ok(MediaType::SCREEN));
        assert_eq!(
            (media.frame_type.as_str(), media.timestamp, media.duration),
            ("key", 1_234_567.0, 33_333.0)
        );
        assert_eq!(media.video_metadata.sequence, 3);
        assert_eq!(media.video_metadata.codec.enum_value(), Ok(VideoCodec::VP8));

        let packet = pack::media(local(Track::Microphone, Codec::Opus), place(4), Vec::new());
        let header = PacketHeader::parse(&packet.to_bytes()).unwrap();
        let media = MediaPacket::parse_from_tokio_bytes(&header.data).unwrap();
        assert_eq!(
            (media.timestamp, media.audio_metadata.sequence),
            (1234.567, 4)
        );
    }

    #[test]
    fn a_frame_without_sender_means_nothing() {
        let packet = pack::media(local(Track::Camera, Codec::Vp9), place(0), Vec::new());
        assert_eq!(read(&packet.to_bytes()), Inbound::Nothing);
    }

    #[test]
    fn a_frame_that_fits_no_decoder_is_somebodys_all_the_same() {
        let undecodable = |track| Inbound::Undecodable {
            session: SessionId::new(7).unwrap(),
            track,
        };
        for (track, codec) in [
            (Track::Camera, Codec::Opus),
            (Track::Microphone, Codec::Vp9),
        ] {
            let packet = pack::media(local(track, codec), place(0), Vec::new());
            assert_eq!(read(&stamped(&packet, 7)), undecodable(track));
        }
        let routing = Routing {
            codec: None,
            ..Routing::new(Track::Screen, 0, true)
        };
        for payload in [&b"\xff\xff\xff"[..], b"\x08\x01"] {
            let payload = Bytes::from_static(payload);
            let packet = Packet::media(b"bob", SessionId::new(7), &routing, payload);
            assert_eq!(read(&packet.to_bytes()), undecodable(Track::Screen));
        }
    }

    #[test]
    fn a_probe_carries_its_moment_to_the_microsecond() {
        for micros in [0, 1, 999, 1_234_567, 86_400_000_001] {
            let time = Timestamp::from_micros(micros);
            assert_eq!(read(&pack::probe(time).to_bytes()), Inbound::Probe(time));
        }
        assert_eq!(from_millis(f64::NAN), Timestamp::ZERO);
        assert_eq!(from_millis(-1.0), Timestamp::ZERO);
    }

    proptest! {
        #[test]
        fn cut_and_bent_packets_never_panic(at in 0..400usize, bit in 0..8u32, cut: bool) {
            let heartbeat = pack::heartbeat(MediaState::default(), Timestamp::ZERO);
            let request = pack::keyframe_request(SessionId::new(1).unwrap(), Track::Screen);
            let frame = pack::media(local(Track::Camera, Codec::Vp9), place(u64::MAX), Vec::new());
            for packet in [heartbeat, request, frame] {
                let mut bytes = packet.to_bytes().to_vec();
                let at = at % bytes.len();
                if cut {
                    bytes.truncate(at);
                } else {
                    bytes[at] ^= 1 << bit;
                }
                let _ = read(&bytes.into());
            }
        }
    }
}
