//! Clients in memory.

use std::num::NonZeroU8;
use std::time::Duration;

use protobuf::Message as _;
use relay::duplex::{self, Peer, Sent};
use relay::overload::Sampler;
use relay::transport::{Channel, Lane};
use relay::{Admission, Bus, Dialect, Hub, HubConfig, JoinError, Policy, Sample, session};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use videocall_types::claims::Capabilities;
use videocall_types::proto::control::{KeyframeRequest, Notice, Presence};
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::proto::media_packet::{HeartbeatMetadata, MediaPacket};
use videocall_types::proto::meeting_packet::MeetingPacket;
use videocall_types::{
    Bytes, CloseCode, DisplayName, Packet, PacketHeader, PacketKind, Routing, SessionId, Track,
};

/// Something that should come and does not fails the test after this time.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn hub(policy: Policy) -> Hub {
    let bus = Bus::connect(None, NonZeroU8::MIN).await.unwrap();
    Hub::with_sampler(HubConfig::default(), bus, policy, Calm)
}

/// A process with nothing to do, however busy the one is that runs the tests.
struct Calm;

impl Sampler for Calm {
    fn sample(&mut self) -> Sample {
        Sample::default()
    }
}

pub(crate) fn admission(meeting: &str, user: &str, dialect: Dialect) -> Admission {
    Admission {
        meeting: meeting.parse().unwrap(),
        user: user.parse().unwrap(),
        name: DisplayName::new(user),
        dialect,
        can: Capabilities::default(),
        expires: None,
        enters_late: false,
    }
}

/// A connected client.
pub(crate) struct Client {
    pub(crate) session: SessionId,
    pub(crate) peer: Peer,
    task: JoinHandle<CloseCode>,
}

/// What a client got, as far as tests care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Got {
    Assigned(SessionId),
    /// Of a snapshot: who is there.
    Snapshot(Vec<String>),
    /// News: who joined or changed, who left.
    News(Vec<String>, Vec<SessionId>),
    Meeting(String),
    Notice(String),
    KeyframeRequest(Track),
    /// Sender's session, track, sequence.
    Media(SessionId, Track, u64),
    Heartbeat(SessionId),
    Probe(Bytes),
    Other(PacketKind),
    TracksClosed(SessionId),
}

impl Client {
    pub(crate) async fn join(hub: &Hub, meeting: &str, user: &str, dialect: Dialect) -> Self {
        Self::join_as(hub, admission(meeting, user, dialect))
            .await
            .unwrap()
    }

    pub(crate) async fn join_as(hub: &Hub, admission: Admission) -> Result<Self, JoinError> {
        Self::join_with_capacity(hub, admission, 1000).await
    }

    /// `capacity`: packets that fit the connection while the client does not read.
    pub(crate) async fn join_with_capacity(
        hub: &Hub,
        admission: Admission,
        capacity: usize,
    ) -> Result<Self, JoinError> {
        let membership = hub.join(admission).await?;
        let session = membership.session();
        let (reader, writer, peer) = duplex::pair(capacity);
        Ok(Self {
            session,
            peer,
            task: tokio::spawn(session::run(reader, writer, membership)),
        })
    }

    pub(crate) async fn send(&self, bytes: Bytes) {
        self.peer.send(bytes, Channel::Stream).await;
    }

    pub(crate) async fn send_media(&self, track: Track, sequence: u64, keyframe: bool) {
        self.send(media(track, sequence, keyframe)).await;
    }

    /// The next thing that comes, and its lane.
    pub(crate) async fn next_on_lane(&mut self) -> (Got, Lane) {
        loop {
            let sent = timeout(PATIENCE, self.peer.recv())
                .await
                .expect("nothing came")
                .expect("it is closed");
            if let Some(got) = read(&sent) {
                return got;
            }
        }
    }

    pub(crate) async fn next(&mut self) -> Got {
        self.next_on_lane().await.0
    }

    /// Skips what comes until `wanted` picks something.
    pub(crate) async fn until<T>(&mut self, mut wanted: impl FnMut(&Got) -> Option<T>) -> T {
        loop {
            let got = self.next().await;
            if let Some(found) = wanted(&got) {
                return found;
            }
        }
    }

    pub(crate) async fn until_got(&mut self, wanted: &Got) {
        self.until(|got| (got == wanted).then_some(())).await;
    }

    /// Skips what comes until the news say that `user` is there.
    pub(crate) async fn until_joined(&mut self, user: &str) {
        let is_there = |got: &Got| match got {
            Got::News(joined, _) | Got::Snapshot(joined) => joined.iter().any(|name| name == user),
            _ => false,
        };
        self.until(|got| is_there(got).then_some(())).await;
    }

    pub(crate) async fn until_left(&mut self, session: SessionId) {
        self.until(|got| {
            matches!(got, Got::News(_, left) if left.contains(&session)).then_some(())
        })
        .await;
    }

    /// What has come already.
    pub(crate) fn drain(&mut self) -> Vec<Got> {
        std::iter::from_fn(|| self.peer.try_recv())
            .filter_map(|sent| Some(read(&sent)?.0))
            .collect()
    }

    /// Closes the connection and waits until the relay has noticed.
    pub(crate) async fn leave(self) -> CloseCode {
        drop(self.peer);
        timeout(PATIENCE, self.task)
            .await
            .expect("the session goes on")
            .unwrap()
    }

    /// Waits until the relay ends the session.
    pub(crate) async fn ended(&mut self) -> CloseCode {
        let code = timeout(PATIENCE, &mut self.task)
            .await
            .expect("the session goes on")
            .unwrap();
        assert_eq!(self.peer.closed().await, Some(code));
        code
    }

    pub(crate) fn is_connected(&self) -> bool {
        !self.task.is_finished()
    }
}

/// `None` for reports of the connection, which are nothing of the room's.
fn read(sent: &Sent) -> Option<(Got, Lane)> {
    let got = match sent {
        Sent::Packet(packet, lane) => (decode(&packet.to_bytes()), *lane),
        Sent::TracksClosed(session) => (Got::TracksClosed(*session), Lane::Control),
    };
    (got.0 != Got::Other(PacketKind::REPORT)).then_some(got)
}

pub(crate) fn media(track: Track, sequence: u64, keyframe: bool) -> Bytes {
    sized_media(track, sequence, keyframe, 100)
}

/// The routing header of a frame.
pub(crate) fn routing(track: Track, sequence: u64, keyframe: bool) -> Routing {
    Routing::new(track, sequence, keyframe)
}

/// A media packet with a payload of `len` bytes.
pub(crate) fn sized_media(track: Track, sequence: u64, keyframe: bool, len: usize) -> Bytes {
    let routing = routing(track, sequence, keyframe);
    Packet::media(
        b"mallory",
        SessionId::new(666),
        &routing,
        vec![0; len].into(),
    )
    .to_bytes()
}

pub(crate) fn heartbeat(camera: bool) -> Bytes {
    let mut state = HeartbeatMetadata::new();
    state.video_enabled = camera;
    let mut media = MediaPacket::new();
    media.media_type = MediaType::HEARTBEAT.into();
    media.heartbeat_metadata = Some(state).into();
    packet(PacketKind::MEDIA, &media)
}

pub(crate) fn probe(timestamp: f64) -> Bytes {
    let mut media = MediaPacket::new();
    media.media_type = MediaType::RTT.into();
    media.timestamp = timestamp;
    packet(PacketKind::MEDIA, &media)
}

pub(crate) fn keyframe_request(of: SessionId, track: Track) -> Bytes {
    let mut request = KeyframeRequest::new();
    request.session_id = of.get();
    request.track = track.to_wire().into();
    packet(PacketKind::KEYFRAME_REQUEST, &request)
}

pub(crate) fn packet(kind: PacketKind, message: &impl protobuf::Message) -> Bytes {
    Packet::new(
        kind,
        b"",
        None,
        b"",
        message.write_to_bytes().unwrap().into(),
    )
    .to_bytes()
}

fn decode(bytes: &Bytes) -> Got {
    let header = PacketHeader::parse(bytes).unwrap();
    match header.kind.unwrap() {
        PacketKind::SESSION_ASSIGNED => Got::Assigned(header.session_id.unwrap()),
        PacketKind::PRESENCE => {
            let presence = Presence::parse_from_tokio_bytes(&header.data).unwrap();
            let names = presence.participants.into_iter().map(|participant| {
                let camera = if participant.state.camera { "+cam" } else { "" };
                format!("{}{camera}", participant.display_name)
            });
            let left = presence
                .left
                .into_iter()
                .map(|raw| SessionId::new(raw).unwrap())
                .collect();
            if presence.snapshot {
                Got::Snapshot(names.collect())
            } else {
                Got::News(names.collect(), left)
            }
        }
        PacketKind::MEETING => {
            let event = MeetingPacket::parse_from_tokio_bytes(&header.data).unwrap();
            let user = String::from_utf8(event.target_user_id.to_vec()).unwrap();
            Got::Meeting(
                format!("{:?} {user}", event.event_type.unwrap())
                    .trim()
                    .to_owned(),
            )
        }
        PacketKind::KEYFRAME_REQUEST => {
            let request = KeyframeRequest::parse_from_tokio_bytes(&header.data).unwrap();
            Got::KeyframeRequest(Track::from_wire(request.track.unwrap()).unwrap())
        }
        PacketKind::NOTICE => {
            let notice = Notice::parse_from_tokio_bytes(&header.data).unwrap();
            Got::Notice(format!("{:?}", notice.reason.unwrap()))
        }
        PacketKind::MEDIA => decode_media(bytes, &header),
        other => Got::Other(other),
    }
}

fn decode_media(bytes: &Bytes, header: &PacketHeader) -> Got {
    if let Some(routing) = Routing::parse(&header.routing) {
        return Got::Media(header.session_id.unwrap(), routing.track, routing.sequence);
    }
    let media = MediaPacket::parse_from_tokio_bytes(&header.data).unwrap();
    match media.media_type.unwrap() {
        MediaType::RTT => Got::Probe(bytes.clone()),
        MediaType::HEARTBEAT => Got::Heartbeat(header.session_id.unwrap()),
        MediaType::KEYFRAME_REQUEST => {
            let track = match &media.data[..] {
                b"VIDEO" => Track::Camera,
                b"SCREEN" => Track::Screen,
                other => panic!("{other:?}"),
            };
            Got::KeyframeRequest(track)
        }
        other => panic!("{other:?}"),
    }
}
