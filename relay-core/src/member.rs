//! One session as its room sees it.

use videocall_types::claims::Capabilities;
use videocall_types::proto::control as wire;
use videocall_types::proto::media_packet::HeartbeatMetadata;
use videocall_types::{
    Bytes, DisplayName, ResumeSecret, SessionId, Timestamp, Track, UserId, Wishes,
};

use crate::forward::Content;
use crate::policy::RoomPolicy;

/// How a session speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// The public generation 6.x.
    #[default]
    Stock,
    /// Ours: routing headers, presence and notices.
    Native,
}

/// What a participant publishes at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MediaState {
    /// The camera is on.
    pub camera: bool,
    /// The microphone is on.
    pub microphone: bool,
    /// The screen is shared.
    pub screen: bool,
    /// The person speaks.
    pub speaking: bool,
}

impl MediaState {
    /// What a heartbeat says.
    #[must_use]
    pub const fn from_heartbeat(heartbeat: &HeartbeatMetadata) -> Self {
        Self {
            camera: heartbeat.video_enabled,
            microphone: heartbeat.audio_enabled,
            screen: heartbeat.screen_enabled,
            speaking: heartbeat.is_speaking,
        }
    }

    const fn from_wire(state: &wire::MediaState) -> Self {
        Self {
            camera: state.camera,
            microphone: state.microphone,
            screen: state.screen,
            speaking: state.speaking,
        }
    }

    fn to_wire(self) -> wire::MediaState {
        let mut state = wire::MediaState::new();
        state.camera = self.camera;
        state.microphone = self.microphone;
        state.screen = self.screen;
        state.speaking = self.speaking;
        state
    }
}

/// What others know of a participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The user.
    pub user: UserId,
    /// What others see.
    pub name: DisplayName,
    /// What is published.
    pub state: MediaState,
}

impl Profile {
    /// Reads what another relay says. `None` if it is not valid.
    #[must_use]
    pub fn from_wire(participant: &wire::Participant) -> Option<(SessionId, Self)> {
        let session = SessionId::new(participant.session_id)?;
        let user: UserId = std::str::from_utf8(&participant.user_id)
            .ok()?
            .parse()
            .ok()?;
        let name = DisplayName::new(&participant.display_name).or_user(&user);
        Some((
            session,
            Self {
                user,
                name,
                state: MediaState::from_wire(&participant.state),
            },
        ))
    }

    /// The wire message.
    #[must_use]
    pub fn to_wire(&self, session: SessionId) -> wire::Participant {
        let mut participant = wire::Participant::new();
        participant.session_id = session.get();
        participant.user_id = Bytes::copy_from_slice(self.user.as_str().as_bytes());
        participant.display_name = self.name.as_str().into();
        participant.state = Some(self.state.to_wire()).into();
        participant
    }
}

/// When a session was last seen and heard.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Activity {
    camera: Option<Timestamp>,
    screen: Option<Timestamp>,
    voice: Option<Timestamp>,
}

impl Activity {
    /// The session sent `content`.
    pub(crate) const fn note(&mut self, content: &Content, policy: &RoomPolicy, now: Timestamp) {
        if content.is_voice(policy.voice_level) {
            self.voice = Some(now);
        }
        if let Content::Media(routing) = content {
            match routing.track {
                Track::Camera => self.camera = Some(now),
                Track::Screen => self.screen = Some(now),
                Track::Microphone | Track::ScreenAudio => {}
            }
        }
    }

    /// When the participant spoke last.
    pub(crate) const fn voice(&self) -> Option<Timestamp> {
        self.voice
    }

    /// Whether frames of the camera came lately, whatever the participant says to publish.
    pub(crate) fn has_camera(&self, policy: &RoomPolicy, now: Timestamp) -> bool {
        is_recent(self.camera, policy, now)
    }

    /// The video tracks that were seen lately, or that the participant says to publish: a still screen may send nothing for long.
    pub(crate) fn tracks(
        &self,
        state: MediaState,
        policy: &RoomPolicy,
        now: Timestamp,
    ) -> impl Iterator<Item = Track> {
        let recent = |seen| is_recent(seen, policy, now);
        [
            (Track::Camera, state.camera || recent(self.camera)),
            (Track::Screen, state.screen || recent(self.screen)),
        ]
        .into_iter()
        .filter_map(|(track, live)| live.then_some(track))
    }
}

fn is_recent(seen: Option<Timestamp>, policy: &RoomPolicy, now: Timestamp) -> bool {
    seen.is_some_and(|at| now - at <= policy.track_timeout)
}

/// One session of this relay.
#[derive(Debug)]
pub(crate) struct Member<H> {
    pub(crate) profile: Profile,
    pub(crate) dialect: Dialect,
    pub(crate) can: Capabilities,
    pub(crate) activity: Activity,
    pub(crate) wishes: Wishes,
    /// What it can be resumed with; `None`: not at all.
    pub(crate) secret: Option<ResumeSecret>,
    /// What carries the session: the id that the connection would have had as a session of its own.
    pub(crate) connection: SessionId,
    /// The driver's way to the session.
    pub(crate) handle: H,
}
