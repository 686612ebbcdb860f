//! One session as its room sees it.

use std::collections::BTreeMap;

use videocall_types::claims::Capabilities;
use videocall_types::layers::layer_for;
use videocall_types::proto::control as wire;
use videocall_types::proto::media_packet::HeartbeatMetadata;
use videocall_types::wishes::FULL_HEIGHT;
use videocall_types::{
    Bytes, DisplayName, Redundancy, ResumeSecret, Routing, SessionId, Timestamp, Track, UserId,
    Wishes,
};

use crate::forward::{Content, TrackId};
use crate::policy::RoomPolicy;
use crate::selection::Pick;

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
}

impl MediaState {
    /// What a heartbeat says.
    #[must_use]
    pub const fn from_heartbeat(heartbeat: &HeartbeatMetadata) -> Self {
        Self {
            camera: heartbeat.video_enabled,
            microphone: heartbeat.audio_enabled,
            screen: heartbeat.screen_enabled,
        }
    }

    const fn from_wire(state: &wire::MediaState) -> Self {
        Self {
            camera: state.camera,
            microphone: state.microphone,
            screen: state.screen,
        }
    }

    fn to_wire(self) -> wire::MediaState {
        let mut state = wire::MediaState::new();
        state.camera = self.camera;
        state.microphone = self.microphone;
        state.screen = self.screen;
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
    says_it_speaks: bool,
}

impl Activity {
    /// The session sent `content`.
    pub(crate) const fn note(&mut self, content: &Content, policy: &RoomPolicy, now: Timestamp) {
        if content.is_voice(policy.voice_level) {
            self.voice = Some(now);
        }
        match content {
            Content::Media(routing) => match routing.track {
                Track::Camera => self.camera = Some(now),
                Track::Screen => self.screen = Some(now),
                Track::Microphone | Track::ScreenAudio => {}
            },
            Content::Heartbeat { speaking, .. } => self.says_it_speaks = *speaking,
            Content::Control | Content::StockOnly => {}
        }
    }

    /// What the last heartbeat said. It counts for those whose packets name no level.
    pub(crate) const fn says_it_speaks(&self) -> bool {
        self.says_it_speaks
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
    /// Bits per second that its connection carries; `None`: all.
    pub(crate) limit: Option<u64>,
    /// Bits per second that it would make use of beyond that.
    pub(crate) wanted: Option<u64>,
    /// What it lacks of the sound that it hears.
    pub(crate) lacks: Redundancy,
    /// What it gets of the video that it shows.
    pub(crate) picks: BTreeMap<TrackId, Pick>,
    /// What it can be resumed with; `None`: not at all.
    pub(crate) secret: Option<ResumeSecret>,
    /// What carries the session: the id that the connection would have had as a session of its own.
    pub(crate) connection: SessionId,
    /// The driver's way to the session.
    pub(crate) handle: H,
}

impl<H> Member<H> {
    /// Its video tracks that are live.
    pub(crate) fn video(&self, policy: &RoomPolicy, now: Timestamp) -> impl Iterator<Item = Track> {
        self.activity.tracks(self.profile.state, policy, now)
    }

    /// Whether it gets a frame of a video track.
    pub(crate) fn gets(&self, track: &TrackId, frame: &Routing) -> bool {
        self.picks.get(track).is_some_and(|pick| pick.passes(frame))
    }

    /// The layer of a track that it gets or waits for.
    pub(crate) fn layer_of(&self, track: &TrackId) -> u8 {
        let target = self.picks.get(track).and_then(Pick::target);
        target.unwrap_or_else(|| layer_for(track.track, FULL_HEIGHT))
    }
}
