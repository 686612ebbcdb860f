//! What the relay itself says to clients and to other relays.

use protobuf::Message;
use videocall_types::proto::bus::{self as bus_wire, BusEvent};
use videocall_types::proto::control as wire;
use videocall_types::proto::media_packet::MediaPacket;
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::proto::meeting_packet::MeetingPacket;
use videocall_types::proto::meeting_packet::meeting_packet::MeetingEventType;
use videocall_types::{
    Bytes, Interest, LayerSet, MeetingId, Packet, PacketKind, Redundancy, ResumeSecret, ServerId,
    SessionId, Track, TrackDemand, UserId,
};

use crate::forward::LayerId;
use crate::member::{Dialect, Profile};

pub use videocall_types::proto::control::notice::Reason as NoticeReason;

/// The user id that the public generation takes for "the server itself": what comes from it makes no tile.
pub const STOCK_SERVER_USER: &[u8] = b"system-&^%$#@!";

/// First packet of a session: its id, and what lets it be resumed.
#[must_use]
pub fn session_assigned(
    dialect: Dialect,
    session: SessionId,
    secret: Option<ResumeSecret>,
) -> Packet {
    let user = match dialect {
        Dialect::Stock => STOCK_SERVER_USER,
        Dialect::Native => b"",
    };
    Packet::new(
        PacketKind::SESSION_ASSIGNED,
        user,
        Some(session),
        b"",
        secret.map(ResumeSecret::to_bytes).unwrap_or_default(),
    )
}

/// Native: who is in the room (`snapshot`), or what has changed.
#[must_use]
pub fn presence<'a>(
    snapshot: bool,
    participants: impl Iterator<Item = (SessionId, &'a Profile)>,
    left: impl Iterator<Item = SessionId>,
) -> Packet {
    let mut presence = wire::Presence::new();
    presence.snapshot = snapshot;
    presence.participants = participants
        .map(|(session, profile)| profile.to_wire(session))
        .collect();
    presence.left = left.map(SessionId::get).collect();
    from_relay(PacketKind::PRESENCE, b"", &presence)
}

/// Native: who speaks, whoever leads first.
#[must_use]
pub fn speakers(speakers: &[SessionId]) -> Packet {
    let mut message = wire::Speakers::new();
    message.session_ids = speakers.iter().map(|session| session.get()).collect();
    from_relay(PacketKind::SPEAKERS, b"", &message)
}

/// Native: something that the person or the reconnect policy should know.
#[must_use]
pub fn notice(reason: NoticeReason, retry_after_ms: u32) -> Packet {
    let mut notice = wire::Notice::new();
    notice.reason = reason.into();
    notice.retry_after_ms = retry_after_ms;
    from_relay(PacketKind::NOTICE, b"", &notice)
}

/// Stock: the meeting, to somebody who joins.
#[must_use]
pub fn meeting_started(meeting: &MeetingId, started_unix_ms: u64, user: &UserId) -> Packet {
    let mut event = meeting_event(MeetingEventType::MEETING_STARTED, meeting);
    event.start_time_ms = started_unix_ms;
    event.creator_id = bytes_of(user.as_str());
    from_relay(PacketKind::MEETING, STOCK_SERVER_USER, &event)
}

/// Stock: somebody is in the room.
#[must_use]
pub fn participant_joined(meeting: &MeetingId, session: SessionId, profile: &Profile) -> Packet {
    participant_event(
        MeetingEventType::PARTICIPANT_JOINED,
        meeting,
        session,
        profile,
    )
}

/// Stock: somebody has left.
#[must_use]
pub fn participant_left(meeting: &MeetingId, session: SessionId, profile: &Profile) -> Packet {
    participant_event(
        MeetingEventType::PARTICIPANT_LEFT,
        meeting,
        session,
        profile,
    )
}

/// Native, to a publisher: send a keyframe of this layer.
#[must_use]
pub fn keyframe_request(layer: LayerId) -> Packet {
    from_relay(PacketKind::KEYFRAME_REQUEST, b"", &wire_request(layer))
}

/// Stock, to a publisher: send a keyframe of `track`. `asker` is who needs it, for those who want to know.
#[must_use]
pub fn stock_keyframe_request(
    publisher: &UserId,
    track: Track,
    asker: Option<(SessionId, &UserId)>,
) -> Packet {
    let mut media = MediaPacket::new();
    media.media_type = MediaType::KEYFRAME_REQUEST.into();
    media.user_id = bytes_of(publisher.as_str());
    media.data = Bytes::from_static(if track == Track::Screen {
        b"SCREEN"
    } else {
        b"VIDEO"
    });
    let user = asker.map_or("", |(_, user)| user.as_str());
    let session = asker.map(|(session, _)| session);
    Packet::new(
        PacketKind::MEDIA,
        user.as_bytes(),
        session,
        b"",
        serialize(&media),
    )
}

/// Native, to a publisher: which layers of a video track anybody gets; see [`TrackDemand`].
#[must_use]
pub fn demand(track: Track, layers: LayerSet) -> Packet {
    let mut demand = wire::Demand::new();
    demand.tracks = vec![TrackDemand { track, layers }.to_wire()];
    from_relay(PacketKind::DEMAND, b"", &demand)
}

/// Native, to a publisher: how many earlier frames the packets of its sounds shall repeat.
#[must_use]
pub fn redundancy(redundancy: &Redundancy) -> Packet {
    from_relay(PacketKind::REDUNDANCY, b"", &redundancy.to_wire())
}

/// To other relays: what the members of this one lack of their sounds.
#[must_use]
pub fn remote_redundancy(server: ServerId, redundancy: &Redundancy) -> Bytes {
    let mut event = bus_event(server);
    event.set_redundancy(redundancy.to_wire());
    serialize(&event)
}

/// To other relays: what the members of this one get.
#[must_use]
pub fn interest(server: ServerId, interest: &Interest) -> Bytes {
    let mut event = bus_event(server);
    event.set_interest(interest.to_wire());
    serialize(&event)
}

/// To other relays: this relay has opened the room.
#[must_use]
pub fn hello(server: ServerId) -> Bytes {
    let mut event = bus_event(server);
    event.set_hello(bus_wire::Hello::new());
    serialize(&event)
}

/// To other relays: this relay has no member left in the room.
#[must_use]
pub fn bye(server: ServerId) -> Bytes {
    let mut event = bus_event(server);
    event.set_bye(bus_wire::Bye::new());
    serialize(&event)
}

/// To other relays: everybody of this relay (`snapshot`), or what has changed.
#[must_use]
pub fn members<'a>(
    server: ServerId,
    snapshot: bool,
    participants: impl Iterator<Item = (SessionId, &'a Profile)>,
    left: impl Iterator<Item = SessionId>,
) -> Bytes {
    let mut members = bus_wire::Members::new();
    members.snapshot = snapshot;
    members.participants = participants
        .map(|(session, profile)| profile.to_wire(session))
        .collect();
    members.left = left.map(SessionId::get).collect();
    let mut event = bus_event(server);
    event.set_members(members);
    serialize(&event)
}

/// To the relay that hosts the source: ask it for a keyframe.
#[must_use]
pub fn remote_keyframe_request(server: ServerId, layer: LayerId) -> Bytes {
    let mut event = bus_event(server);
    event.set_keyframe_request(wire_request(layer));
    serialize(&event)
}

fn wire_request(layer: LayerId) -> wire::KeyframeRequest {
    let mut request = wire::KeyframeRequest::new();
    request.session_id = layer.track.session.get();
    request.track = layer.track.track.to_wire().into();
    request.spatial_layer = layer.spatial_layer.into();
    request
}

fn participant_event(
    kind: MeetingEventType,
    meeting: &MeetingId,
    session: SessionId,
    profile: &Profile,
) -> Packet {
    let mut event = meeting_event(kind, meeting);
    event.target_user_id = bytes_of(profile.user.as_str());
    event.session_id = session.get();
    event.display_name = bytes_of(profile.name.as_str());
    from_relay(PacketKind::MEETING, STOCK_SERVER_USER, &event)
}

fn meeting_event(kind: MeetingEventType, meeting: &MeetingId) -> MeetingPacket {
    let mut event = MeetingPacket::new();
    event.event_type = kind.into();
    event.room_id = meeting.as_str().into();
    event
}

fn bus_event(server: ServerId) -> BusEvent {
    let mut event = BusEvent::new();
    event.server_id = server.0;
    event
}

fn from_relay(kind: PacketKind, user: &[u8], message: &impl Message) -> Packet {
    Packet::new(kind, user, None, b"", serialize(message))
}

fn bytes_of(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// Writing to memory can't fail, so that nothing is lost with the error.
fn serialize(message: &impl Message) -> Bytes {
    message.write_to_bytes().unwrap_or_default().into()
}
