//! The task that owns one room.

use std::sync::Arc;

use relay_core::ingress::{self, KeyframeTarget};
use relay_core::{Command, Content, DropReason, Forward, Level, NewMember, Room};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::coop::consume_budget;
use tokio::time::sleep_until;
use videocall_types::framing::Split;
use videocall_types::{Bytes, CloseCode, Redundancy, Resume, SessionId, Timestamp, Wishes};

use crate::bus::{BusInput, BusMessage, RoomBus};
use crate::clock::Clock;
use crate::hub::JoinError;
use crate::metrics::Metrics;

/// Packets of all sessions that wait for their room; a session waits when there are more.
const FROM_SESSIONS_CAPACITY: usize = 1024;
/// Messages that wait for a session's task, which takes them at once into its queue. Enough for the news of a full room,
/// which come in one go when another relay is lost or found; a channel takes memory only for what waits.
pub(crate) const TO_SESSION_CAPACITY: usize = 8192;
/// How much of that media may take. When there is more, it is dropped.
const MEDIA_CAPACITY: usize = 256;
/// Packets that are handled before the room looks at anything else.
const BATCH: usize = 64;

/// Joining and leaving. Not bounded: each session does either once.
pub(crate) enum Control {
    Join {
        new: NewMember,
        /// The session that it wants to go on with.
        resume: Option<Resume>,
        outlet: Outlet,
        /// The session that it is.
        done: oneshot::Sender<Result<SessionId, JoinError>>,
    },
    /// Of a connection, by the id that it came with.
    Leave(SessionId),
    /// A connection is lost; its client may come back over another one.
    Lose {
        connection: SessionId,
        /// The last sign of life.
        heard: Timestamp,
    },
    /// Nobody comes back.
    EndWaiting,
}

/// What a session has for its room.
#[derive(Debug)]
pub(crate) enum FromSession {
    Forward(Arc<Forward>),
    KeyframeRequest {
        from: SessionId,
        target: KeyframeTarget,
    },
    Wishes {
        from: SessionId,
        wishes: Wishes,
    },
    /// The session's connection carries so many bits per second; `None`: all.
    Downlink {
        from: SessionId,
        limit: Option<u64>,
    },
    Lack {
        from: SessionId,
        lacks: Redundancy,
    },
}

/// What a room has for a session.
#[derive(Debug)]
pub(crate) enum ToSession {
    /// The same for all receivers.
    Packet(Arc<Forward>),
    /// Nothing more comes from this session.
    Forget(SessionId),
    /// So many bits per second would be of use, where the connection does not carry all.
    Want(Option<u64>),
}

/// The room's way to a session.
pub(crate) struct Outlet {
    pub(crate) packets: mpsc::Sender<ToSession>,
    pub(crate) close: watch::Sender<Option<CloseCode>>,
}

/// Anybody's way to a room.
#[derive(Clone)]
pub(crate) struct RoomLink {
    pub(crate) control: mpsc::UnboundedSender<Control>,
    pub(crate) packets: mpsc::Sender<FromSession>,
}

/// The other end of [`RoomLink`].
pub(crate) struct Inbox {
    control: mpsc::UnboundedReceiver<Control>,
    packets: mpsc::Receiver<FromSession>,
}

pub(crate) fn channels() -> (RoomLink, Inbox) {
    let (control, control_inbox) = mpsc::unbounded_channel();
    let (packets, packets_inbox) = mpsc::channel(FROM_SESSIONS_CAPACITY);
    (
        RoomLink { control, packets },
        Inbox {
            control: control_inbox,
            packets: packets_inbox,
        },
    )
}

pub(crate) struct RoomTask {
    pub(crate) room: Room<Outlet>,
    pub(crate) level: watch::Receiver<Level>,
    pub(crate) inbox: Inbox,
    pub(crate) bus: RoomBus,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
}

impl RoomTask {
    /// Runs until the room is empty and `may_end`.
    pub(crate) async fn run(mut self, may_end: impl Fn(&mut Self) -> bool) {
        self.metrics.rooms.increment(1);
        let mut batch = Vec::with_capacity(BATCH);
        let mut wake_at = self.room.poll_timeout();
        let mut timer = std::pin::pin!(sleep_until(self.clock.instant(wake_at)));
        loop {
            // In random order, so that none of them can starve the others.
            tokio::select! {
                Some(control) = self.inbox.control.recv() => self.handle_control(control),
                _ = self.inbox.packets.recv_many(&mut batch, BATCH) => {
                    let now = self.clock.now();
                    self.follow_level(now);
                    for packet in batch.drain(..) {
                        self.handle_packet(packet, now);
                    }
                }
                input = self.bus.recv() => {
                    // Sessions get to take what they were given as often as if each packet had come by itself.
                    for _ in 0..self.handle_bus(input) {
                        consume_budget().await;
                    }
                }
                () = &mut timer => {}
            }
            let now = self.clock.now();
            if self.room.poll_timeout() <= now {
                self.room.handle_timeout(now);
            }
            self.carry_out_commands();
            self.bus.flush();
            if self.room.is_empty() && may_end(&mut self) {
                break;
            }
            let due = self.room.poll_timeout();
            if due != wake_at {
                wake_at = due;
                timer.as_mut().reset(self.clock.instant(wake_at));
            }
        }
        self.metrics.rooms.decrement(1);
    }

    /// Whether somebody is on the way in.
    pub(crate) fn is_awaited(&self) -> bool {
        !self.inbox.control.is_empty()
    }

    pub(crate) fn say_bye(&mut self) {
        self.room.close();
        self.carry_out_commands();
    }

    /// Asked once for many packets and not awaited, which would take a lock that all rooms share.
    fn follow_level(&mut self, now: Timestamp) {
        if self.level.has_changed().unwrap_or(false) {
            let level = *self.level.borrow_and_update();
            self.room.set_level(level, now);
        }
    }

    fn handle_control(&mut self, control: Control) {
        let now = self.clock.now();
        match control {
            Control::Join {
                new,
                resume,
                outlet,
                done,
            } => {
                let joined = self.join(new, resume, outlet, now);
                // Whoever does not wait for the answer has left: that comes next.
                let _ = done.send(joined);
            }
            Control::Leave(connection) => self.room.leave(connection, now),
            Control::Lose { connection, heard } => self.room.lose(connection, heard, now),
            Control::EndWaiting => self.room.end_waiting(now),
        }
    }

    fn join(
        &mut self,
        new: NewMember,
        resume: Option<Resume>,
        outlet: Outlet,
        now: Timestamp,
    ) -> Result<SessionId, JoinError> {
        let (new, outlet) = match resume {
            Some(resume) => match self.room.resume(new, &resume, outlet, now) {
                Ok(old) => {
                    old.close.send_replace(Some(CloseCode::Replaced));
                    self.metrics.resumed.increment(1);
                    return Ok(resume.session);
                }
                Err(refused) => refused,
            },
            None => (new, outlet),
        };
        let session = new.session;
        self.room.join(new, outlet, now)?;
        Ok(session)
    }

    fn handle_packet(&mut self, packet: FromSession, now: Timestamp) {
        let outcome = match packet {
            FromSession::Forward(forward) => self.forward(&forward, now),
            FromSession::KeyframeRequest { from, target } => {
                self.metrics.keyframe_requests.increment(1);
                self.room.request_keyframe(from, &target, now)
            }
            FromSession::Wishes { from, wishes } => self.room.wish(from, wishes, now),
            FromSession::Downlink { from, limit } => {
                self.room.limit_downlink(from, limit, now);
                Ok(())
            }
            FromSession::Lack { from, lacks } => self.room.lack(from, lacks),
        };
        if let Err(reason) = outcome {
            self.metrics.dropped(reason, 1);
        }
    }

    fn forward(&mut self, forward: &Arc<Forward>, now: Timestamp) -> Result<(), DropReason> {
        let route = self.room.route(forward, now)?;
        let (to_bus, withheld) = (route.to_bus, route.withheld);
        deliver(
            route.receivers().map(|(_, outlet)| outlet),
            forward,
            &self.metrics,
        );
        if to_bus {
            self.bus.publish_packet(&forward.packet);
        }
        if withheld {
            return Err(DropReason::Overload);
        }
        Ok(())
    }

    /// How many packets it was.
    fn handle_bus(&mut self, input: BusInput) -> usize {
        let now = self.clock.now();
        self.follow_level(now);
        match input {
            BusInput::Up => {
                self.room.handle_bus_up();
                0
            }
            BusInput::Message(BusMessage::Event(event)) => {
                if let Err(reason) = self.room.handle_bus_event(&event, now) {
                    self.metrics.dropped(reason, 1);
                }
                0
            }
            BusInput::Message(BusMessage::Packets(message)) => {
                let packets = Split::new(message).map(|packet| {
                    let outcome = packet
                        .map_err(|_| DropReason::Malformed)
                        .and_then(|bytes| self.forward_from_bus(bytes, now));
                    if let Err(reason) = outcome {
                        self.metrics.dropped(reason, 1);
                    }
                });
                packets.count()
            }
        }
    }

    fn forward_from_bus(&mut self, bytes: Bytes, now: Timestamp) -> Result<(), DropReason> {
        self.metrics.bus_packets_received.increment(1);
        let mut forward = ingress::from_relay(bytes)?;
        forward.received = Some(now);
        let forward = Arc::new(forward);
        let route = self.room.route_from_relay(&forward, now)?;
        deliver(
            route.receivers().map(|(_, outlet)| outlet),
            &forward,
            &self.metrics,
        );
        Ok(())
    }

    fn carry_out_commands(&mut self) {
        while let Some(command) = self.room.poll_command() {
            match command {
                Command::Send { to, forward } => {
                    let outlets = to.iter().filter_map(|session| self.room.handle(*session));
                    deliver(outlets, &Arc::new(forward), &self.metrics);
                }
                Command::Want { session, wanted } => {
                    if let Some(outlet) = self.room.handle(session) {
                        outlet.give(ToSession::Want(wanted));
                    }
                }
                Command::Forget(source) => {
                    for outlet in self.room.handles() {
                        outlet.give(ToSession::Forget(source));
                    }
                }
                Command::Publish(event) => {
                    self.bus.publish_event(event);
                }
            }
        }
    }
}

fn deliver<'a>(
    outlets: impl Iterator<Item = &'a Outlet>,
    forward: &Arc<Forward>,
    metrics: &Metrics,
) {
    let is_control = matches!(forward.content, Content::Control);
    let (mut routed, mut dropped) = (0, 0);
    for outlet in outlets {
        if is_control {
            outlet.give(ToSession::Packet(Arc::clone(forward)));
        } else if outlet.is_behind()
            || matches!(
                outlet
                    .packets
                    .try_send(ToSession::Packet(Arc::clone(forward))),
                Err(TrySendError::Full(_))
            )
        {
            dropped += 1;
        }
        routed += 1;
    }
    metrics.packets_routed.increment(routed);
    if dropped > 0 {
        metrics.dropped(DropReason::ChannelFull, dropped);
    }
}

impl Outlet {
    /// Whether the session's task has more to take than media may add to.
    fn is_behind(&self) -> bool {
        TO_SESSION_CAPACITY - self.packets.capacity() >= MEDIA_CAPACITY
    }

    /// For what must not be lost: a session that does not take it is closed. One that has ended needs nothing.
    fn give(&self, message: ToSession) {
        if let Err(TrySendError::Full(_)) = self.packets.try_send(message) {
            self.close.send_replace(Some(CloseCode::TooSlow));
        }
    }
}
