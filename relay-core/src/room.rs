//! One room of one relay.

mod announce;
mod audio;
mod demand;
mod keyframes;
mod redundancy;
mod resume;
mod selection;
mod video;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use protobuf::Message as _;
use videocall_types::claims::Capabilities;
use videocall_types::proto::bus::bus_event::Event;
use videocall_types::proto::bus::{BusEvent, Members};
use videocall_types::{
    Bytes, DisplayName, Interest, MeetingId, Packet, Redundancy, ResumeSecret, ServerId, SessionId,
    Timestamp, UserId,
};

use crate::command::Command;
use crate::demand::Demand;
use crate::drop_reason::DropReason;
use crate::forward::{Content, Forward, LayerId, TrackId};
use crate::ingress::video_layer;
use crate::keyframe::KeyframeRequests;
use crate::last_n::LastN;
use crate::layers::TrackLayers;
use crate::loudest::Loudest;
use crate::member::{Activity, Dialect, MediaState, Member, Profile};
use crate::messages;
use crate::overload::Level;
use crate::policy::RoomPolicy;
use crate::presence::Presence;
use crate::redundancy::Lack;
use crate::remote::{Change, Remotes};
use crate::speakers::Speakers;
use resume::Connections;

/// Somebody who joins.
#[derive(Clone, Debug)]
pub struct NewMember {
    /// The session's id; nobody else has it.
    pub session: SessionId,
    /// Who it is.
    pub user: UserId,
    /// What others see.
    pub name: DisplayName,
    /// How the session speaks.
    pub dialect: Dialect,
    /// What it may do.
    pub can: Capabilities,
    /// What it can be resumed with; `None`: not at all.
    pub secret: Option<ResumeSecret>,
}

/// Why somebody can't join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// The room has its most members.
    #[error("the room is full")]
    Full,
}

/// One room of one relay. `H` is the driver's way to a session, handed back by [`Route::receivers`].
///
/// See the [crate documentation](crate) for how to drive it.
#[derive(Debug)]
pub struct Room<H> {
    meeting: MeetingId,
    server: ServerId,
    policy: RoomPolicy,
    started_unix_ms: u64,
    members: BTreeMap<SessionId, Member<H>>,
    connections: Connections,
    remotes: Remotes,
    presence: Presence,
    keyframes: KeyframeRequests,
    level: Level,
    last_n: LastN,
    loudest: Loudest,
    speakers: Speakers,
    demand: Demand,
    lack: Lack,
    /// Of every video track that was seen.
    layers: BTreeMap<TrackId, TrackLayers>,
    /// What the other relays were told that the members of this one get. Without it they send everything.
    published_interest: Option<Interest>,
    next_snapshot: Timestamp,
    /// Members of this relay that left since everybody was told the last time.
    departed: BTreeSet<SessionId>,
    commands: VecDeque<Command>,
}

/// Who gets a packet.
#[derive(Debug)]
pub struct Route<'a, H> {
    /// The other relays need it, too.
    pub to_bus: bool,
    /// The members of this relay do not get it, for [`DropReason::Overload`]; those of others do.
    pub withheld: bool,
    source: Option<SessionId>,
    content: &'a Content,
    members: &'a BTreeMap<SessionId, Member<H>>,
}

impl<'a, H> Route<'a, H> {
    /// The receivers of this relay.
    pub fn receivers(&self) -> impl Iterator<Item = (SessionId, &'a H)> {
        let (source, content, withheld) = (self.source, self.content, self.withheld);
        let video = content.video_of(source);
        self.members
            .iter()
            .filter(move |(session, member)| {
                !withheld
                    && Some(**session) != source
                    && content.is_for(member.dialect, &member.can)
                    && video.is_none_or(|(track, frame)| member.gets(&track, frame))
            })
            .map(|(session, member)| (*session, &member.handle))
    }
}

impl<H> Room<H> {
    /// An empty room. `started_unix_ms` is what stock clients are told of its start, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn new(
        meeting: MeetingId,
        server: ServerId,
        policy: RoomPolicy,
        started_unix_ms: u64,
        now: Timestamp,
    ) -> Self {
        Self {
            remotes: Remotes::new(&policy),
            presence: Presence::new(policy.presence_interval),
            keyframes: KeyframeRequests::new(policy.keyframe_interval),
            level: Level::Normal,
            last_n: LastN::default(),
            loudest: Loudest::default(),
            speakers: Speakers::default(),
            demand: Demand::new(policy.demand_hold),
            lack: Lack::default(),
            layers: BTreeMap::new(),
            published_interest: None,
            next_snapshot: now + policy.snapshot_interval,
            members: BTreeMap::new(),
            connections: Connections::default(),
            departed: BTreeSet::new(),
            commands: VecDeque::new(),
            meeting,
            server,
            policy,
            started_unix_ms,
        }
    }

    /// Whether this relay has no members in the room.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The driver's way to a session.
    #[must_use]
    pub fn handle(&self, session: SessionId) -> Option<&H> {
        self.members.get(&session).map(|member| &member.handle)
    }

    /// The driver's ways to all sessions.
    pub fn handles(&self) -> impl Iterator<Item = &H> {
        self.members.values().map(|member| &member.handle)
    }

    // Control path.

    /// Somebody joins: is told who is there, and the others are told.
    ///
    /// # Errors
    /// [`JoinError::Full`]
    pub fn join(&mut self, new: NewMember, handle: H, now: Timestamp) -> Result<(), JoinError> {
        if self.members.len() >= self.policy.max_members {
            return Err(JoinError::Full);
        }
        self.welcome(&new);
        let wishes = self.first_wishes(new.dialect);
        let profile = Profile {
            user: new.user,
            name: new.name,
            state: MediaState::default(),
        };
        self.presence.set(new.session, profile.clone());
        let member = Member {
            profile,
            dialect: new.dialect,
            can: new.can,
            activity: Activity::default(),
            wishes,
            limit: None,
            wanted: None,
            lacks: Redundancy::default(),
            picks: BTreeMap::new(),
            secret: new.secret,
            connection: new.session,
            handle,
        };
        self.members.insert(new.session, member);
        self.limit_video(now);
        self.select_for(new.session, None, now);
        self.announce(now);
        Ok(())
    }

    /// Whom `connection` carries leaves. Nothing if somebody else carries that session by now.
    pub fn leave(&mut self, connection: SessionId, now: Timestamp) {
        if let Some(session) = self.carried_by(connection) {
            self.remove(session, now);
        }
    }

    fn remove(&mut self, session: SessionId, now: Timestamp) {
        if let Some(member) = self.members.remove(&session) {
            self.connections.forget(session, member.connection);
            self.departed.insert(session);
            self.gone(session);
            self.demand.doubt(now);
            self.review_lack();
            self.limit_video(now);
            self.announce(now);
        }
    }

    /// The bus works, for the first time or again. The others answer with their members; they may have missed news of ours.
    pub fn handle_bus_up(&mut self) {
        self.publish(messages::hello(self.server));
        if !self.members.is_empty() {
            self.publish_snapshot();
        }
    }

    /// Another relay sent a `BusEvent`.
    ///
    /// # Errors
    /// [`DropReason::Malformed`]
    pub fn handle_bus_event(&mut self, event: &Bytes, now: Timestamp) -> Result<(), DropReason> {
        let event = BusEvent::parse_from_tokio_bytes(event).map_err(|_| DropReason::Malformed)?;
        let server = ServerId(event.server_id);
        if server == self.server {
            return Ok(());
        }
        match event.event {
            Some(Event::Bye(_)) => self.lose_relay(server, now),
            Some(Event::Hello(_)) => {
                self.remotes.heard(server, now);
                self.publish_snapshot();
            }
            Some(Event::Members(report)) => {
                if self.remotes.heard(server, now) {
                    self.publish_snapshot();
                }
                self.report(server, &report, now);
            }
            Some(Event::KeyframeRequest(request)) => {
                self.remotes.heard(server, now);
                // The others are told by their own relays; this one answers for its own members only.
                let layer = video_layer(&request);
                let layer = layer.filter(|layer| self.members.contains_key(&layer.track.session));
                if let Some(layer) = layer {
                    self.want_keyframe(layer, now);
                }
            }
            Some(Event::Interest(interest)) => {
                self.remotes.heard(server, now);
                let interest = Interest::from_wire(&interest);
                self.remote_interest(&interest, now);
                self.remotes.set_interest(server, interest);
            }
            Some(Event::Redundancy(redundancy)) => {
                self.remotes.heard(server, now);
                self.lack
                    .set_relay(server, Redundancy::from_relay(&redundancy));
                self.review_lack();
            }
            // A newer relay may say more.
            Some(_) | None => {}
        }
        Ok(())
    }

    /// This relay leaves the room.
    pub fn close(&mut self) {
        self.publish(messages::bye(self.server));
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.end_absences(now);
        while let Some(server) = self.remotes.silent(now) {
            self.lose_relay(server, now);
        }
        if self.next_snapshot <= now {
            self.next_snapshot = now + self.policy.snapshot_interval;
            self.publish_snapshot();
            self.refill_places(now);
            self.select_for_limited(now);
            self.remind_of_keyframes(now);
            self.demand.doubt(now);
        }
        while let Some(layer) = self.keyframes.due(now) {
            self.ask_for_keyframe(layer);
        }
        self.review_demand(now);
        self.review_speakers(now);
        self.announce(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Timestamp {
        let others = [
            self.presence.poll_timeout(),
            self.keyframes.poll_timeout(),
            self.remotes.poll_timeout(),
            self.demand.poll_timeout(),
            self.connections.poll_timeout(),
            self.speakers.poll_timeout(&self.loudest, &self.policy),
        ];
        others
            .into_iter()
            .flatten()
            .fold(self.next_snapshot, Timestamp::min)
    }

    /// The next thing to do.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    // Data path.

    /// Who gets what a session of this relay sent.
    ///
    /// # Errors
    /// The reason why nobody gets it.
    pub fn route<'a>(
        &'a mut self,
        forward: &'a Forward,
        now: Timestamp,
    ) -> Result<Route<'a, H>, DropReason> {
        let from = forward.source.ok_or(DropReason::NotMember)?;
        let member = self.members.get_mut(&from).ok_or(DropReason::NotMember)?;
        if !forward.content.may_come_from(&member.can) {
            return Err(DropReason::NotAllowed);
        }
        member.activity.note(&forward.content, &self.policy, now);
        if let Content::Heartbeat { state, .. } = &forward.content
            && member.profile.state != *state
        {
            member.profile.state = *state;
            self.presence.set(from, member.profile.clone());
            self.demand.doubt(now);
            self.announce(now);
        }
        self.note_frame(from, forward, now);
        if !self.is_heard(from, &forward.content, now) {
            return Err(DropReason::Quieter);
        }
        let to_bus = self.remotes.has_members() && self.remotes.want(from, &forward.content);
        let withheld = !self.passes(from, &forward.content, now);
        if withheld && !to_bus {
            return Err(DropReason::Overload);
        }
        Ok(Route {
            to_bus,
            withheld,
            source: Some(from),
            content: &forward.content,
            members: &self.members,
        })
    }

    /// Who gets what another relay sent ([`ingress::from_relay`](crate::ingress::from_relay)).
    ///
    /// # Errors
    /// [`DropReason::NotMember`] if no relay has reported the sender, [`DropReason::Quieter`], [`DropReason::Overload`].
    pub fn route_from_relay<'a>(
        &'a mut self,
        forward: &'a Forward,
        now: Timestamp,
    ) -> Result<Route<'a, H>, DropReason> {
        let from = forward.source.ok_or(DropReason::NotMember)?;
        if !self
            .remotes
            .packet(from, &forward.content, &self.policy, now)
        {
            return Err(DropReason::NotMember);
        }
        self.note_frame(from, forward, now);
        if !self.is_heard(from, &forward.content, now) {
            return Err(DropReason::Quieter);
        }
        if !self.passes(from, &forward.content, now) {
            return Err(DropReason::Overload);
        }
        Ok(Route {
            to_bus: false,
            withheld: false,
            source: Some(from),
            content: &forward.content,
            members: &self.members,
        })
    }

    /// A frame comes, which may be of a layer that was not sent before, or the keyframe that somebody waits for.
    fn note_frame(&mut self, from: SessionId, forward: &Forward, now: Timestamp) {
        let Some((track, frame)) = forward.content.video_of(Some(from)) else {
            return;
        };
        let layer = LayerId::of(from, frame);
        let layers = self.layers.entry(track).or_default();
        if layers.note(frame, forward.packet.len(), self.policy.track_timeout, now) {
            self.keyframes.sent(track, frame.layers);
            self.layers_changed(track, frame.keyframe.then_some(layer), now);
        }
        if frame.keyframe {
            self.keyframes.passed(layer);
            for member in self.members.values_mut() {
                if let Some(pick) = member.picks.get_mut(&track) {
                    pick.keyframe(frame.spatial_layer);
                }
            }
        }
    }

    /// Members on all relays.
    fn people(&self) -> usize {
        self.members.len() + self.remotes.len()
    }

    fn gone(&mut self, session: SessionId) {
        self.last_n.forget(session);
        self.loudest.forget(session);
        self.presence.remove(session);
        self.keyframes.forget(session);
        self.demand.forget(session);
        self.layers.retain(|track, _| track.session != session);
        for member in self.members.values_mut() {
            member.picks.retain(|track, _| track.session != session);
        }
        self.lack.forget(session);
        self.commands.push_back(Command::Forget(session));
    }

    // Other relays.

    fn report(&mut self, server: ServerId, report: &Members, now: Timestamp) {
        let members = &self.members;
        for change in self
            .remotes
            .members(server, report, |session| members.contains_key(&session))
        {
            match change {
                Change::Set(session, profile) => self.presence.set(session, profile),
                Change::Left(session) => self.gone(session),
            }
        }
        // Members may lack something of whoever is known only now.
        self.review_lack();
        self.limit_video(now);
        self.announce(now);
    }

    fn lose_relay(&mut self, server: ServerId, now: Timestamp) {
        for session in self.remotes.bye(server) {
            self.gone(session);
        }
        if !self.remotes.any() {
            // Nobody would hear of changes.
            self.published_interest = None;
        }
        self.lack.forget_relay(server);
        self.review_lack();
        self.demand.doubt(now);
        self.limit_video(now);
        self.announce(now);
    }

    fn publish_snapshot(&mut self) {
        let members = self
            .members
            .iter()
            .map(|(session, member)| (*session, &member.profile));
        let snapshot = messages::members(self.server, true, members, std::iter::empty());
        self.publish(snapshot);
        self.repeat_interest();
        self.repeat_lack();
    }

    fn send(&mut self, to: Vec<SessionId>, packet: Packet) {
        self.commands.push_back(Command::Send {
            to,
            forward: Forward::control(packet),
        });
    }

    /// Tells a member what stock clients do not know.
    fn tell_native(&mut self, session: SessionId, message: impl FnOnce() -> Packet) {
        let member = self.members.get(&session);
        if member.is_some_and(|member| member.dialect == Dialect::Native) {
            self.send(vec![session], message());
        }
    }

    fn publish(&mut self, event: Bytes) {
        self.commands.push_back(Command::Publish(event));
    }
}
