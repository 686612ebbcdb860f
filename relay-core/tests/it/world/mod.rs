//! Two relays of one room on a bus that may fail, their members, and what always holds. Whatever makes up operations can drive
//! it: a property test, and a fuzz target that includes this folder.

mod client;
mod media;
pub(crate) mod operation;
pub(crate) mod packets;
mod settle;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use relay_core::ingress::KeyframeTarget;
use relay_core::policy::RoomPolicy;
use relay_core::{Command, Dialect, DropReason, JoinError, Level, Room, TrackId};
use videocall_types::claims::Capabilities;
use videocall_types::limits::MAX_REDUNDANCY;
use videocall_types::proto::media_packet::HeartbeatMetadata;
use videocall_types::{
    Bytes, LayerSet, Packet, PacketHeader, PacketKind, Redundancy, Resume, Routing, ServerId,
    SessionId, Timestamp, Track, Wishes,
};

use client::Client;
use media::{Frame, media};
use operation::{Forgery, Operation};
use packets::{secret, session, state, user};
use source::TEMPORAL_LAYERS;

/// Large rooms and full ones are soon reached.
const MAX_MEMBERS: usize = 8;
const LARGE_ABOVE: usize = 4;
const LOUDEST: usize = 2;
/// A session that nobody has.
const NOBODY: u64 = 1_000_000;

pub(crate) struct World {
    policy: RoomPolicy,
    now: Timestamp,
    relays: [Room<SessionId>; 2],
    clients: BTreeMap<SessionId, Client>,
    connected: bool,
    next_id: u64,
    /// When each publisher was asked for a keyframe the last time.
    asked: BTreeMap<(SessionId, Bytes), Timestamp>,
    /// Whose voices each relay has passed on of late, while its room was large.
    voices: [BTreeMap<SessionId, Timestamp>; 2],
}

impl World {
    pub(crate) fn new() -> Self {
        let now = Timestamp::from_millis(1);
        let policy = RoomPolicy {
            max_members: MAX_MEMBERS,
            large_above: LARGE_ABOVE,
            loudest: LOUDEST,
            ..RoomPolicy::default()
        };
        let relay = |id| {
            let meeting = "standup".parse().unwrap();
            Room::new(meeting, ServerId(id), policy.clone(), 0, now)
        };
        let mut world = Self {
            now,
            relays: [relay(1), relay(2)],
            clients: BTreeMap::new(),
            connected: true,
            next_id: 1,
            asked: BTreeMap::new(),
            voices: Default::default(),
            policy,
        };
        world.mend();
        world
    }

    pub(crate) fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Join {
                relay,
                stock,
                receives,
                publishes,
                largest,
            } => {
                let dialect = if *stock {
                    Dialect::Stock
                } else {
                    Dialect::Native
                };
                let can = Capabilities {
                    receive_media: *receives,
                    publish_audio: *publishes,
                    publish_video: *publishes,
                    publish_screen: *publishes,
                    ..Capabilities::default()
                };
                let largest = if *stock { 0 } else { largest % 4 };
                let has = (0..=largest).collect();
                self.join(usize::from(relay % 2), dialect, can, has);
            }
            Operation::Leave { member } => {
                if let Some(id) = self.pick(*member) {
                    let client = self.clients.remove(&id).unwrap();
                    self.relays[client.relay].leave(client.connection, self.now);
                }
            }
            Operation::Lose { member, heard_ms } => {
                if let Some(id) = self.pick(*member) {
                    self.lose(id, Duration::from_millis((*heard_ms).into()));
                }
            }
            Operation::Resume { member } => {
                if let Some(id) = self.pick_any(*member) {
                    self.resume(id);
                }
            }
            Operation::Forge { member, forgery } => {
                if let Some(id) = self.pick_any(*member) {
                    self.forge(id, *forgery);
                }
            }
            Operation::Video {
                member,
                screen,
                sent,
                frames,
                keyframes,
                temporal,
                bytes,
            } => {
                if let Some(id) = self.pick(*member) {
                    let [sent, frames, keyframes] =
                        [sent, frames, keyframes].map(|bits| LayerSet::from_bits((*bits).into()));
                    for layer in sent.iter().filter(|layer| frames.contains(*layer)) {
                        let frame = Frame {
                            track: video(*screen),
                            layer,
                            sent,
                            keyframe: keyframes.contains(layer),
                            temporal: temporal % TEMPORAL_LAYERS,
                            bytes: *bytes,
                        };
                        self.film(id, frame);
                    }
                }
            }
            Operation::Sound {
                member,
                of_screen,
                level,
            } => {
                if let Some(id) = self.pick(*member) {
                    self.sound(id, sound(*of_screen), *level);
                }
            }
            Operation::Chorus { relay, level } => {
                let members = self.members_of(usize::from(relay % 2));
                let connected = members.filter(|client| client.absent_until.is_none());
                let connected: Vec<SessionId> = connected.map(|client| client.id).collect();
                for id in connected {
                    self.sound(id, Track::Microphone, *level);
                }
            }
            Operation::Heartbeat {
                member,
                camera,
                screen,
            } => {
                if let Some(id) = self.pick(*member) {
                    self.publish(id, *camera, *screen);
                }
            }
            Operation::AskKeyframe { member, of, screen } => {
                if let (Some(id), Some(of)) = (self.pick(*member), self.pick_any(*of)) {
                    let client = &self.clients[&id];
                    let target = match client.dialect {
                        Dialect::Native => KeyframeTarget::Track(TrackId {
                            session: of,
                            track: video(*screen),
                        }),
                        Dialect::Stock => {
                            KeyframeTarget::User(user(of.get()).parse().unwrap(), video(*screen))
                        }
                    };
                    let asked = self.relays[client.relay].request_keyframe(id, &target, self.now);
                    assert_eq!(asked.is_ok(), client.can.receive_media);
                }
            }
            Operation::Wish {
                member,
                others,
                shown,
            } => {
                if let Some(id) = self.pick(*member) {
                    let shown = shown.iter().filter_map(|shown| {
                        let of = self.pick_any(shown.of)?;
                        Some(((of, video(shown.screen)), shown.height.max(1).into()))
                    });
                    let wishes = Wishes {
                        shown: shown.collect(),
                        others: *others,
                    };
                    self.wish(id, wishes);
                }
            }
            Operation::Lack {
                member,
                of,
                of_screen,
                frames,
            } => {
                if let (Some(id), Some(of)) = (self.pick(*member), self.pick_any(*of)) {
                    self.lack(id, (of, sound(*of_screen)), frames % (MAX_REDUNDANCY + 1));
                }
            }
            Operation::Limit { member, bps } => {
                if let Some(id) = self.pick(*member) {
                    self.limit(id, *bps);
                }
            }
            Operation::Stray { member } => self.stray(*member),
            Operation::Load { relay, level } => {
                let level = match level % 5 {
                    0 => Level::Normal,
                    1 => Level::NoNewRooms,
                    4 => Level::AudioOnly,
                    cameras => Level::FewerVideos {
                        last_n: usize::from(cameras) - 1,
                    },
                };
                self.relays[usize::from(relay % 2)].set_level(level, self.now);
            }
            Operation::Wait { millis } => self.wait(Duration::from_millis((*millis).into())),
            Operation::Cut => self.connected = false,
            Operation::Mend => self.mend(),
        }
        self.carry_out();
    }

    /// One of those whose connection works.
    fn pick(&self, member: u8) -> Option<SessionId> {
        let connected = self.clients.values().filter(|c| c.absent_until.is_none());
        nth(connected.map(|client| client.id).collect(), member)
    }

    fn pick_any(&self, member: u8) -> Option<SessionId> {
        nth(self.clients.keys().copied().collect(), member)
    }

    // Coming and going.

    fn join(&mut self, relay: usize, dialect: Dialect, can: Capabilities, has: LayerSet) {
        let id = session(self.next_id);
        self.next_id += 1;
        let mut client = Client::new(id, relay, dialect, can);
        client.has = has;
        let new = client.enter(id);
        let members = self.members_of(relay).count();
        let joined = self.relays[relay].join(new, id, self.now);
        if members >= MAX_MEMBERS {
            assert!(matches!(joined, Err(JoinError::Full)));
            return;
        }
        joined.unwrap();
        self.clients.insert(id, client);
        if members >= LARGE_ABOVE && dialect == Dialect::Native {
            self.clients.get_mut(&id).unwrap().wishes = Wishes::nothing();
        } else if self.next_id > LARGE_ABOVE as u64 {
            // Its relay may take the room for large.
            self.wish(id, Wishes::everything());
        }
    }

    fn lose(&mut self, id: SessionId, silence: Duration) {
        let silence = silence.min(self.now - Timestamp::ZERO);
        let heard = Timestamp::from_micros(self.now.as_micros() - silence.as_micros() as u64);
        let client = self.clients.get_mut(&id).unwrap();
        let until = heard + self.policy.absence;
        self.relays[client.relay].lose(client.connection, heard, self.now);
        if client.dialect == Dialect::Native && until > self.now {
            client.absent_until = Some(until);
        } else {
            self.clients.remove(&id);
        }
    }

    /// Only native members do.
    fn resume(&mut self, id: SessionId) {
        let connection = session(self.next_id);
        let client = self.clients.get_mut(&id).unwrap();
        if client.dialect == Dialect::Stock {
            return;
        }
        self.next_id += 1;
        let (new, old) = (client.enter(connection), client.connection);
        client.resume(connection);
        let relay = client.relay;
        let resume = Resume {
            session: id,
            secret: secret(id),
        };
        let resumed = self.relays[relay].resume(new, &resume, connection, self.now);
        assert_eq!(resumed.map_err(|_| ()).unwrap(), old);
        self.carry_out();
        // The end of the old connection means nothing any more.
        self.relays[relay].lose(old, Timestamp::ZERO, self.now);
        self.relays[relay].leave(old, self.now);
        self.assert_silence();
    }

    fn forge(&mut self, id: SessionId, forgery: Forgery) {
        let connection = session(self.next_id);
        self.next_id += 1;
        let client = &self.clients[&id];
        let mut new = client.enter(connection);
        let mut resume = Resume {
            session: id,
            secret: secret(id),
        };
        match forgery {
            Forgery::Secret => resume.secret = secret(connection),
            Forgery::User => new.user = user(NOBODY).parse().unwrap(),
            Forgery::Session => resume.session = session(NOBODY),
        }
        let room = &mut self.relays[client.relay];
        let timeout = room.poll_timeout();
        assert!(room.resume(new, &resume, connection, self.now).is_err());
        assert_eq!(room.poll_timeout(), timeout);
        self.assert_silence();
    }

    /// Whoever has not come back in time has left.
    fn end_absences(&mut self) {
        let now = self.now;
        let is_here = |client: &Client| client.absent_until.is_none_or(|until| until > now);
        self.clients.retain(|_, client| is_here(client));
    }

    // What members say.

    fn publish(&mut self, id: SessionId, camera: bool, screen: bool) {
        let client = self.clients.get_mut(&id).unwrap();
        let video = [(Track::Camera, camera), (Track::Screen, screen)];
        let on = video.into_iter().filter(|(_, on)| *on);
        client.publishes = on.map(|(track, _)| track).collect();
        let mut metadata = HeartbeatMetadata::new();
        (metadata.video_enabled, metadata.screen_enabled) = (camera, screen);
        self.send(id, &state(id.get(), metadata));
    }

    /// Only native members can say what they show.
    fn wish(&mut self, id: SessionId, wishes: Wishes) {
        let client = self.clients.get_mut(&id).unwrap();
        if client.dialect == Dialect::Native {
            let wished = self.relays[client.relay].wish(id, wishes.clone(), self.now);
            assert_eq!(wished.is_ok(), client.can.receive_media);
            client.wish(wishes);
        }
    }

    /// Only native members can say what they lack.
    fn lack(&mut self, id: SessionId, sound: (SessionId, Track), frames: u8) {
        let client = self.clients.get_mut(&id).unwrap();
        if client.dialect == Dialect::Native {
            if frames == 0 {
                client.lacks.frames.remove(&sound);
            } else {
                client.lacks.frames.insert(sound, frames);
            }
            let lacked = self.relays[client.relay].lack(id, client.lacks.clone());
            assert_eq!(lacked.is_ok(), client.can.receive_media);
        }
    }

    fn limit(&mut self, id: SessionId, bps: Option<u32>) {
        let client = self.clients.get_mut(&id).unwrap();
        client.limit = bps.map(u64::from);
        client.was_limited = true;
        self.relays[client.relay].limit_downlink(id, client.limit, self.now);
    }

    /// Somebody who is a member of the other relay at best says all that there is to say.
    fn stray(&mut self, member: u8) {
        let id = self.pick(member);
        let relay = id.map_or(0, |id| 1 - self.clients[&id].relay);
        let now = self.now;
        let frame = Routing::new(Track::Microphone, 0, true);
        for id in id.into_iter().chain([session(NOBODY)]) {
            let room = &mut self.relays[relay];
            let packet = media(id, &frame, 0);
            assert_eq!(room.route(&packet, now).err(), Some(DropReason::NotMember));
            let target = KeyframeTarget::Track(TrackId {
                session: id,
                track: Track::Camera,
            });
            assert!(room.request_keyframe(id, &target, now).is_err());
            assert!(room.wish(id, Wishes::everything(), now).is_err());
            assert!(room.lack(id, Redundancy::default()).is_err());
            room.limit_downlink(id, Some(1), now);
            room.lose(id, now, now);
            room.leave(id, now);
        }
        let packet = media(session(NOBODY), &frame, 0);
        let routed = self.relays[relay].route_from_relay(&packet, now);
        assert_eq!(routed.err(), Some(DropReason::NotMember));
        self.assert_silence();
    }

    // What relays want done.

    fn mend(&mut self) {
        self.connected = true;
        for relay in &mut self.relays {
            relay.handle_bus_up();
        }
        self.carry_out();
    }

    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let next = self.relays.iter().map(Room::poll_timeout).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            self.now = self.now.max(next);
            for relay in &mut self.relays {
                if relay.poll_timeout() <= self.now {
                    relay.handle_timeout(self.now);
                    assert!(relay.poll_timeout() > self.now, "it spins");
                }
            }
            // Of several whose time is over at once, those who are given up last may be told of the first.
            self.carry_out();
            self.end_absences();
        }
        self.now = end;
    }

    fn carry_out(&mut self) {
        let mut commands = 0;
        let mut is_busy = true;
        while is_busy {
            is_busy = false;
            for relay in 0..2 {
                while let Some(command) = self.relays[relay].poll_command() {
                    is_busy = true;
                    commands += 1;
                    self.carry_out_one(relay, command);
                }
            }
        }
        let most = 100 + 50 * self.clients.len();
        assert!(commands <= most, "{commands} commands at once");
    }

    fn carry_out_one(&mut self, relay: usize, command: Command) {
        match command {
            Command::Send { to, forward } => {
                assert_eq!(to.iter().collect::<BTreeSet<_>>().len(), to.len());
                for id in to {
                    self.receive(relay, id, &forward.packet);
                }
            }
            Command::Forget(session) => {
                self.voices[relay].remove(&session);
                self.members_of(relay)
                    .for_each(|client| client.forget(session));
            }
            Command::Want { session, wanted } => {
                let client = self.clients.get_mut(&session).unwrap();
                assert_eq!(client.relay, relay);
                assert_ne!(client.wanted, wanted, "{session} hears no news");
                let exceeds = |wanted| client.limit.is_some_and(|limit| wanted > limit);
                assert!(wanted.is_none_or(exceeds), "{session} wants {wanted:?}");
                client.wanted = wanted;
            }
            Command::Publish(event) if self.connected => {
                self.relays[1 - relay]
                    .handle_bus_event(&event, self.now)
                    .unwrap();
            }
            Command::Publish(_) => {}
        }
    }

    fn receive(&mut self, relay: usize, to: SessionId, packet: &Packet) {
        let header = PacketHeader::parse(&packet.to_bytes()).unwrap();
        // Somebody who has left gets nothing.
        let client = self.clients.get_mut(&to).unwrap();
        assert_eq!(client.relay, relay);
        client.receive(&header);
        if matches!(
            header.kind,
            Ok(PacketKind::MEDIA | PacketKind::KEYFRAME_REQUEST)
        ) {
            let before = self.asked.insert((to, header.data), self.now);
            let interval = self.policy.keyframe_interval;
            assert!(
                before.is_none_or(|before| self.now - before >= interval),
                "{to} was asked too often"
            );
        }
    }

    fn assert_silence(&mut self) {
        for relay in &mut self.relays {
            assert_eq!(relay.poll_command(), None);
        }
    }

    fn members_of(&mut self, relay: usize) -> impl Iterator<Item = &mut Client> {
        let clients = self.clients.values_mut();
        clients.filter(move |client| client.relay == relay)
    }
}

fn nth(ids: Vec<SessionId>, index: u8) -> Option<SessionId> {
    let index = usize::from(index).checked_rem(ids.len())?;
    ids.get(index).copied()
}

const fn video(screen: bool) -> Track {
    if screen { Track::Screen } else { Track::Camera }
}

const fn sound(of_screen: bool) -> Track {
    if of_screen {
        Track::ScreenAudio
    } else {
        Track::Microphone
    }
}
