//! Two relays of one room on a bus that may fail, under random input: what always holds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::support::{heartbeat, media, session, user, wishes};
use proptest::prelude::*;
use protobuf::Message as _;
use relay_core::ingress::{KeyframeTarget, from_relay};
use relay_core::policy::RoomPolicy;
use relay_core::{Command, Content, Dialect, NewMember, Room, TrackId};
use videocall_types::claims::Capabilities;
use videocall_types::layers::layer_for;
use videocall_types::proto::control::{Demand, Presence};
use videocall_types::proto::meeting_packet::MeetingPacket;
use videocall_types::proto::meeting_packet::meeting_packet::MeetingEventType;
use videocall_types::{
    Bytes, DisplayName, LayerSet, Packet, PacketHeader, PacketKind, Resume, ResumeSecret, ServerId,
    SessionId, Timestamp, Track, TrackDemand, Wishes,
};

#[derive(Clone, Debug)]
enum Operation {
    Join {
        relay: usize,
        stock: bool,
        receive_media: bool,
    },
    /// The member at this position of all, modulo their number.
    Leave {
        member: usize,
    },
    /// Comes back over another connection; `lost`: the relay knew that the old one was gone.
    Resume {
        member: usize,
        lost: bool,
    },
    Media {
        member: usize,
        track: Track,
        keyframe: bool,
    },
    Heartbeat {
        member: usize,
        camera: bool,
    },
    AskKeyframe {
        member: usize,
        of: usize,
    },
    Wish {
        member: usize,
        others: bool,
        of: usize,
        height: u32,
    },
    Wait {
        millis: u64,
    },
    Cut,
    Mend,
}

fn operation() -> impl Strategy<Value = Operation> {
    let member = 0..16usize;
    prop_oneof![
        4 => (0..2usize, any::<bool>(), prop::bool::weighted(0.8))
            .prop_map(|(relay, stock, receive_media)| Operation::Join { relay, stock, receive_media }),
        2 => member.clone().prop_map(|member| Operation::Leave { member }),
        1 => (member.clone(), any::<bool>()).prop_map(|(member, lost)| Operation::Resume { member, lost }),
        8 => (member.clone(), prop::sample::select(Track::ALL.to_vec()), any::<bool>())
            .prop_map(|(member, track, keyframe)| Operation::Media { member, track, keyframe }),
        3 => (member.clone(), any::<bool>()).prop_map(|(member, camera)| Operation::Heartbeat { member, camera }),
        2 => (member.clone(), member.clone()).prop_map(|(member, of)| Operation::AskKeyframe { member, of }),
        3 => (member.clone(), any::<bool>(), member, prop::sample::select(vec![180, 720]))
            .prop_map(|(member, others, of, height)| Operation::Wish { member, others, of, height }),
        4 => (0..3000u64).prop_map(|millis| Operation::Wait { millis }),
        1 => Just(Operation::Cut),
        1 => Just(Operation::Mend),
    ]
}

fn secret(session: SessionId) -> ResumeSecret {
    ResumeSecret::new([session.get() as u8; 16])
}

/// A session and what it was told.
struct Client {
    relay: usize,
    dialect: Dialect,
    receive_media: bool,
    connection: SessionId,
    present: BTreeMap<SessionId, bool>,
    camera: bool,
    wishes: Wishes,
    /// What it was told that others get of its camera.
    demand: LayerSet,
    /// Video tracks of which it has had a keyframe since it shows them.
    has: BTreeSet<(SessionId, Track)>,
}

struct World {
    now: Timestamp,
    relays: [Room<SessionId>; 2],
    clients: BTreeMap<SessionId, Client>,
    connected: bool,
    next_id: u64,
    sequence: u64,
    /// When each publisher was asked for a keyframe the last time.
    asked: BTreeMap<(SessionId, String), Timestamp>,
}

impl World {
    fn new() -> Self {
        let now = Timestamp::from_millis(1);
        let relay = |id| {
            Room::new(
                "standup".parse().unwrap(),
                ServerId(id),
                RoomPolicy::default(),
                0,
                now,
            )
        };
        let mut world = Self {
            now,
            relays: [relay(1), relay(2)],
            clients: BTreeMap::new(),
            connected: true,
            next_id: 1,
            sequence: 0,
            asked: BTreeMap::new(),
        };
        world.mend();
        world
    }

    fn apply(&mut self, operation: &Operation) {
        match *operation {
            Operation::Join {
                relay,
                stock,
                receive_media,
            } => self.join(relay, stock, receive_media),
            Operation::Leave { member } => {
                if let Some(id) = self.pick(member) {
                    let client = self.clients.remove(&id).unwrap();
                    self.relays[client.relay].leave(client.connection, self.now);
                }
            }
            Operation::Resume { member, lost } => {
                if let Some(id) = self.pick(member) {
                    self.resume(id, lost);
                }
            }
            Operation::Media {
                member,
                track,
                keyframe,
            } => {
                if let Some(id) = self.pick(member) {
                    self.sequence += 1;
                    self.send(id, &media(id.get(), track, self.sequence, keyframe));
                }
            }
            Operation::Heartbeat { member, camera } => {
                if let Some(id) = self.pick(member) {
                    self.clients.get_mut(&id).unwrap().camera = camera;
                    self.send(id, &heartbeat(id.get(), camera, false));
                }
            }
            Operation::AskKeyframe { member, of } => {
                if let (Some(id), Some(of)) = (self.pick(member), self.pick(of)) {
                    let target = KeyframeTarget::Track(TrackId {
                        session: of,
                        track: Track::Camera,
                    });
                    let relay = &mut self.relays[self.clients[&id].relay];
                    assert_eq!(
                        relay.request_keyframe(id, &target, self.now).is_ok(),
                        self.clients[&id].receive_media
                    );
                }
            }
            Operation::Wish {
                member,
                others,
                of,
                height,
            } => {
                if let (Some(id), Some(of)) = (self.pick(member), self.pick(of)) {
                    self.wish(id, wishes(others, &[(of.get(), height)]));
                }
            }
            Operation::Wait { millis } => self.wait(millis),
            Operation::Cut => self.connected = false,
            Operation::Mend => self.mend(),
        }
        self.carry_out();
    }

    fn pick(&self, member: usize) -> Option<SessionId> {
        self.clients
            .keys()
            .nth(member % self.clients.len().max(1))
            .copied()
    }

    fn join(&mut self, relay: usize, stock: bool, receive_media: bool) {
        let id = session(self.next_id);
        let (dialect, name) = (
            if stock {
                Dialect::Stock
            } else {
                Dialect::Native
            },
            user(self.next_id),
        );
        self.next_id += 1;
        let can = Capabilities {
            receive_media,
            ..Capabilities::default()
        };
        let new = NewMember {
            session: id,
            user: name.parse().unwrap(),
            name: DisplayName::new(&name),
            dialect,
            can,
            secret: Some(secret(id)),
        };
        self.clients.insert(
            id,
            Client {
                relay,
                dialect,
                receive_media,
                connection: id,
                present: BTreeMap::new(),
                camera: false,
                wishes: Wishes::everything(),
                demand: LayerSet::full(Track::Camera),
                has: BTreeSet::new(),
            },
        );
        self.relays[relay].join(new, id, self.now).unwrap();
    }

    /// Only native members do.
    fn resume(&mut self, id: SessionId, lost: bool) {
        let connection = session(self.next_id);
        let client = self.clients.get_mut(&id).unwrap();
        if client.dialect == Dialect::Stock {
            return;
        }
        self.next_id += 1;
        let room = &mut self.relays[client.relay];
        if lost {
            room.lose(client.connection, self.now, self.now);
        }
        let name = user(id.get());
        let new = NewMember {
            session: connection,
            user: name.parse().unwrap(),
            name: DisplayName::new(&name),
            dialect: Dialect::Native,
            can: Capabilities {
                receive_media: client.receive_media,
                ..Capabilities::default()
            },
            secret: Some(secret(connection)),
        };
        let resume = Resume {
            session: id,
            secret: secret(id),
        };
        room.resume(new, &resume, id, self.now).unwrap();
        client.connection = connection;
        client.present.clear();
        client.demand = LayerSet::full(Track::Camera);
        client.has.clear();
    }

    /// Only native members can say what they show.
    fn wish(&mut self, id: SessionId, wishes: Wishes) {
        let client = self.clients.get_mut(&id).unwrap();
        if client.dialect == Dialect::Native && client.receive_media {
            client.has.retain(|(id, track)| wishes.want(*id, *track));
            client.wishes = wishes.clone();
            self.relays[client.relay]
                .wish(id, wishes, self.now)
                .unwrap();
        }
    }

    fn mend(&mut self) {
        self.connected = true;
        for relay in &mut self.relays {
            relay.handle_bus_up();
        }
        self.carry_out();
    }

    fn wait(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(next) = self
            .relays
            .iter()
            .map(Room::poll_timeout)
            .min()
            .filter(|next| *next <= end)
        {
            self.now = self.now.max(next);
            for relay in &mut self.relays {
                if relay.poll_timeout() <= self.now {
                    relay.handle_timeout(self.now);
                }
            }
            self.carry_out();
        }
        self.now = end;
    }

    /// Routes on the sender's relay and, over the bus, on the other one.
    fn send(&mut self, from: SessionId, forward: &relay_core::Forward) {
        let home = self.clients[&from].relay;
        let route = self.relays[home].route(forward, self.now).unwrap();
        let (receivers, to_bus): (Vec<_>, _) =
            (route.receivers().map(|(id, _)| id).collect(), route.to_bus);
        self.check_receivers(from, home, &forward.content, &receivers);
        self.carry_out();
        if to_bus && self.connected {
            let forward = from_relay(forward.packet.to_bytes()).unwrap();
            // A relay that was cut off may not know of the sender yet.
            if let Ok(route) = self.relays[1 - home].route_from_relay(&forward, self.now) {
                assert!(!route.to_bus);
                let receivers: Vec<_> = route.receivers().map(|(id, _)| id).collect();
                self.check_receivers(from, 1 - home, &forward.content, &receivers);
            }
        }
    }

    /// Everybody of this relay who may get it does, once, and never the sender; but video only from a keyframe on.
    fn check_receivers(
        &mut self,
        from: SessionId,
        relay: usize,
        content: &Content,
        receivers: &[SessionId],
    ) {
        let may = |id: &SessionId, client: &Client| {
            *id != from
                && client.relay == relay
                && match content {
                    Content::Heartbeat { .. } => client.dialect == Dialect::Stock,
                    Content::Media(routing) => {
                        client.receive_media
                            && (client.dialect == Dialect::Native
                                || routing.track != Track::ScreenAudio)
                            && (routing.track.is_audio()
                                || client.wishes.height(from, routing.track).is_some())
                    }
                    Content::Control | Content::StockOnly => unreachable!(),
                }
        };
        let expected: Vec<_> = self
            .clients
            .iter()
            .filter(|(id, c)| may(id, c))
            .map(|(id, _)| *id)
            .collect();
        let Content::Media(routing) = content else {
            return assert_eq!(receivers, expected);
        };
        if routing.track.is_audio() || routing.keyframe {
            assert_eq!(receivers, expected);
        }
        let key = (from, routing.track);
        let is_local = self.clients[&from].relay == relay;
        for id in expected {
            let client = self.clients.get_mut(&id).unwrap();
            let gets = receivers.contains(&id);
            if routing.keyframe {
                client.has.insert(key);
            } else if !routing.track.is_audio() {
                assert!(client.has.contains(&key) || !gets, "{id} can't decode it");
                // A relay may have taken a member of another one for gone.
                assert!(gets || !is_local || !client.has.contains(&key));
            }
        }
        assert!(receivers.iter().all(|id| self.clients.contains_key(id)));
    }

    fn carry_out(&mut self) {
        let mut is_busy = true;
        while is_busy {
            is_busy = false;
            for relay in 0..2 {
                while let Some(command) = self.relays[relay].poll_command() {
                    is_busy = true;
                    match command {
                        Command::Send { to, forward } => {
                            for id in to {
                                self.receive(relay, id, &forward.packet);
                            }
                        }
                        Command::Forget(_) | Command::Want { .. } => {}
                        Command::Publish(event) if self.connected => {
                            self.relays[1 - relay]
                                .handle_bus_event(&event, self.now)
                                .unwrap();
                        }
                        Command::Publish(_) => {}
                    }
                }
            }
        }
    }

    fn receive(&mut self, relay: usize, to: SessionId, packet: &Packet) {
        let header = PacketHeader::parse(&packet.to_bytes()).unwrap();
        // Somebody who has left gets nothing.
        let client = self.clients.get_mut(&to).unwrap();
        assert_eq!(client.relay, relay);
        match (client.dialect, header.kind.unwrap()) {
            (_, PacketKind::SESSION_ASSIGNED) => assert_eq!(header.session_id, Some(to)),
            (Dialect::Stock, PacketKind::MEDIA)
            | (Dialect::Native, PacketKind::KEYFRAME_REQUEST) => {
                self.check_interval(to, &header.data)
            }
            (Dialect::Native, PacketKind::SPEAKERS) => {}
            (Dialect::Native, PacketKind::DEMAND) => client.learn_demand(&header.data),
            (Dialect::Native, PacketKind::PRESENCE) => client.learn_presence(to, &header.data),
            (Dialect::Stock, PacketKind::MEETING) => client.learn_meeting(to, &header.data),
            (_, other) => panic!("{to} got {other:?}"),
        }
    }

    fn check_interval(&mut self, publisher: SessionId, request: &Bytes) {
        let before = self
            .asked
            .insert((publisher, format!("{request:?}")), self.now);
        let interval = RoomPolicy::default().keyframe_interval;
        assert!(
            before.is_none_or(|before| self.now - before >= interval),
            "{publisher} was asked too often"
        );
    }

    /// With the bus up and time to speak, everybody knows everybody, and nobody else; and each camera how much of it is shown.
    fn check_convergence(&mut self) {
        self.mend();
        self.wait(10_000);
        for (id, client) in &self.clients {
            if client.camera && client.dialect == Dialect::Native {
                let others = self
                    .clients
                    .iter()
                    .filter(|(other, c)| *other != id && c.receive_media);
                let shown = others.filter_map(|(_, c)| c.wishes.height(*id, Track::Camera));
                let layers: LayerSet = shown
                    .map(|height| layer_for(Track::Camera, height))
                    .collect();
                assert_eq!(client.demand, layers, "of {id}");
            }
        }
        for (id, client) in &self.clients {
            let known: BTreeSet<_> = client.present.keys().copied().collect();
            let others: BTreeSet<_> = self
                .clients
                .keys()
                .copied()
                .filter(|other| other != id)
                .collect();
            assert_eq!(known, others, "as {id} knows it");
        }
    }
}

impl Client {
    fn learn_demand(&mut self, data: &Bytes) {
        for demand in Demand::parse_from_tokio_bytes(data).unwrap().tracks {
            let TrackDemand { track, layers } = TrackDemand::from_wire(&demand).unwrap();
            if track == Track::Camera {
                self.demand = layers;
            }
        }
    }

    fn learn_presence(&mut self, me: SessionId, data: &Bytes) {
        let presence = Presence::parse_from_tokio_bytes(data).unwrap();
        assert!(!presence.snapshot || self.present.is_empty());
        for participant in &presence.participants {
            self.present
                .insert(session(participant.session_id), participant.state.camera);
        }
        for left in &presence.left {
            assert!(
                self.present.remove(&session(*left)).is_some(),
                "{me} hears that {left} left, but not that it came"
            );
        }
        assert!(!self.present.contains_key(&me));
    }

    fn learn_meeting(&mut self, me: SessionId, data: &Bytes) {
        let event = MeetingPacket::parse_from_tokio_bytes(data).unwrap();
        match event.event_type.unwrap() {
            MeetingEventType::MEETING_STARTED => {}
            MeetingEventType::PARTICIPANT_JOINED => {
                let news = self
                    .present
                    .insert(session(event.session_id), false)
                    .is_none();
                assert!(
                    news && event.session_id != me.get(),
                    "{me} hears twice of {}",
                    event.session_id
                );
            }
            MeetingEventType::PARTICIPANT_LEFT => {
                assert!(self.present.remove(&session(event.session_id)).is_some());
            }
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn rooms_keep_their_promises(operations in prop::collection::vec(operation(), 1..120)) {
        let mut world = World::new();
        for operation in &operations {
            world.apply(operation);
        }
        world.check_convergence();
    }
}
