//! A member as it sees the room.

use std::collections::{BTreeMap, BTreeSet};

use protobuf::Message as _;
use relay_core::{Content, Dialect, NewMember, TrackId};
use videocall_types::claims::Capabilities;
use videocall_types::limits::MAX_REDUNDANCY;
use videocall_types::proto::control::{self as wire, Demand, KeyframeRequest, Presence, Speakers};
use videocall_types::proto::media_packet::MediaPacket;
use videocall_types::proto::media_packet::media_packet::MediaType;
use videocall_types::proto::meeting_packet::MeetingPacket;
use videocall_types::proto::meeting_packet::meeting_packet::MeetingEventType;
use videocall_types::{
    Bytes, DisplayName, LayerSet, PacketHeader, PacketKind, Redundancy, Routing, SessionId,
    Timestamp, Track, TrackDemand, Wishes,
};

use super::LOUDEST;
use super::packets::{secret, session, user};
use super::source::Source;

/// A session, what it does and what it was told.
pub(crate) struct Client {
    pub(crate) id: SessionId,
    pub(crate) relay: usize,
    pub(crate) dialect: Dialect,
    pub(crate) can: Capabilities,
    pub(crate) connection: SessionId,
    /// Until when the relay waits for it, if the connection is lost.
    pub(crate) absent_until: Option<Timestamp>,

    /// The video tracks that it says to publish.
    pub(crate) publishes: BTreeSet<Track>,
    /// The layers that it can encode.
    pub(crate) has: LayerSet,
    pub(crate) sources: BTreeMap<Track, Source>,
    demand: BTreeMap<Track, LayerSet>,
    pub(crate) repeats: Redundancy,

    pub(crate) wishes: Wishes,
    pub(crate) lacks: Redundancy,
    /// In bits per second.
    pub(crate) limit: Option<u64>,
    /// Since the connection began.
    pub(crate) was_limited: bool,
    pub(crate) wanted: Option<u64>,
    /// The video tracks that others publish, by session, as far as it hears of that.
    pub(crate) present: BTreeMap<SessionId, BTreeSet<Track>>,
    pictures: BTreeMap<TrackId, Picture>,
    /// Tracks of which frames have not come as far as its room, or were withheld by it, since the last keyframe.
    gaps: BTreeSet<TrackId>,
}

/// What a decoder has.
struct Picture {
    layer: u8,
    /// Since the last keyframe.
    decoded: BTreeSet<u64>,
    capture_time_us: u64,
    /// When the last frame was decoded.
    shown: Timestamp,
}

impl Client {
    pub(crate) fn new(id: SessionId, relay: usize, dialect: Dialect, can: Capabilities) -> Self {
        Self {
            id,
            relay,
            dialect,
            can,
            connection: id,
            absent_until: None,
            publishes: BTreeSet::new(),
            has: LayerSet::only(0),
            sources: BTreeMap::new(),
            demand: BTreeMap::new(),
            repeats: Redundancy::default(),
            wishes: Wishes::everything(),
            lacks: Redundancy::default(),
            limit: None,
            was_limited: false,
            wanted: None,
            present: BTreeMap::new(),
            pictures: BTreeMap::new(),
            gaps: BTreeSet::new(),
        }
    }

    /// Enters the room over `connection`.
    pub(crate) fn enter(&self, connection: SessionId) -> NewMember {
        let name = user(self.id.get());
        NewMember {
            session: connection,
            user: name.parse().unwrap(),
            name: DisplayName::new(&name),
            dialect: self.dialect,
            can: self.can,
            secret: (self.dialect == Dialect::Native).then(|| secret(connection)),
        }
    }

    /// It goes on over another connection: what it publishes and wishes stays, what it was told is told anew.
    pub(crate) fn resume(&mut self, connection: SessionId) {
        self.connection = connection;
        self.absent_until = None;
        self.demand.clear();
        self.repeats = Redundancy::default();
        self.lacks = Redundancy::default();
        (self.limit, self.was_limited, self.wanted) = (None, false, None);
        self.present.clear();
        self.pictures.clear();
        self.gaps.clear();
    }

    pub(crate) fn wish(&mut self, wishes: Wishes) {
        self.pictures
            .retain(|track, _| wishes.want(track.session, track.track));
        self.gaps
            .retain(|track| wishes.want(track.session, track.track));
        self.wishes = wishes;
    }

    /// The layers that it shall send of a video track.
    pub(crate) fn demand(&self, track: Track) -> LayerSet {
        let told = self.demand.get(&track).copied();
        told.unwrap_or_else(|| LayerSet::full(track))
    }

    /// The layers that it sends if it does as it was told.
    pub(crate) fn due_layers(&self, track: Track) -> LayerSet {
        let demand = self.demand(track);
        let layers = demand.iter();
        layers.filter_map(|layer| self.has.serving(layer)).collect()
    }

    /// Whether it gets this of somebody else, or what of it makes one picture.
    pub(crate) fn may_get(&self, from: SessionId, content: &Content) -> bool {
        match content {
            Content::Heartbeat { .. } => self.dialect == Dialect::Stock,
            Content::Media(routing) => {
                self.can.receive_media
                    && (self.dialect == Dialect::Native || routing.track != Track::ScreenAudio)
                    && (routing.track.is_audio() || self.wishes.want(from, routing.track))
            }
            Content::Control | Content::StockOnly => unreachable!(),
        }
    }

    // What comes.

    /// The room has a frame of a track. True: it is time to ask for a keyframe, because one before it was missed.
    pub(crate) fn watch(
        &mut self,
        track: TrackId,
        frame: &Routing,
        gets: bool,
        now: Timestamp,
    ) -> bool {
        let has_gap = self.gaps.contains(&track);
        let picture = self.pictures.get_mut(&track);
        let picture = picture.filter(|picture| picture.layer == frame.spatial_layer);
        if !gets {
            if picture.is_some() && !has_gap {
                assert!(
                    self.was_limited,
                    "{} misses {frame:?} of {track:?}",
                    self.id
                );
                if frame.temporal_layer == 0 {
                    self.pictures.remove(&track);
                }
            }
            return false;
        }
        if frame.keyframe {
            self.begin(track, frame, now);
            return false;
        }
        let reference = frame.sequence.checked_sub(frame.reference.into());
        if let Some(picture) = picture {
            if reference.is_some_and(|reference| picture.decoded.contains(&reference)) {
                assert!(frame.capture_time_us >= picture.capture_time_us);
                picture.decoded.insert(frame.sequence);
                picture.capture_time_us = frame.capture_time_us;
                picture.shown = now;
                return false;
            }
            if frame.temporal_layer > 0 {
                // What it refers to may have been left out. The queue drops it.
                return false;
            }
        }
        assert!(has_gap, "{} can't decode {frame:?} of {track:?}", self.id);
        frame.temporal_layer == 0
    }

    fn begin(&mut self, track: TrackId, frame: &Routing, now: Timestamp) {
        let picture = Picture {
            layer: frame.spatial_layer,
            decoded: [frame.sequence].into(),
            capture_time_us: frame.capture_time_us,
            shown: now,
        };
        self.gaps.remove(&track);
        if let Some(before) = self.pictures.insert(track, picture) {
            assert!(frame.capture_time_us >= before.capture_time_us);
        }
    }

    /// A frame does not come as far as its room, which so goes on without.
    pub(crate) fn miss(&mut self, track: TrackId, frame: &Routing) {
        let picture = self.pictures.get(&track);
        if picture.is_some_and(|picture| picture.layer == frame.spatial_layer) {
            self.gaps.insert(track);
        }
    }

    /// Its room withholds frames of a track.
    pub(crate) fn interrupt(&mut self, track: TrackId) {
        if self.wishes.want(track.session, track.track) {
            self.gaps.insert(track);
        }
    }

    /// Its relay takes `session` for gone.
    pub(crate) fn forget(&mut self, session: SessionId) {
        self.pictures.retain(|track, _| track.session != session);
        self.gaps.retain(|track| track.session != session);
    }

    /// The layer of a track that has moved since `since`.
    pub(crate) fn shows(&self, track: TrackId, since: Timestamp) -> Option<u8> {
        let picture = self.pictures.get(&track);
        let moving = picture.filter(|picture| picture.shown >= since);
        moving.map(|picture| picture.layer)
    }

    /// The relay says something.
    pub(crate) fn receive(&mut self, header: &PacketHeader) {
        let (me, data) = (self.id, &header.data);
        match (self.dialect, header.kind.unwrap()) {
            (_, PacketKind::SESSION_ASSIGNED) => assert_eq!(header.session_id, Some(me)),
            (Dialect::Stock, PacketKind::MEDIA) => self.learn_stock_request(data),
            (Dialect::Stock, PacketKind::MEETING) => self.learn_meeting(data),
            (Dialect::Native, PacketKind::KEYFRAME_REQUEST) => self.learn_request(data),
            (Dialect::Native, PacketKind::DEMAND) => self.learn_demand(data),
            (Dialect::Native, PacketKind::SPEAKERS) => learn_speakers(data),
            (Dialect::Native, PacketKind::REDUNDANCY) => self.learn_redundancy(data),
            (Dialect::Native, PacketKind::PRESENCE) => self.learn_presence(data),
            (_, other) => panic!("{me} got {other:?}"),
        }
    }

    fn learn_stock_request(&mut self, data: &Bytes) {
        let media = MediaPacket::parse_from_tokio_bytes(data).unwrap();
        assert_eq!(media.media_type.unwrap(), MediaType::KEYFRAME_REQUEST);
        let track = match media.data.as_ref() {
            b"SCREEN" => Track::Screen,
            _ => Track::Camera,
        };
        self.sources.entry(track).or_default().asked = LayerSet::only(0);
    }

    fn learn_request(&mut self, data: &Bytes) {
        let request = KeyframeRequest::parse_from_tokio_bytes(data).unwrap();
        assert_eq!(request.session_id, self.id.get());
        let track = Track::from_wire(request.track.unwrap()).unwrap();
        let layer = request.spatial_layer as u8;
        // Without the layer it makes a keyframe of what it sends in its place.
        let source = self.sources.entry(track).or_default();
        let layer = source.sent.serving(layer).unwrap_or(layer);
        source.asked = source.asked.union(LayerSet::only(layer));
    }

    fn learn_demand(&mut self, data: &Bytes) {
        for demand in Demand::parse_from_tokio_bytes(data).unwrap().tracks {
            let TrackDemand { track, layers } = TrackDemand::from_wire(&demand).unwrap();
            assert_ne!(layers, self.demand(track), "{} hears no news", self.id);
            self.demand.insert(track, layers);
        }
    }

    fn learn_redundancy(&mut self, data: &Bytes) {
        let message = wire::Redundancy::parse_from_tokio_bytes(data).unwrap();
        for track in &message.tracks {
            assert_eq!(track.session_id, self.id.get());
            assert!(track.frames <= MAX_REDUNDANCY.into());
        }
        let repeats = Redundancy::from_wire(&message).unwrap();
        assert_ne!(repeats, self.repeats, "{} hears no news", self.id);
        self.repeats = repeats;
    }

    fn learn_presence(&mut self, data: &Bytes) {
        let presence = Presence::parse_from_tokio_bytes(data).unwrap();
        assert!(!presence.snapshot || self.present.is_empty());
        for participant in &presence.participants {
            let video = [
                (Track::Camera, participant.state.camera),
                (Track::Screen, participant.state.screen),
            ];
            let tracks = video.into_iter().filter(|(_, on)| *on);
            let tracks = tracks.map(|(track, _)| track).collect();
            self.present.insert(session(participant.session_id), tracks);
        }
        for left in &presence.left {
            assert!(
                self.present.remove(&session(*left)).is_some(),
                "{} hears that {left} left, but not that it came",
                self.id
            );
        }
        assert!(!self.present.contains_key(&self.id));
    }

    fn learn_meeting(&mut self, data: &Bytes) {
        let event = MeetingPacket::parse_from_tokio_bytes(data).unwrap();
        match event.event_type.unwrap() {
            MeetingEventType::MEETING_STARTED => {}
            MeetingEventType::PARTICIPANT_JOINED => {
                let other = session(event.session_id);
                let news = self.present.insert(other, BTreeSet::new()).is_none();
                assert!(
                    news && other != self.id,
                    "{} hears twice of {other}",
                    self.id
                );
            }
            MeetingEventType::PARTICIPANT_LEFT => {
                assert!(self.present.remove(&session(event.session_id)).is_some());
            }
            other => panic!("{other:?}"),
        }
    }
}

/// So many at most, and each once.
fn learn_speakers(data: &Bytes) {
    let speakers = Speakers::parse_from_tokio_bytes(data).unwrap().session_ids;
    let once = BTreeSet::from_iter(&speakers);
    assert!(
        speakers.len() <= LOUDEST && once.len() == speakers.len(),
        "{speakers:?}"
    );
}
