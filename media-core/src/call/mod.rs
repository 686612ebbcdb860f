//! The client: one [`Call`] from joining a meeting to leaving it, over any number of connections.

mod arrival;
mod audio;
mod behind;
mod config;
mod encoding;
mod heartbeat;
mod jitter;
mod lack;
mod link;
mod outbox;
mod pack;
mod pending;
mod picture;
mod publish;
mod race;
mod random;
mod receive;
mod reconnect;
mod repeat;
mod roster;
mod session;
mod source;
mod stats;
mod unpack;
mod uplink;
mod watchdog;
mod wishes;

pub use config::Config;

use bytes::Bytes;
use videocall_types::proto::control::Presence;
use videocall_types::{ResumeSecret, SessionId, Timestamp, Track};

use crate::command::{Command, TransportId};
use crate::event::{Connection, EndReason, Event};
use crate::input::Input;
use link::{Assigned, Change, Link};
use outbox::Outbox;
use pending::Pending;
use publish::Publisher;
use receive::Receivers;
use roster::{Difference, Roster};
use session::{Health, Session};
use unpack::Inbound;

/// A client's part in one meeting. The crate's documentation says how to drive it.
pub struct Call {
    link: Link,
    /// There while connected.
    session: Option<Session>,
    publisher: Publisher,
    roster: Roster,
    receivers: Receivers,
    pending: Pending,
    out: Outbox,
}

impl Call {
    /// A call that waits for [`Input::Join`]. `seed` spreads the retries of many clients.
    #[must_use]
    pub fn new(config: Config, seed: u64) -> Self {
        Self {
            publisher: Publisher::new(config.cores),
            link: Link::new(config, seed),
            session: None,
            roster: Roster::default(),
            receivers: Receivers::default(),
            pending: Pending::default(),
            out: Outbox::default(),
        }
    }

    /// Something happened. `now` never goes back.
    pub fn handle(&mut self, input: Input, now: Timestamp) {
        debug_assert!(
            self.out.is_empty(),
            "commands of the last input are still to be carried out"
        );
        if self.link.is_ended() {
            return;
        }
        let out = &mut self.out;
        match input {
            Input::Join => self.link.join(now, out),
            Input::Leave => self.end(EndReason::Left),
            Input::ConfigFetched(server) => self.link.config_fetched(server, now, out),
            Input::TransportOpened(id) => self.link.opened(id, now, out),
            Input::TransportClosed { id, code } => self.transport_closed(id, code, now),
            Input::PacketReceived { id, packet } => self.packet_received(id, &packet, now),
            Input::Publishing { track, on } => {
                let changed = self.publisher.set(track, on, out);
                self.tell_uplink(now);
                self.announce(changed, now);
            }
            Input::Wishes(wishes) => self.receivers.wish(wishes, now, out),
            Input::Speaking(speaking) => {
                let changed = self.publisher.set_speaking(speaking);
                self.announce(changed, now);
            }
            Input::PictureSize { track, height } => {
                self.publisher.picture_size(track, height, now, out);
                self.tell_uplink(now);
            }
            Input::EncodersTooSlow(track) => {
                self.publisher.too_slow(track, now, out);
                self.tell_uplink(now);
            }
            Input::Waiting(bytes) => {
                if let Some(session) = &mut self.session {
                    session.uplink.waiting(bytes);
                }
            }
            Input::FrameEncoded(frame) => {
                if let Some(session) = &mut self.session {
                    session.uplink.media(now);
                    self.publisher.send(frame, now, out);
                }
            }
            Input::DecoderFailed { session, track } => {
                self.receivers.decoder_failed(session, track, now, out)
            }
            Input::FrameShown { session, track } => {
                self.receivers.frame_shown(session, track, now, out)
            }
            Input::NetworkBack => {
                self.link.network_back(now, out);
                if let Some(session) = &mut self.session {
                    session.doubt(now, out);
                }
            }
        }
    }

    /// The moment of [`poll_timeout`](Self::poll_timeout) has come. Harmless when it has not.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        debug_assert!(
            self.out.is_empty(),
            "commands of the last input are still to be carried out"
        );
        let out = &mut self.out;
        self.link.handle_timeout(now, out);
        if let Some(session) = &mut self.session {
            let health =
                session.handle_timeout(self.publisher.state(), &mut self.receivers, now, out);
            if health == Health::Dead {
                self.disconnected();
                return self.link.silent(now, &mut self.out);
            }
            if health == Health::Doubtful {
                self.link.doubt(now, out);
            }
            if session.uplink.handle_timeout(now, out) {
                self.limit_changed(now);
            }
            let out = &mut self.out;
            self.publisher.handle_timeout(now, out);
            self.receivers.handle_timeout(now, out);
        }
    }

    /// What to do next; `None`: nothing until the next input or timeout.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.out.pop()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let link = self.link.poll_timeout();
        let Some(session) = &self.session else {
            return link;
        };
        let others = [
            Some(session.poll_timeout()),
            self.publisher.poll_timeout(),
            self.receivers.poll_timeout(),
        ];
        others.into_iter().flatten().chain(link).min()
    }

    fn transport_closed(&mut self, id: TransportId, code: Option<u16>, now: Timestamp) {
        match self.link.closed(id, code, now, &mut self.out) {
            Change::None => {}
            Change::Lost => self.disconnected(),
            Change::Refused(reason) => self.end(reason),
        }
    }

    fn packet_received(&mut self, id: TransportId, packet: &Bytes, now: Timestamp) {
        let inbound = unpack::read(packet);
        let Some(session) = self.session.as_mut().filter(|_| self.link.is_connected(id)) else {
            if let Inbound::Assigned { session, secret } = inbound {
                self.connected(id, session, secret, now);
            }
            return;
        };
        session.received(packet.len(), now);
        self.link.trust(&mut self.out);
        if matches!(inbound, Inbound::Media(_) | Inbound::Undecodable { .. }) {
            session.media(now);
        }
        match inbound {
            Inbound::Report(report) => {
                if session.uplink.handle(&report, now, &self.out) {
                    self.limit_changed(now);
                }
            }
            Inbound::Media(frame) if self.roster.contains(frame.session) => {
                self.receivers.frame(frame, now, &mut self.out);
            }
            Inbound::Media(frame) => self.pending.hold(frame, now),
            Inbound::Undecodable { session, track } => {
                self.receivers.undecodable(session, track, now)
            }
            Inbound::Probe(sent) => session.probe_answered(sent, now),
            Inbound::KeyframeWanted {
                track,
                spatial_layer,
            } => {
                let out = &mut self.out;
                self.publisher
                    .keyframe_wanted(track, spatial_layer, now, out);
            }
            Inbound::Demand(demands) => {
                for demand in demands {
                    self.publisher.demand(demand, now, &mut self.out);
                }
                self.tell_uplink(now);
            }
            Inbound::Redundancy(redundancy) => self.publisher.set_redundancy(&redundancy),
            Inbound::Presence(presence) => self.presence(presence, now),
            Inbound::Speakers(sessions) => self.out.emit(Event::Speakers { sessions }),
            Inbound::Drain(after) => self.link.move_after(after, now),
            Inbound::Assigned { .. } | Inbound::Nothing => {}
        }
    }

    fn connected(
        &mut self,
        id: TransportId,
        own: SessionId,
        secret: Option<ResumeSecret>,
        now: Timestamp,
    ) {
        let Some(Assigned { kind, resumed }) =
            self.link.assigned(id, own, secret, now, &mut self.out)
        else {
            return;
        };
        let out = &mut self.out;
        out.route(Some(id));
        out.emit(Event::Connection(Connection::Connected {
            transport: kind,
            session: own,
        }));
        self.roster.add_own(own);
        self.pending.clear();
        self.receivers.reconnected(now, out);
        let mut session = Session::new(now);
        let _ = session.handle_timeout(self.publisher.state(), &mut self.receivers, now, out);
        self.session = Some(session);
        self.publisher.start_session(!resumed, now, out);
    }

    fn disconnected(&mut self) {
        self.session = None;
        self.out.route(None);
    }

    fn presence(&mut self, presence: Presence, now: Timestamp) {
        for difference in self.roster.apply(presence) {
            let out = &mut self.out;
            match difference {
                Difference::Left(session) => {
                    self.receivers.left(session, out);
                    out.emit(Event::Left { session });
                }
                Difference::Changed(participant) => {
                    let session = participant.session;
                    let tracks = [
                        (Track::Camera, participant.camera),
                        (Track::Screen, participant.screen),
                        (Track::ScreenAudio, participant.screen),
                    ];
                    out.emit(Event::Participant(participant));
                    for (track, live) in tracks {
                        self.receivers.set_live(session, track, live, now, out);
                    }
                    for frame in self.pending.take(session, now) {
                        self.receivers.frame(frame, now, out);
                    }
                }
            }
        }
    }

    /// The connection carries more or less than before.
    fn limit_changed(&mut self, now: Timestamp) {
        if let Some(session) = &self.session {
            let limit = session.uplink.limit();
            self.publisher.set_limit(limit, now, &mut self.out);
            self.tell_uplink(now);
        }
    }

    /// What we would send has changed.
    fn tell_uplink(&mut self, now: Timestamp) {
        if let Some(session) = &mut self.session {
            session.uplink.want(self.publisher.wanted(), now);
        }
    }

    fn announce(&mut self, changed: bool, now: Timestamp) {
        if let Some(session) = self.session.as_mut().filter(|_| changed) {
            session.state_changed(self.publisher.state(), now, &mut self.out);
        }
    }

    fn end(&mut self, reason: EndReason) {
        self.disconnected();
        let out = &mut self.out;
        self.link.end(out);
        self.receivers.close(out);
        out.emit(Event::Connection(Connection::Ended { reason }));
    }
}
