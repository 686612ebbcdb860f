//! A packet on its way to receivers, with all that the rules need to know of it.

use videocall_types::claims::Capabilities;
use videocall_types::{Packet, Routing, SessionId, Timestamp, Track};

use crate::member::{Dialect, MediaState};

/// One track of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrackId {
    /// The source.
    pub session: SessionId,
    /// Its track.
    pub track: Track,
}

impl From<(SessionId, Track)> for TrackId {
    fn from((session, track): (SessionId, Track)) -> Self {
        Self { session, track }
    }
}

/// One simulcast layer of a video track: a sequence of frames that refer to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LayerId {
    /// The track.
    pub track: TrackId,
    /// Its layer.
    pub spatial_layer: u8,
}

impl LayerId {
    /// The layer that a frame of `session` belongs to.
    #[must_use]
    pub const fn of(session: SessionId, routing: &Routing) -> Self {
        Self {
            track: TrackId {
                session,
                track: routing.track,
            },
            spatial_layer: routing.spatial_layer,
        }
    }
}

/// What a packet is, as far as routing and queues care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// What the relay itself says. Never dropped.
    Control,
    /// Media of a known track.
    Media(Routing),
    /// The sender's state. Stock sessions read it from this packet, native ones from presence.
    Heartbeat {
        /// What it publishes.
        state: MediaState,
        /// It says that the person speaks.
        speaking: bool,
    },
    /// Anything else that only stock sessions can read: keys, diagnostics, media without a readable header.
    StockOnly,
}

impl Content {
    /// Whether a session with this dialect and these capabilities gets it.
    #[must_use]
    pub const fn is_for(&self, dialect: Dialect, can: &Capabilities) -> bool {
        let stock = matches!(dialect, Dialect::Stock);
        match self {
            Self::Control => true,
            Self::Media(routing) => {
                can.receive_media && !(stock && matches!(routing.track, Track::ScreenAudio))
            }
            Self::Heartbeat { .. } => can.receive_events && stock,
            Self::StockOnly => can.receive_media && stock,
        }
    }

    /// The video track that it belongs to, and the frame that it is.
    #[must_use]
    pub const fn video_of(&self, source: Option<SessionId>) -> Option<(TrackId, &Routing)> {
        match (source, self) {
            (Some(session), Self::Media(routing)) if !routing.track.is_audio() => {
                Some((LayerId::of(session, routing).track, routing))
            }
            _ => None,
        }
    }

    /// Whether it tells that its sender speaks. `voice_level`: see [`RoomPolicy`](crate::policy::RoomPolicy).
    #[must_use]
    pub const fn is_voice(&self, voice_level: u8) -> bool {
        match self {
            Self::Media(routing) => {
                matches!(routing.track, Track::Microphone)
                    && routing.audio_level > 0
                    && routing.audio_level <= voice_level
            }
            Self::Heartbeat { speaking, .. } => *speaking,
            Self::Control | Self::StockOnly => false,
        }
    }

    /// Whether a session with these capabilities may send it.
    #[must_use]
    pub const fn may_come_from(&self, can: &Capabilities) -> bool {
        match self {
            Self::Control => false,
            Self::Media(routing) => match routing.track {
                Track::Camera => can.publish_video,
                Track::Microphone | Track::ScreenAudio => can.publish_audio,
                Track::Screen => can.publish_screen,
            },
            Self::Heartbeat { .. } => true,
            // It may be media of any track.
            Self::StockOnly => can.publish_audio && can.publish_video && can.publish_screen,
        }
    }
}

/// A packet on its way to receivers. Cloning it counts a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// The session that sent it; `None`: the relay itself.
    pub source: Option<SessionId>,
    /// What it is.
    pub content: Content,
    /// The packet, stamped.
    pub packet: Packet,
    /// When this relay got it, where its driver says so. The rules do not care.
    pub received: Option<Timestamp>,
}

impl Forward {
    /// What the relay itself says.
    #[must_use]
    pub const fn control(packet: Packet) -> Self {
        Self {
            source: None,
            content: Content::Control,
            packet,
            received: None,
        }
    }

    /// The track that it belongs to, for media of a known track.
    #[must_use]
    pub const fn track(&self) -> Option<TrackId> {
        match (self.source, &self.content) {
            (Some(session), Content::Media(routing)) => Some(TrackId {
                session,
                track: routing.track,
            }),
            _ => None,
        }
    }
}
