//! What goes to the client.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use relay_core::ingress::KeyframeTarget;
use relay_core::queue::{Label, SendQueue};
use relay_core::{Dialect, DropReason, Forward, TrackId};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout_at};
use videocall_types::bandwidth::Bandwidth;
use videocall_types::limits::MAX_DATAGRAM_PACKET_BYTES;
use videocall_types::report::{Feedback, Report, Reporter, padding};
use videocall_types::{CloseCode, Packet, SessionId, Timestamp};

use super::Own;
use crate::membership::Context;
use crate::room_task::{FromSession, ToSession};
use crate::transport::{Channel, DatagramWriter, Lane, Outgoing, PacketWriter, Received};

/// How much longer than the reader the writer waits before it takes the connection for lost.
const READER_FIRST: Duration = Duration::from_millis(500);
/// Packets that are taken from the room before the session looks at anything else.
const BATCH: usize = 64;

/// Sends what waits, the most urgent first.
pub(super) struct Outbound<W: PacketWriter> {
    context: Arc<Context>,
    writer: W,
    waiting: Waiting<W::Datagrams>,
    /// Sessions that left while frames of theirs may still wait.
    departed: BTreeSet<SessionId>,
}

impl<W: PacketWriter> Outbound<W> {
    pub(super) fn new(
        context: &Arc<Context>,
        writer: W,
        packets: mpsc::Receiver<ToSession>,
        own: mpsc::Receiver<Own>,
    ) -> Self {
        let waiting = Waiting::new(context, writer.datagrams(), packets, own);
        Self {
            context: Arc::clone(context),
            writer,
            waiting,
            departed: BTreeSet::new(),
        }
    }

    pub(super) async fn run(&mut self) -> CloseCode {
        match self.send_all().await {
            Ok(never) => match never {},
            Err(code) => code,
        }
    }

    async fn send_all(&mut self) -> Result<Infallible, CloseCode> {
        // The first packet names the session. The next one tells how long a packet takes, before any can pile up.
        while !self.step().await? {}
        if self.context.admission.dialect == Dialect::Native {
            let now = self.context.clock.now();
            let packet = Reporter::default().report(now).to_packet();
            let lane = Lane::Control;
            self.send(&Outgoing { packet, lane }).await?;
        }
        loop {
            self.step().await?;
        }
    }

    /// Closes the connection. What still waits is dropped.
    pub(super) async fn close(mut self, code: CloseCode) {
        self.waiting.count_leftovers();
        self.writer.close(code).await;
    }

    /// Sends one packet, which is true, or waits for one.
    async fn step(&mut self) -> Result<bool, CloseCode> {
        self.waiting.take_what_is_there()?;
        for source in self.waiting.gone.drain(..) {
            self.writer.close_tracks(source);
            self.departed.insert(source);
        }
        // Not while a packet is on its way: a receiver that does not read needs no keyframe yet.
        self.ask_for_keyframes();
        self.pad().await?;
        match self.waiting.next() {
            Some(out) => {
                self.send(&out).await?;
                // What was left of a departed session has opened its track anew.
                if let Lane::Track { session, .. } | Lane::TrackDatagram { session, .. } = out.lane
                    && self.departed.contains(&session)
                {
                    self.writer.close_tracks(session);
                }
                Ok(true)
            }
            None => {
                self.departed.clear();
                self.waiting.take_or_pad().await?;
                Ok(false)
            }
        }
    }

    /// Sends what shall find out whether the connection carries more.
    async fn pad(&mut self) -> Result<(), CloseCode> {
        for packet in self.waiting.due_padding() {
            if self.waiting.datagrams.try_send(&packet) {
                self.waiting.count_sent(&packet);
            } else {
                let lane = Lane::Control;
                self.send(&Outgoing { packet, lane }).await?;
            }
        }
        Ok(())
    }

    async fn send(&mut self, out: &Outgoing) -> Result<(), CloseCode> {
        let Self {
            context,
            writer,
            waiting,
            ..
        } = self;
        let mut sending = pin!(writer.send(out));
        // Made here, but registered with the runtime only when `sending` waits.
        let mut stalled = pin!(sleep(context.policy.session.write_stall));
        loop {
            tokio::select! {
                biased;
                sent = &mut sending => {
                    if sent.is_err() {
                        // The reader knows whether the client has left, and is told at the same time.
                        sleep(READER_FIRST).await;
                        return Err(CloseCode::Idle);
                    }
                    waiting.count_sent(&out.packet);
                    return Ok(());
                }
                taken = waiting.take() => taken?,
                () = &mut stalled => return Err(CloseCode::TooSlow),
            }
        }
    }

    fn ask_for_keyframes(&mut self) {
        while let Some(track) = self.waiting.queue.poll_keyframe_request() {
            let target = KeyframeTarget::Track(track);
            let request = FromSession::KeyframeRequest {
                from: self.context.session,
                target,
            };
            // If the room is too busy for it, the next frame that can't be decoded asks again.
            let _ = self.context.room.try_send(request);
        }
    }
}

/// What waits for the writer. It takes in more while the writer is busy.
struct Waiting<D> {
    context: Arc<Context>,
    queue: SendQueue<Arc<Forward>>,
    /// Sessions whose tracks can be closed.
    gone: Vec<SessionId>,
    /// What came before it began has waited for the client to connect.
    began: Timestamp,
    datagrams: D,
    packets: mpsc::Receiver<ToSession>,
    own: mpsc::Receiver<Own>,
    batch: Vec<ToSession>,
    bandwidth: Bandwidth,
    /// What the room knows of its limit.
    told: Option<u64>,
}

impl<D: DatagramWriter> Waiting<D> {
    fn new(
        context: &Arc<Context>,
        datagrams: D,
        packets: mpsc::Receiver<ToSession>,
        own: mpsc::Receiver<Own>,
    ) -> Self {
        Self {
            queue: SendQueue::new(context.policy.queue.clone()),
            gone: Vec::new(),
            began: context.clock.now(),
            datagrams,
            packets,
            own,
            batch: Vec::new(),
            bandwidth: Bandwidth::default(),
            told: None,
            context: Arc::clone(context),
        }
    }

    /// Takes in what comes next. Cancel safe.
    async fn take(&mut self) -> Result<(), CloseCode> {
        tokio::select! {
            biased;
            Some(own) = self.own.recv() => self.accept_own(own),
            taken = self.packets.recv_many(&mut self.batch, BATCH) => {
                if taken == 0 {
                    // The room's task has failed.
                    return Err(CloseCode::Internal);
                }
                let now = self.context.clock.now();
                let mut batch = std::mem::take(&mut self.batch);
                let accepted = batch.drain(..).try_for_each(|message| self.accept(message, now));
                self.batch = batch;
                accepted
            }
        }
    }

    /// Takes in what comes next, or returns when padding is due. Cancel safe.
    async fn take_or_pad(&mut self) -> Result<(), CloseCode> {
        match self.bandwidth.poll_timeout() {
            Some(at) => {
                let due = self.context.clock.instant(at);
                timeout_at(due, self.take()).await.unwrap_or(Ok(()))
            }
            None => self.take().await,
        }
    }

    /// Takes in what has come already, so that it is not overtaken by something less urgent.
    fn take_what_is_there(&mut self) -> Result<(), CloseCode> {
        while let Ok(own) = self.own.try_recv() {
            self.accept_own(own)?;
        }
        if self.packets.is_empty() {
            return Ok(());
        }
        let now = self.context.clock.now();
        while let Ok(message) = self.packets.try_recv() {
            self.accept(message, now)?;
        }
        Ok(())
    }

    fn next(&mut self) -> Option<Outgoing> {
        let forward = self.queue.pop(self.context.clock.now());
        self.context
            .metrics
            .dropped_in_queue(&self.queue.take_drops());
        forward.map(|forward| Outgoing {
            lane: lane(&forward),
            packet: forward.packet.clone(),
        })
    }

    fn accept(&mut self, message: ToSession, now: Timestamp) -> Result<(), CloseCode> {
        match message {
            ToSession::Packet(forward) => {
                if let Some(received) = forward.received.filter(|at| *at >= self.began) {
                    self.context.metrics.meter.waited(now - received);
                }
                let is_sent =
                    self.may_be_datagram(&forward) && self.datagrams.try_send(&forward.packet);
                if is_sent {
                    self.count_sent(&forward.packet);
                    return Ok(());
                }
                self.enqueue(forward, now)
            }
            ToSession::Want(wanted) => {
                self.bandwidth.want(wanted, now);
                Ok(())
            }
            ToSession::Forget(source) => {
                self.queue.forget(source);
                self.gone.push(source);
                Ok(())
            }
        }
    }

    fn accept_own(&mut self, own: Own) -> Result<(), CloseCode> {
        let packet = match own {
            Own::Echo(Received {
                bytes,
                channel: Channel::Datagram,
            }) => {
                if !self.datagrams.try_send(&Packet::from_serialized(bytes)) {
                    self.context.metrics.dropped(DropReason::Overflow, 1);
                }
                return Ok(());
            }
            Own::Echo(Received {
                bytes,
                channel: Channel::Stream,
            }) => Packet::from_serialized(bytes),
            Own::Report { answer, feedback } => {
                if let Some(feedback) = feedback {
                    self.learn(&feedback);
                }
                let limit_bps = self.bandwidth.limit();
                Report {
                    limit_bps,
                    ..answer
                }
                .to_packet()
            }
            Own::Notice(packet) => packet,
        };
        let forward = Arc::new(Forward::control(packet));
        self.enqueue(forward, self.context.clock.now())
    }

    /// The client reports of what was sent.
    fn learn(&mut self, feedback: &Feedback) {
        let now = self.context.clock.now();
        let backlog = self.queue.media_age(now);
        self.bandwidth.handle(feedback, backlog, now);
        self.tell_limit();
    }

    fn due_padding(&mut self) -> Vec<Packet> {
        let now = self.context.clock.now();
        if self.bandwidth.poll_timeout().is_none_or(|at| now < at) {
            return Vec::new();
        }
        let bytes = self.bandwidth.padding(now);
        self.tell_limit();
        padding(bytes)
    }

    fn tell_limit(&mut self) {
        let limit = self.bandwidth.limit();
        let news = FromSession::Downlink {
            from: self.context.session,
            limit,
        };
        // If the room is too busy for it, it hears with the next report.
        if limit != self.told && self.context.room.try_send(news).is_ok() {
            self.told = limit;
        }
    }

    fn enqueue(&mut self, forward: Arc<Forward>, now: Timestamp) -> Result<(), CloseCode> {
        let label = Label {
            source: forward.source,
            content: forward.content,
            len: forward.packet.len(),
        };
        self.queue
            .push(forward, &label, now)
            .map_err(|_| CloseCode::TooSlow)
    }

    /// Audio for our own clients, unless earlier audio waits.
    fn may_be_datagram(&self, forward: &Forward) -> bool {
        self.context.admission.dialect == Dialect::Native
            && matches!(lane(forward), Lane::TrackDatagram { .. })
            && !self.queue.has_audio()
    }

    fn count_sent(&mut self, packet: &Packet) {
        self.bandwidth.sent(packet.len());
        self.context.metrics.packets_sent.increment(1);
        self.context
            .metrics
            .bytes_sent
            .increment(packet.len() as u64);
        self.context.metrics.meter.sent(packet.len());
    }

    fn count_leftovers(&mut self) {
        self.context
            .metrics
            .dropped_in_queue(&self.queue.take_drops());
        let leftovers = self.queue.len() + self.packets.len();
        self.context
            .metrics
            .dropped(DropReason::SessionEnded, leftovers as u64);
    }
}

fn lane(forward: &Forward) -> Lane {
    match forward.track() {
        Some(TrackId { session, track })
            if track.is_audio() && forward.packet.len() <= MAX_DATAGRAM_PACKET_BYTES =>
        {
            Lane::TrackDatagram { session, track }
        }
        Some(TrackId { session, track }) => Lane::Track { session, track },
        None => Lane::Control,
    }
}
