//! A room whose outputs read as lines of text, and builders of what goes in.

use protobuf::Message as _;
use relay_core::ingress::KeyframeTarget;
use relay_core::policy::RoomPolicy;
use relay_core::{
    Command, Content, Dialect, DropReason, Forward, JoinError, LayerId, Level, MediaState,
    NewMember, Profile, Room, TrackId, messages,
};
use videocall_types::claims::Capabilities;
use videocall_types::proto::bus::BusEvent;
use videocall_types::proto::bus::bus_event::Event;
use videocall_types::proto::control::{
    self as wire, Demand, KeyframeRequest, Notice, Participant, Presence, Speakers,
};
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::proto::media_packet::{HeartbeatMetadata, MediaPacket, VideoMetadata};
use videocall_types::proto::meeting_packet::MeetingPacket;
use videocall_types::proto::meeting_packet::meeting_packet::MeetingEventType;
use videocall_types::{
    Bytes, DisplayName, Interest, LayerSet, Packet, PacketHeader, PacketKind, Redundancy, Resume,
    Routing, ServerId, SessionId, Timestamp, Track, TrackDemand, Wishes,
};

pub(crate) use crate::world::packets::{
    forwarded, identity, media_packet, packet, session, stock, user,
};
use crate::world::packets::{secret, state};

pub(crate) const SERVER: ServerId = ServerId(1);
pub(crate) const OTHER: ServerId = ServerId(2);

/// A room, the time, and everything that it wants done as text.
pub(crate) struct TestRoom {
    pub(crate) room: Room<SessionId>,
    now: Timestamp,
}

impl Default for TestRoom {
    fn default() -> Self {
        Self::new(RoomPolicy::default())
    }
}

impl TestRoom {
    pub(crate) fn new(policy: RoomPolicy) -> Self {
        let meeting = "standup".parse().unwrap();
        Self {
            room: Room::new(meeting, SERVER, policy, 1_000, Timestamp::ZERO),
            now: Timestamp::ZERO,
        }
    }

    /// Lets time pass; says what the room wants done meanwhile.
    pub(crate) fn pass(&mut self, millis: u64) -> Vec<String> {
        let end = Timestamp::from_micros(self.now.as_micros() + millis * 1000);
        let mut lines = Vec::new();
        while self.room.poll_timeout() <= end {
            self.now = self.now.max(self.room.poll_timeout());
            self.room.handle_timeout(self.now);
            lines.extend(self.commands());
        }
        self.now = end;
        lines
    }

    /// Somebody named after the id's letter joins and may do everything.
    pub(crate) fn join(&mut self, id: u64, dialect: Dialect) -> Vec<String> {
        self.join_with(id, dialect, Capabilities::default())
            .unwrap()
    }

    pub(crate) fn join_with(
        &mut self,
        id: u64,
        dialect: Dialect,
        can: Capabilities,
    ) -> Result<Vec<String>, JoinError> {
        let new = NewMember {
            session: session(id),
            user: user(id).parse().unwrap(),
            name: DisplayName::new(&user(id)),
            dialect,
            can,
            secret: (dialect == Dialect::Native).then(|| secret(session(id))),
        };
        self.room.join(new, session(id), self.now)?;
        Ok(self.commands())
    }

    /// Connection `connection` of the user of session `id` wants to go on with it, with the secret of `secret_of`. What it
    /// is told, or `None` if it may not.
    pub(crate) fn resume(
        &mut self,
        connection: u64,
        id: u64,
        secret_of: u64,
        user_of: u64,
    ) -> Option<Vec<String>> {
        let new = NewMember {
            session: session(connection),
            user: user(user_of).parse().unwrap(),
            name: DisplayName::new(&user(user_of)),
            dialect: Dialect::Native,
            can: Capabilities::default(),
            secret: Some(secret(session(connection))),
        };
        let resume = Resume {
            session: session(id),
            secret: secret(session(secret_of)),
        };
        let resumed = self
            .room
            .resume(new, &resume, session(connection), self.now);
        resumed.ok().map(|_| self.commands())
    }

    /// The relay stops.
    pub(crate) fn end_waiting(&mut self) -> Vec<String> {
        self.room.end_waiting(self.now);
        self.commands()
    }

    /// The connection is lost; it was heard `ago` milliseconds ago.
    pub(crate) fn lose(&mut self, connection: u64, ago: u64) -> Vec<String> {
        let heard = Timestamp::from_micros(self.now.as_micros() - ago * 1000);
        self.room.lose(session(connection), heard, self.now);
        self.commands()
    }

    pub(crate) fn leave(&mut self, id: u64) -> Vec<String> {
        self.room.leave(session(id), self.now);
        self.commands()
    }

    pub(crate) fn ask(
        &mut self,
        from: u64,
        of: u64,
        track: Track,
    ) -> Result<Vec<String>, DropReason> {
        let target = KeyframeTarget::Track(TrackId {
            session: session(of),
            track,
        });
        self.room
            .request_keyframe(session(from), &target, self.now)?;
        Ok(self.commands())
    }

    pub(crate) fn bus(&mut self, event: Bytes) -> Vec<String> {
        self.room.handle_bus_event(&event, self.now).unwrap();
        self.commands()
    }

    pub(crate) fn bus_up(&mut self) -> Vec<String> {
        self.room.handle_bus_up();
        self.commands()
    }

    /// A member says which cameras it shows, and at which height.
    pub(crate) fn wish(&mut self, from: u64, others: bool, cameras: &[(u64, u32)]) -> Vec<String> {
        let wishes = wishes(others, cameras);
        self.room.wish(session(from), wishes, self.now).unwrap();
        self.commands()
    }

    /// A member says how many earlier frames it lacks of which microphones.
    pub(crate) fn lack(&mut self, from: u64, microphones: &[(u64, u8)]) -> Vec<String> {
        self.room.lack(session(from), lacks(microphones)).unwrap();
        self.commands()
    }

    /// Who gets it, and whether the bus does.
    pub(crate) fn route(&mut self, forward: &Forward) -> Result<(Vec<u64>, bool), DropReason> {
        let route = self.room.route(forward, self.now)?;
        Ok((
            route.receivers().map(|(id, _)| id.get()).collect(),
            route.to_bus,
        ))
    }

    pub(crate) fn route_from_relay(
        &mut self,
        forward: &Forward,
    ) -> Result<(Vec<u64>, bool), DropReason> {
        let route = self.room.route_from_relay(forward, self.now)?;
        Ok((
            route.receivers().map(|(id, _)| id.get()).collect(),
            route.to_bus,
        ))
    }

    /// The relay's load changes.
    pub(crate) fn level(&mut self, level: Level) -> Vec<String> {
        self.room.set_level(level, self.now);
        self.commands()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn commands(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.room.poll_command())
            .map(|command| describe(&command))
            .collect()
    }
}

pub(crate) fn wishes(others: bool, cameras: &[(u64, u32)]) -> Wishes {
    let cameras = cameras.iter();
    Wishes {
        shown: cameras
            .map(|(id, height)| ((session(*id), Track::Camera), *height))
            .collect(),
        others,
    }
}

pub(crate) fn lacks(microphones: &[(u64, u8)]) -> Redundancy {
    let microphones = microphones.iter();
    let frames = microphones.map(|(id, frames)| ((session(*id), Track::Microphone), *frames));
    Redundancy {
        frames: frames.collect(),
    }
}

/// The lowest layer of a track.
pub(crate) fn layer(id: u64, track: Track) -> LayerId {
    LayerId {
        track: TrackId {
            session: session(id),
            track,
        },
        spatial_layer: 0,
    }
}

pub(crate) fn routing(track: Track, sequence: u64, keyframe: bool) -> Routing {
    Routing::new(track, sequence, keyframe)
}

/// What a native client sends, through ingress.
pub(crate) fn media(from: u64, track: Track, sequence: u64, keyframe: bool) -> Forward {
    let packet = Packet::media(
        b"",
        None,
        &routing(track, sequence, keyframe),
        Bytes::from_static(b"frame"),
    );
    forwarded(&packet.to_bytes(), from)
}

/// A room of native members 1 to `count`, the first of which has its camera on and sends three layers; nobody has been told
/// anything yet.
pub(crate) fn filmed_room(count: u64) -> TestRoom {
    let mut room = TestRoom::default();
    for id in 1..=count {
        room.join(id, Dialect::Native);
    }
    room.route(&heartbeat(1, true, false)).unwrap();
    film(&mut room, true);
    room.commands();
    room
}

/// Member 1 sends a frame in each of its three layers. Who gets it, by layer.
pub(crate) fn film(room: &mut TestRoom, keyframe: bool) -> [Vec<u64>; 3] {
    [0, 1, 2].map(|layer| {
        let frame = simulcast(1, layer, 0b111, keyframe);
        room.route(&frame).unwrap().0
    })
}

/// A frame in one layer of a camera that sends the layers of these bits.
pub(crate) fn simulcast(from: u64, layer: u8, sent: u32, keyframe: bool) -> Forward {
    let routing = Routing {
        spatial_layer: layer,
        layers: LayerSet::from_bits(sent),
        ..routing(Track::Camera, 0, keyframe)
    };
    let packet = Packet::media(b"", None, &routing, Bytes::from_static(b"frame"));
    forwarded(&packet.to_bytes(), from)
}

/// Sound of this level, as RFC 6464 has it: 127 is silence, 0 was not measured.
pub(crate) fn sound(from: u64, track: Track, level: u8) -> Forward {
    let mut routing = routing(track, 0, true);
    routing.audio_level = level;
    let packet = Packet::media(b"", None, &routing, Bytes::from_static(b"sound"));
    forwarded(&packet.to_bytes(), from)
}

pub(crate) fn heartbeat(from: u64, camera: bool, speaking: bool) -> Forward {
    let mut metadata = HeartbeatMetadata::new();
    metadata.video_enabled = camera;
    metadata.is_speaking = speaking;
    state(from, metadata)
}

pub(crate) fn video_packet(kind: MediaType, sequence: u64, keyframe: bool) -> MediaPacket {
    let mut metadata = VideoMetadata::new();
    metadata.sequence = sequence;
    let mut media = media_packet(kind);
    media.frame_type = if keyframe { "key" } else { "delta" }.into();
    media.video_metadata = Some(metadata).into();
    media
}

fn describe(command: &Command) -> String {
    match command {
        Command::Send { to, forward } => {
            assert_eq!((forward.source, forward.content), (None, Content::Control));
            let to: Vec<u64> = to.iter().map(|id| id.get()).collect();
            format!("{to:?} {}", describe_packet(&forward.packet))
        }
        Command::Want { session, wanted } => format!("[{}] wants {wanted:?}", session.get()),
        Command::Forget(id) => format!("forget {}", id.get()),
        Command::Publish(event) => format!("bus {}", describe_event(event)),
    }
}

fn describe_packet(packet: &Packet) -> String {
    let header = PacketHeader::parse(&packet.to_bytes()).unwrap();
    match header.kind.unwrap() {
        PacketKind::SESSION_ASSIGNED => format!("assigned {}", header.session_id.unwrap().get()),
        PacketKind::PRESENCE => {
            let presence = Presence::parse_from_tokio_bytes(&header.data).unwrap();
            people(
                "presence",
                presence.snapshot,
                &presence.participants,
                &presence.left,
            )
        }
        PacketKind::SPEAKERS => {
            let speakers = Speakers::parse_from_tokio_bytes(&header.data).unwrap();
            format!("speakers {:?}", speakers.session_ids)
        }
        PacketKind::DEMAND => {
            let demand = Demand::parse_from_tokio_bytes(&header.data).unwrap();
            let tracks = demand.tracks.iter().map(|track| {
                let TrackDemand { track, layers } = TrackDemand::from_wire(track).unwrap();
                format!("{track:?} {}", names(layers))
            });
            format!("demand {}", tracks.collect::<Vec<_>>().join(" "))
        }
        PacketKind::REDUNDANCY => {
            redundancy(&wire::Redundancy::parse_from_tokio_bytes(&header.data).unwrap())
        }
        PacketKind::KEYFRAME_REQUEST => {
            describe_request(&KeyframeRequest::parse_from_tokio_bytes(&header.data).unwrap())
        }
        PacketKind::NOTICE => format!(
            "{:?}",
            Notice::parse_from_tokio_bytes(&header.data).unwrap().reason
        ),
        PacketKind::MEETING => {
            let event = MeetingPacket::parse_from_tokio_bytes(&header.data).unwrap();
            assert_eq!(event.room_id, "standup");
            match event.event_type.unwrap() {
                MeetingEventType::MEETING_STARTED => {
                    format!("meeting started at {}", event.start_time_ms)
                }
                MeetingEventType::PARTICIPANT_JOINED => format!("joined {}", event.session_id),
                MeetingEventType::PARTICIPANT_LEFT => format!("left {}", event.session_id),
                other => panic!("{other:?}"),
            }
        }
        PacketKind::MEDIA => {
            let media = MediaPacket::parse_from_tokio_bytes(&header.data).unwrap();
            assert_eq!(media.media_type.unwrap(), MediaType::KEYFRAME_REQUEST);
            let asker = header.session_id.map_or(0, SessionId::get);
            let (user, what) = (text(&media.user_id), text(&media.data));
            format!("keyframe of {user} {what} for {asker}")
        }
        other => panic!("{other:?}"),
    }
}

fn describe_event(event: &Bytes) -> String {
    let event = BusEvent::parse_from_tokio_bytes(event).unwrap();
    assert_eq!(event.server_id, SERVER.0);
    match event.event.unwrap() {
        Event::Hello(_) => "hello".into(),
        Event::Bye(_) => "bye".into(),
        Event::Members(members) => people(
            "members",
            members.snapshot,
            &members.participants,
            &members.left,
        ),
        Event::KeyframeRequest(request) => describe_request(&request),
        Event::Interest(interest) => {
            let interest = Interest::from_wire(&interest);
            let tracks = interest.tracks.iter();
            let tracks: Vec<String> = tracks
                .map(|((session, _), layers)| format!("{}:{}", session.get(), names(*layers)))
                .collect();
            let others = if interest.others { " and others" } else { "" };
            format!("interest [{}]{others}", tracks.join(" "))
        }
        Event::Redundancy(message) => redundancy(&message),
        other => panic!("{other:?}"),
    }
}

fn redundancy(message: &wire::Redundancy) -> String {
    let Redundancy { frames } = Redundancy::from_relay(message);
    let frames = frames.iter();
    let frames: Vec<String> = frames
        .map(|((session, _), frames)| format!("{}:{frames}", session.get()))
        .collect();
    format!("redundancy [{}]", frames.join(" "))
}

fn describe_request(request: &KeyframeRequest) -> String {
    let KeyframeRequest {
        session_id,
        spatial_layer,
        ..
    } = request;
    format!(
        "keyframe of {session_id} {:?} {spatial_layer}",
        request.track.unwrap()
    )
}

/// `0+2`, or `paused`.
fn names(layers: LayerSet) -> String {
    let names: Vec<String> = layers.iter().map(|layer| layer.to_string()).collect();
    if names.is_empty() {
        "paused".into()
    } else {
        names.join("+")
    }
}

/// `presence all=[1 2+cam] left=[]`; `+cam` is a state.
fn people(what: &str, snapshot: bool, participants: &[Participant], left: &[u64]) -> String {
    let describe = |participant: &Participant| {
        assert_eq!(text(&participant.user_id), user(participant.session_id));
        assert_eq!(participant.display_name, user(participant.session_id));
        let camera = if participant.state.camera { "+cam" } else { "" };
        format!("{}{camera}", participant.session_id)
    };
    let participants: Vec<String> = participants.iter().map(describe).collect();
    let kind = if snapshot { "all" } else { "news" };
    format!("{what} {kind}=[{}] left={left:?}", participants.join(" "))
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Members of another relay.
pub(crate) fn remote_members(room: &mut TestRoom, ids: &[u64]) -> Vec<String> {
    let profiles: Vec<_> = ids
        .iter()
        .map(|id| {
            let profile = Profile {
                user: user(*id).parse().unwrap(),
                name: DisplayName::new(&user(*id)),
                state: MediaState::default(),
            };
            (session(*id), profile)
        })
        .collect();
    let people = profiles.iter().map(|(id, profile)| (*id, profile));
    room.bus(messages::members(OTHER, true, people, std::iter::empty()))
}
