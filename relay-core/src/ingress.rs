//! What bytes from a client or from another relay are, and whether they may go on. Stateless.

use protobuf::Message as _;
use videocall_types::limits::{MAX_CONTROL_BYTES, MAX_PACKET_BYTES};
use videocall_types::packet::PacketError;
use videocall_types::proto::control as wire;
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::proto::media_packet::{MediaPacket, VideoCodec};
use videocall_types::report::Report;
use videocall_types::{
    Bytes, Codec, Packet, PacketHeader, PacketKind, Redundancy, Resume, Routing, SessionId, Track,
    UserId, Wishes,
};

use crate::drop_reason::DropReason;
use crate::forward::{Content, Forward, LayerId, TrackId};
use crate::member::MediaState;

/// Who a client is, whatever it writes into its packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The session.
    pub session: SessionId,
    /// The user.
    pub user: UserId,
}

/// What a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inbound {
    /// For others.
    Forward(Forward),
    /// For the publisher of a video track.
    KeyframeRequest(KeyframeTarget),
    /// The video tracks that the client shows.
    Wishes(Wishes),
    /// How the connection does; to be answered with a report.
    Report(Report),
    /// How often the client needs to be sent what it hears.
    Redundancy(Redundancy),
    /// To be sent back as it came.
    Probe,
    /// For nobody: it is read and done with.
    Consumed,
}

/// Whose keyframe somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyframeTarget {
    /// One track.
    Track(TrackId),
    /// That track of every session of a user: the public generation does not say more.
    User(UserId, Track),
}

/// Reads what a client sent and stamps its identity on what may go on.
///
/// # Errors
/// The reason why it goes nowhere.
pub fn from_client(bytes: &Bytes, identity: &Identity) -> Result<Inbound, DropReason> {
    let header = parse(bytes)?;
    let kind = header.kind.map_err(|_| DropReason::UnknownKind)?;
    if kind != PacketKind::MEDIA && bytes.len() > MAX_CONTROL_BYTES {
        return Err(DropReason::TooLarge);
    }
    match kind {
        PacketKind::MEDIA if !header.routing.is_empty() => {
            let routing = Routing::parse(&header.routing).ok_or(DropReason::Malformed)?;
            // The header's own bytes go on: end-to-end encryption covers them.
            forward(
                identity,
                kind,
                Content::Media(routing),
                &header.routing,
                header.data,
            )
        }
        PacketKind::MEDIA => stock_media(identity, header.data),
        PacketKind::RSA_PUB_KEY
        | PacketKind::AES_KEY
        | PacketKind::CONNECTION
        | PacketKind::DIAGNOSTICS => forward(identity, kind, Content::StockOnly, b"", header.data),
        // Whoever says it here is in already.
        PacketKind::HEALTH | PacketKind::ENTER => Ok(Inbound::Consumed),
        PacketKind::KEYFRAME_REQUEST => {
            let request = wire::KeyframeRequest::parse_from_tokio_bytes(&header.data);
            let layer = request
                .ok()
                .and_then(|request| video_layer(&request))
                .ok_or(DropReason::Malformed)?;
            // The relay knows which layer the client gets.
            Ok(Inbound::KeyframeRequest(KeyframeTarget::Track(layer.track)))
        }
        PacketKind::WISHES => wire::Wishes::parse_from_tokio_bytes(&header.data)
            .ok()
            .and_then(|wishes| Wishes::from_wire(&wishes))
            .map(Inbound::Wishes)
            .ok_or(DropReason::Malformed),
        PacketKind::REPORT => Report::parse(&header.data)
            .map(Inbound::Report)
            .ok_or(DropReason::Malformed),
        PacketKind::PADDING => Ok(Inbound::Consumed),
        PacketKind::REDUNDANCY => wire::Redundancy::parse_from_tokio_bytes(&header.data)
            .ok()
            .and_then(|redundancy| Redundancy::from_wire(&redundancy))
            .map(Inbound::Redundancy)
            .ok_or(DropReason::Malformed),
        PacketKind::MEETING
        | PacketKind::SESSION_ASSIGNED
        | PacketKind::CONGESTION
        | PacketKind::PRESENCE
        | PacketKind::NOTICE
        | PacketKind::DEMAND
        | PacketKind::SPEAKERS => Err(DropReason::ServerOnly),
        PacketKind::PACKET_TYPE_UNKNOWN => Err(DropReason::UnknownKind),
    }
}

/// Reads the first packet of a connection that enters late: the session that it goes on with, if any.
///
/// # Errors
/// The reason why it does not enter.
pub fn entry(bytes: &Bytes) -> Result<Option<Resume>, DropReason> {
    let header = parse(bytes)?;
    if header.kind != Ok(PacketKind::ENTER) {
        return Err(DropReason::Malformed);
    }
    let enter = wire::Enter::parse_from_tokio_bytes(&header.data);
    let enter = enter.map_err(|_| DropReason::Malformed)?;
    Ok(Resume::from_wire(&enter))
}

/// Reads what another relay sent: a packet that it has stamped. The bytes go on as they are.
///
/// # Errors
/// The reason why it goes nowhere.
pub fn from_relay(bytes: Bytes) -> Result<Forward, DropReason> {
    let header = parse(&bytes)?;
    let source = Some(header.session_id.ok_or(DropReason::Malformed)?);
    let content = match header.kind.map_err(|_| DropReason::UnknownKind)? {
        PacketKind::MEDIA if !header.routing.is_empty() => {
            Content::Media(Routing::parse(&header.routing).ok_or(DropReason::Malformed)?)
        }
        PacketKind::MEDIA => match MediaPacket::parse_from_tokio_bytes(&header.data) {
            Ok(media) if media_type(&media) == MediaType::HEARTBEAT => heartbeat(&media),
            _ => Content::StockOnly,
        },
        PacketKind::RSA_PUB_KEY
        | PacketKind::AES_KEY
        | PacketKind::CONNECTION
        | PacketKind::DIAGNOSTICS => Content::StockOnly,
        PacketKind::PACKET_TYPE_UNKNOWN
        | PacketKind::HEALTH
        | PacketKind::MEETING
        | PacketKind::SESSION_ASSIGNED
        | PacketKind::CONGESTION
        | PacketKind::KEYFRAME_REQUEST
        | PacketKind::PRESENCE
        | PacketKind::NOTICE
        | PacketKind::WISHES
        | PacketKind::DEMAND
        | PacketKind::REPORT
        | PacketKind::PADDING
        | PacketKind::ENTER
        | PacketKind::REDUNDANCY
        | PacketKind::SPEAKERS => return Err(DropReason::ServerOnly),
    };
    Ok(Forward {
        source,
        content,
        packet: Packet::from_serialized(bytes),
        received: None,
    })
}

/// The video layer that a request names. `None` if it names none.
pub(crate) fn video_layer(request: &wire::KeyframeRequest) -> Option<LayerId> {
    let track =
        Track::from_wire(request.track.enum_value().ok()?).filter(|track| !track.is_audio())?;
    Some(LayerId {
        track: TrackId {
            session: SessionId::new(request.session_id)?,
            track,
        },
        spatial_layer: u8::try_from(request.spatial_layer).ok()?,
    })
}

fn parse(bytes: &Bytes) -> Result<PacketHeader, DropReason> {
    PacketHeader::parse(bytes).map_err(|error| match error {
        PacketError::TooLarge => DropReason::TooLarge,
        PacketError::Malformed => DropReason::Malformed,
    })
}

/// Media without a routing header. Encrypted media of the public generation looks like noise here: what can't be read
/// goes on as it is.
fn stock_media(identity: &Identity, data: Bytes) -> Result<Inbound, DropReason> {
    let opaque = |data| forward(identity, PacketKind::MEDIA, Content::StockOnly, b"", data);
    let Ok(media) = MediaPacket::parse_from_tokio_bytes(&data) else {
        return opaque(data);
    };
    match media_type(&media) {
        MediaType::VIDEO | MediaType::AUDIO | MediaType::SCREEN => match derive_routing(&media) {
            Some(routing) => {
                let header = routing.to_wire().write_to_bytes().unwrap_or_default();
                forward(
                    identity,
                    PacketKind::MEDIA,
                    Content::Media(routing),
                    &header,
                    data,
                )
            }
            None => opaque(data),
        },
        MediaType::HEARTBEAT => forward(identity, PacketKind::MEDIA, heartbeat(&media), b"", data),
        MediaType::RTT => Ok(Inbound::Probe),
        MediaType::KEYFRAME_REQUEST => stock_keyframe_target(&media)
            .map(Inbound::KeyframeRequest)
            .ok_or(DropReason::Malformed),
        MediaType::MEDIA_TYPE_UNKNOWN => opaque(data),
    }
}

fn heartbeat(media: &MediaPacket) -> Content {
    Content::Heartbeat {
        state: MediaState::from_heartbeat(&media.heartbeat_metadata),
        speaking: media.heartbeat_metadata.is_speaking,
    }
}

fn stock_keyframe_target(media: &MediaPacket) -> Option<KeyframeTarget> {
    let user = std::str::from_utf8(&media.user_id).ok()?.parse().ok()?;
    let track = if media.data.as_ref() == b"SCREEN" {
        Track::Screen
    } else {
        Track::Camera
    };
    Some(KeyframeTarget::User(user, track))
}

/// The header that a native sender would have written. `None` without a sequence: nothing could be said about order and loss.
fn derive_routing(media: &MediaPacket) -> Option<Routing> {
    let (track, sequence, codec) = match media_type(media) {
        MediaType::VIDEO => (
            Track::Camera,
            media.video_metadata.as_ref()?.sequence,
            video_codec(media),
        ),
        MediaType::SCREEN => (
            Track::Screen,
            media.video_metadata.as_ref()?.sequence,
            video_codec(media),
        ),
        MediaType::AUDIO => (Track::Microphone, audio_sequence(media)?, Some(Codec::Opus)),
        MediaType::MEDIA_TYPE_UNKNOWN
        | MediaType::HEARTBEAT
        | MediaType::RTT
        | MediaType::KEYFRAME_REQUEST => {
            return None;
        }
    };
    Some(Routing {
        capture_time_us: capture_time_us(track, media.timestamp),
        codec,
        ..Routing::new(track, sequence, media.frame_type == "key")
    })
}

fn audio_sequence(media: &MediaPacket) -> Option<u64> {
    let audio = media
        .audio_metadata
        .as_ref()
        .map(|metadata| metadata.sequence);
    audio.or_else(|| {
        media
            .video_metadata
            .as_ref()
            .map(|metadata| metadata.sequence)
    })
}

fn video_codec(media: &MediaPacket) -> Option<Codec> {
    match media.video_metadata.codec.enum_value_or_default() {
        VideoCodec::VIDEO_CODEC_UNSPECIFIED => None,
        VideoCodec::VP8 => Some(Codec::Vp8),
        VideoCodec::VP9_PROFILE0_LEVEL10_8BIT => Some(Codec::Vp9),
    }
}

/// Stock audio has milliseconds, everything else microseconds. No millisecond clock reads 10^15 before the year 33658.
fn capture_time_us(track: Track, timestamp: f64) -> u64 {
    let micros = if track.is_audio() && timestamp < 1e15 {
        timestamp * 1000.0
    } else {
        timestamp
    };
    // A cast from float saturates, and makes 0 of NaN and of negative values.
    micros as u64
}

fn media_type(media: &MediaPacket) -> MediaType {
    media.media_type.enum_value_or_default()
}

fn forward(
    identity: &Identity,
    kind: PacketKind,
    content: Content,
    routing: &[u8],
    payload: Bytes,
) -> Result<Inbound, DropReason> {
    let packet = Packet::new(
        kind,
        identity.user.as_str().as_bytes(),
        Some(identity.session),
        routing,
        payload,
    );
    // The stamp may be longer than what the client wrote in its place.
    if packet.len() > MAX_PACKET_BYTES {
        return Err(DropReason::TooLarge);
    }
    Ok(Inbound::Forward(Forward {
        source: Some(identity.session),
        content,
        packet,
        received: None,
    }))
}
