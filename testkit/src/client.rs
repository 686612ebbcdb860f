//! One client over any transport and dialect.

use std::fmt;

use bytes::Bytes;
use protobuf::Message as _;
use tokio::time::timeout;
use videocall_types::proto::control::{KeyframeRequest, Presence};
use videocall_types::proto::media_packet::MediaPacket;
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::proto::meeting_packet::MeetingPacket;
use videocall_types::{PacketHeader, PacketKind, Resume, ResumeSecret, Routing, SessionId, Track};

use crate::PATIENCE;
use crate::packets;
use crate::server::Endpoints;
use crate::websocket::WebSocket;
use crate::webtransport::WebTransport;

/// A transport and a dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// WebSocket, public generation.
    WsStock,
    /// WebSocket, ours.
    WsNative,
    /// WebTransport, public generation.
    WtStock,
    /// WebTransport, ours.
    WtNative,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::WsStock, Self::WsNative, Self::WtStock, Self::WtNative];

    /// Whether it speaks our dialect.
    #[must_use]
    pub const fn is_native(self) -> bool {
        matches!(self, Self::WsNative | Self::WtNative)
    }

    /// Whether it uses WebTransport.
    #[must_use]
    pub const fn is_webtransport(self) -> bool {
        matches!(self, Self::WtStock | Self::WtNative)
    }
}

/// Why there is no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The HTTP status of a WebSocket handshake.
    Status(u16),
    /// WebTransport does not tell its client more.
    Rejected,
    /// Closed before anything else was said.
    Closed(Option<u16>),
}

/// How a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A WebSocket message.
    Message,
    /// A WebTransport stream.
    Stream,
    /// A WebTransport datagram.
    Datagram,
}

pub(crate) enum Incoming {
    Bytes(Bytes, Channel),
    Closed(Option<u16>),
}

/// One received packet.
#[derive(Clone, PartialEq, Eq)]
pub struct Seen {
    /// As it was sent.
    pub bytes: Bytes,
    /// What is in it.
    pub header: PacketHeader,
    /// How it came.
    pub channel: Channel,
}

impl Seen {
    /// Whether it is of `kind`.
    #[must_use]
    pub fn is(&self, kind: PacketKind) -> bool {
        self.header.kind == Ok(kind)
    }

    /// The media packet inside, if it is one.
    #[must_use]
    pub fn media(&self) -> Option<MediaPacket> {
        self.is(PacketKind::MEDIA)
            .then(|| MediaPacket::parse_from_tokio_bytes(&self.header.data).unwrap())
    }

    /// The media packet inside, if it is one of `kind`.
    #[must_use]
    pub fn media_of(&self, kind: MediaType) -> Option<MediaPacket> {
        self.media().filter(|media| media.media_type == kind.into())
    }

    /// The track that a keyframe is wanted of, in either dialect, if this asks for one.
    #[must_use]
    pub fn keyframe_request(&self) -> Option<Track> {
        if self.is(PacketKind::KEYFRAME_REQUEST) {
            let request = KeyframeRequest::parse_from_tokio_bytes(&self.header.data).unwrap();
            return Track::from_wire(request.track.unwrap());
        }
        let media = self.media_of(MediaType::KEYFRAME_REQUEST)?;
        Some(if media.data == "SCREEN" {
            Track::Screen
        } else {
            Track::Camera
        })
    }

    /// The meeting event inside, if it is one.
    #[must_use]
    pub fn meeting(&self) -> Option<MeetingPacket> {
        self.is(PacketKind::MEETING)
            .then(|| MeetingPacket::parse_from_tokio_bytes(&self.header.data).unwrap())
    }

    /// The presence inside, if it is one.
    #[must_use]
    pub fn presence(&self) -> Option<Presence> {
        self.is(PacketKind::PRESENCE)
            .then(|| Presence::parse_from_tokio_bytes(&self.header.data).unwrap())
    }

    /// The routing header, if there is one.
    #[must_use]
    pub fn routing(&self) -> Option<Routing> {
        Routing::parse(&self.header.routing)
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} from {:?} by {:?}, {} bytes",
            self.header.kind,
            self.header.user_id,
            self.channel,
            self.bytes.len()
        )?;
        self.media().map_or(Ok(()), |media| {
            write!(f, " {:?} {:?}", media.media_type, self.routing())
        })
    }
}

enum Transport {
    WebSocket(Box<WebSocket>),
    WebTransport(Box<WebTransport>),
}

/// One connection. It reads only while it is asked to.
pub struct Client {
    /// What it speaks.
    pub kind: Kind,
    transport: Transport,
    session: Option<SessionId>,
    secret: Option<ResumeSecret>,
    probes: u64,
}

impl Client {
    /// Connects to `target`, such as `/lobby/ada/team`, without any `dialect` parameter of its own.
    ///
    /// # Errors
    /// [`Refusal`] if the server does not want it.
    pub async fn connect(
        server: &Endpoints,
        kind: Kind,
        target: &str,
        origin: Option<&str>,
    ) -> Result<Self, Refusal> {
        let mut client = Self::open(server, kind, target, origin).await?;
        client.assigned().await?;
        Ok(client)
    }

    /// Connects and says that it wants to go on with a session, or to begin a new one.
    ///
    /// # Errors
    /// [`Refusal`] if the server does not want it.
    pub async fn enter(
        server: &Endpoints,
        kind: Kind,
        target: &str,
        resume: Option<&Resume>,
    ) -> Result<Self, Refusal> {
        let mut client = Self::open(server, kind, &format!("{target}?enter=late"), None).await?;
        client.send(packets::enter(resume)).await;
        client.assigned().await?;
        Ok(client)
    }

    /// Connects to `target`, sends `packet` and waits for the end; its close code.
    pub async fn say_first(
        server: &Endpoints,
        kind: Kind,
        target: &str,
        packet: Bytes,
    ) -> Option<u16> {
        let mut client = Self::open(server, kind, target, None)
            .await
            .expect("it is not refused before");
        client.send(packet).await;
        client.closed().await
    }

    async fn open(
        server: &Endpoints,
        kind: Kind,
        target: &str,
        origin: Option<&str>,
    ) -> Result<Self, Refusal> {
        let native = if target.contains('?') {
            "&dialect=native"
        } else {
            "?dialect=native"
        };
        let target = format!("{target}{}", if kind.is_native() { native } else { "" });
        let transport = if kind.is_webtransport() {
            let session = WebTransport::connect(server, &target, origin, kind.is_native()).await?;
            Transport::WebTransport(Box::new(session))
        } else {
            Transport::WebSocket(Box::new(WebSocket::connect(server, &target, origin).await?))
        };
        Ok(Self {
            kind,
            transport,
            session: None,
            secret: None,
            probes: 0,
        })
    }

    async fn assigned(&mut self) -> Result<(), Refusal> {
        let first = self.next().await.map_err(Refusal::Closed)?;
        assert!(
            first.is(PacketKind::SESSION_ASSIGNED),
            "the first packet is {first:?}"
        );
        self.session = first.header.session_id;
        self.secret = ResumeSecret::from_bytes(&first.header.data);
        Ok(())
    }

    /// Joins `meeting` as `user`.
    pub async fn join(server: &Endpoints, kind: Kind, user: &str, meeting: &str) -> Self {
        Self::connect(server, kind, &format!("/lobby/{user}/{meeting}"), None)
            .await
            .expect("the server takes it")
    }

    /// The session that the relay has assigned.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session.unwrap()
    }

    /// What lets the session be resumed.
    #[must_use]
    pub fn resume(&self) -> Resume {
        Resume {
            session: self.session(),
            secret: self.secret.unwrap(),
        }
    }

    /// Sends a packet. False: the connection is gone.
    pub async fn send(&mut self, packet: impl Into<Bytes>) -> bool {
        match &mut self.transport {
            Transport::WebSocket(socket) => socket.send_packet(packet.into()).await,
            Transport::WebTransport(session) => session.send_packet(packet.into()).await,
        }
    }

    /// Sends one frame as its kind of client does.
    pub async fn send_frame(
        &mut self,
        track: Track,
        sequence: u64,
        key: bool,
        payload: &[u8],
    ) -> bool {
        let media = packets::frame(track, sequence, key, payload);
        let packet = if self.kind.is_native() {
            packets::native_media(&media, &packets::routing(track, sequence, key))
        } else {
            packets::stock_media(&media)
        };
        self.send(packet).await
    }

    /// The next packet, or the close code where there is one.
    ///
    /// # Errors
    /// The end of the connection.
    pub async fn next(&mut self) -> Result<Seen, Option<u16>> {
        let incoming = async {
            match &mut self.transport {
                Transport::WebSocket(socket) => socket.recv().await,
                Transport::WebTransport(session) => session.recv().await,
            }
        };
        match timeout(PATIENCE, incoming)
            .await
            .expect("something arrives")
        {
            Incoming::Bytes(bytes, channel) => {
                let header = PacketHeader::parse(&bytes).expect("the relay sends packets");
                Ok(Seen {
                    bytes,
                    header,
                    channel,
                })
            }
            Incoming::Closed(code) => Err(code),
        }
    }

    /// Everything up to the first packet that `wanted` says yes to, which is the last one.
    pub async fn until(&mut self, wanted: impl Fn(&Seen) -> bool) -> Vec<Seen> {
        let mut seen = Vec::new();
        let arrives = async {
            loop {
                match self.next().await {
                    Ok(packet) => seen.push(packet),
                    Err(code) => panic!("closed with {code:?} after {seen:?}"),
                }
                if seen.last().is_some_and(&wanted) {
                    return;
                }
            }
        };
        if timeout(PATIENCE, arrives).await.is_err() {
            panic!("{:?} has got what was not waited for: {seen:?}", self.kind);
        }
        seen
    }

    /// The first packet that `wanted` says yes to.
    pub async fn wait_for(&mut self, wanted: impl Fn(&Seen) -> bool) -> Seen {
        self.until(wanted).await.pop().unwrap()
    }

    /// The next frame of any track whose payload is `payload`.
    pub async fn wait_for_payload(&mut self, payload: &[u8]) -> Seen {
        self.wait_for(|seen| seen.media().is_some_and(|media| media.data == payload))
            .await
    }

    /// Everything that the relay has for this client until it answers a probe.
    pub async fn fence(&mut self) -> Vec<Seen> {
        self.probes += 1;
        let probe = packets::probe(self.probes);
        assert!(self.send(probe.clone()).await, "the connection is gone");
        let mut seen = self.until(|seen| seen.bytes == probe).await;
        seen.pop();
        seen
    }

    /// Waits for the end; what comes before it is dropped.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }

    /// Leaves in order.
    pub async fn leave(mut self) {
        match &mut self.transport {
            Transport::WebSocket(socket) => socket.close().await,
            Transport::WebTransport(session) => session.close().await,
        }
    }

    /// Loses the connection without leaving.
    pub async fn lose(self) {
        match self.transport {
            // The end of TCP, without a close frame.
            Transport::WebSocket(_) => {}
            Transport::WebTransport(mut session) => session.lose().await,
        }
    }

    /// The WebSocket below.
    pub fn websocket(&mut self) -> &mut WebSocket {
        match &mut self.transport {
            Transport::WebSocket(socket) => socket,
            Transport::WebTransport(_) => panic!("not a WebSocket"),
        }
    }

    /// The WebTransport session below.
    pub fn webtransport(&mut self) -> &mut WebTransport {
        match &mut self.transport {
            Transport::WebSocket(_) => panic!("not WebTransport"),
            Transport::WebTransport(session) => session,
        }
    }
}
