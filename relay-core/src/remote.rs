//! The other relays of a room and their members, as the bus reports them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use videocall_types::demand::EVERYTHING;
use videocall_types::proto::bus::Members;
use videocall_types::{Interest, ServerId, SessionId, Timestamp, Track, UserId};

use crate::forward::Content;
use crate::member::{Activity, MediaState, Profile};
use crate::policy::RoomPolicy;

/// A member of another relay.
#[derive(Debug)]
pub(crate) struct RemoteMember {
    server: ServerId,
    user: UserId,
    state: MediaState,
    activity: Activity,
}

impl RemoteMember {
    /// Its video tracks that are live.
    fn video(&self, policy: &RoomPolicy, now: Timestamp) -> impl Iterator<Item = Track> {
        self.activity.tracks(self.state, policy, now)
    }
}

/// What presence hears of other relays.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Set(SessionId, Profile),
    Left(SessionId),
}

/// The other relays of a room.
#[derive(Debug)]
pub(crate) struct Remotes {
    timeout: Duration,
    heard: BTreeMap<ServerId, Timestamp>,
    members: BTreeMap<SessionId, RemoteMember>,
    /// What the members of a relay get, where it has said so.
    interests: BTreeMap<ServerId, Interest>,
}

impl Remotes {
    pub(crate) fn new(policy: &RoomPolicy) -> Self {
        let timeout = policy
            .snapshot_interval
            .saturating_mul(policy.missed_snapshots);
        Self {
            timeout,
            heard: BTreeMap::new(),
            members: BTreeMap::new(),
            interests: BTreeMap::new(),
        }
    }

    /// Whether any relay is known.
    pub(crate) fn any(&self) -> bool {
        !self.heard.is_empty()
    }

    /// Whether another relay has members in the room.
    pub(crate) fn has_members(&self) -> bool {
        !self.members.is_empty()
    }

    pub(crate) fn contains(&self, session: SessionId) -> bool {
        self.members.contains_key(&session)
    }

    /// A relay said something. True: for the first time.
    pub(crate) fn heard(&mut self, server: ServerId, now: Timestamp) -> bool {
        self.heard.insert(server, now).is_none()
    }

    /// How many members the other relays have.
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// A packet of `session` came. False: nobody has reported this session.
    pub(crate) fn packet(
        &mut self,
        session: SessionId,
        content: &Content,
        policy: &RoomPolicy,
        now: Timestamp,
    ) -> bool {
        let Some(member) = self.members.get_mut(&session) else {
            return false;
        };
        member.activity.note(content, policy, now);
        true
    }

    /// A relay reported members. A session that is ours or another relay's is not its to report.
    pub(crate) fn members(
        &mut self,
        server: ServerId,
        report: &Members,
        is_ours: impl Fn(SessionId) -> bool,
    ) -> Vec<Change> {
        let participants = report.participants.iter().filter_map(Profile::from_wire);
        let reported: BTreeMap<SessionId, Profile> = participants
            .filter(|(session, _)| !is_ours(*session) && !self.is_of_other(server, *session))
            .collect();
        let mut gone: BTreeSet<SessionId> = report
            .left
            .iter()
            .filter_map(|raw| SessionId::new(*raw))
            .collect();
        if report.snapshot {
            gone.extend(
                self.of(server)
                    .filter(|session| !reported.contains_key(session)),
            );
        }
        let mut changes = Vec::new();
        for session in gone {
            if self
                .members
                .get(&session)
                .is_some_and(|member| member.server == server)
            {
                self.members.remove(&session);
                changes.push(Change::Left(session));
            }
        }
        for (session, profile) in reported {
            self.update(server, session, &profile);
            changes.push(Change::Set(session, profile));
        }
        changes
    }

    /// A relay has no members any more.
    pub(crate) fn bye(&mut self, server: ServerId) -> Vec<SessionId> {
        self.heard.remove(&server);
        self.interests.remove(&server);
        let gone: Vec<SessionId> = self.of(server).collect();
        for session in &gone {
            self.members.remove(session);
        }
        gone
    }

    /// What the members of a relay get from now on.
    pub(crate) fn set_interest(&mut self, server: ServerId, interest: Interest) {
        self.interests.insert(server, interest);
    }

    /// The interest of each relay with members in the room.
    pub(crate) fn interests(&self) -> impl Iterator<Item = &Interest> {
        let servers: BTreeSet<ServerId> = self.members.values().map(|m| m.server).collect();
        servers.into_iter().map(|server| self.interest(server))
    }

    /// Whether any relay has use for what `source` sent.
    pub(crate) fn want(&self, source: SessionId, content: &Content) -> bool {
        let Some((track, frame)) = content.video_of(Some(source)) else {
            return true;
        };
        let serves = |layer| frame.layers.serving(layer) == Some(frame.spatial_layer);
        self.heard.keys().any(|server| {
            let layers = self.interest(*server).layers(track.session, track.track);
            layers.iter().any(serves)
        })
    }

    fn interest(&self, server: ServerId) -> &Interest {
        self.interests.get(&server).unwrap_or(&EVERYTHING)
    }

    /// When the next relay has been silent for too long.
    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        self.heard.values().min().map(|heard| *heard + self.timeout)
    }

    /// A relay that has been silent for too long.
    pub(crate) fn silent(&self, now: Timestamp) -> Option<ServerId> {
        self.heard
            .iter()
            .find(|(_, heard)| **heard + self.timeout <= now)
            .map(|(server, _)| *server)
    }

    pub(crate) fn live_video(
        &self,
        policy: &RoomPolicy,
        now: Timestamp,
    ) -> impl Iterator<Item = (SessionId, Track)> {
        self.members.iter().flat_map(move |(session, member)| {
            let tracks = member.video(policy, now);
            tracks.map(|track| (*session, track))
        })
    }

    /// The video tracks of one member that are live.
    pub(crate) fn video_of(
        &self,
        session: SessionId,
        policy: &RoomPolicy,
        now: Timestamp,
    ) -> impl Iterator<Item = Track> {
        let member = self.members.get(&session).into_iter();
        member.flat_map(move |member| member.video(policy, now))
    }

    pub(crate) fn activity(&self, session: SessionId) -> Option<&Activity> {
        self.members.get(&session).map(|member| &member.activity)
    }

    pub(crate) fn activities(&self) -> impl Iterator<Item = (SessionId, &Activity)> {
        self.members
            .iter()
            .map(|(session, member)| (*session, &member.activity))
    }

    pub(crate) fn sessions_of(&self, user: &UserId) -> impl Iterator<Item = SessionId> {
        self.members
            .iter()
            .filter(move |(_, member)| member.user == *user)
            .map(|(session, _)| *session)
    }

    fn of(&self, server: ServerId) -> impl Iterator<Item = SessionId> {
        self.members
            .iter()
            .filter(move |(_, member)| member.server == server)
            .map(|(session, _)| *session)
    }

    fn is_of_other(&self, server: ServerId, session: SessionId) -> bool {
        self.members
            .get(&session)
            .is_some_and(|member| member.server != server)
    }

    fn update(&mut self, server: ServerId, session: SessionId, profile: &Profile) {
        let Profile { user, state, .. } = profile;
        self.members
            .entry(session)
            .and_modify(|member| member.state = *state)
            .or_insert_with(|| RemoteMember {
                server,
                user: user.clone(),
                state: *state,
                activity: Activity::default(),
            });
    }
}
