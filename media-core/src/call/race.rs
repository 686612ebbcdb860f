//! Which transports are being tried. WebTransport gets a head start, WebSocket runs after it, and the first one over
//! which the relay names our session wins.
//!
//! Where that would bring the same person into the room twice, or into the rooms of several relays, the attempts enter late: the
//! first one that opens does. With several relays that is the nearest one, for opening takes some round trips.

use std::time::Duration;

use videocall_types::{CloseCode, Resume, Timestamp};

use super::config::Endpoint;
use super::outbox::Outbox;
use super::pack;
use crate::command::{Command, Lane, TransportId, TransportKind};

/// How much later WebSocket starts, and how long it waits for a WebTransport that is open already: as long as a handshake takes on
/// a machine that has much to do because the page has just been opened. Who is on WebSocket stays there.
const HEAD_START: Duration = Duration::from_millis(800);
/// An attempt that has no session after this time has failed.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// The same from when it has said that it enters: others may wait for it.
const ENTRY_TIMEOUT: Duration = Duration::from_secs(2);

/// The attempts under way. A *round* starts one for each endpoint that has none.
#[derive(Debug)]
pub(super) struct Race {
    endpoints: Vec<Endpoint>,
    head_start: Duration,
    /// The session to come back into.
    resume: Option<Resume>,
    attempts: Vec<Attempt>,
    websocket_at: Option<Timestamp>,
    next_id: u32,
}

#[derive(Debug)]
struct Attempt {
    id: TransportId,
    kind: TransportKind,
    /// Of its endpoint.
    url: String,
    deadline: Timestamp,
    entry: Entry,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Entry {
    /// By connecting.
    AtOnce,
    /// Late, when it is open.
    NotOpen,
    /// Late, open since then.
    Open(Timestamp),
    /// It has said that it enters.
    Said,
}

/// Whether the round goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Round {
    /// Something is under way.
    GoesOn,
    /// The last kind to try has failed. An attempt of a better kind may go on into the next round.
    Over,
}

impl Race {
    pub(super) fn new(endpoints: Vec<Endpoint>, prefer: Option<TransportKind>) -> Self {
        let head_start = if prefer == Some(TransportKind::WebSocket) {
            Duration::ZERO
        } else {
            HEAD_START
        };
        Self {
            endpoints,
            head_start,
            resume: None,
            attempts: Vec::new(),
            websocket_at: None,
            next_id: 0,
        }
    }

    /// Where later attempts go.
    pub(super) fn set_endpoints(&mut self, endpoints: Vec<Endpoint>) {
        self.endpoints = endpoints;
    }

    /// Starts a round. `hurry`: WebSocket is not held back.
    pub(super) fn start(&mut self, hurry: bool, now: Timestamp, out: &mut Outbox) {
        use TransportKind::{WebSocket, WebTransport};
        let fresh = self.open(WebTransport, now, out);
        if fresh && !hurry && !self.head_start.is_zero() && self.has(WebSocket) {
            self.websocket_at = Some(now + self.head_start);
        } else {
            self.open(WebSocket, now, out);
        }
    }

    /// What was learned of the network does not hold any more.
    pub(super) fn forget_preference(&mut self) {
        self.head_start = HEAD_START;
    }

    /// Whether a round is under way that will end.
    pub(super) fn is_running(&self) -> bool {
        self.is_tried(self.last_kind()) || self.websocket_at.is_some()
    }

    /// Whether the relay may have let an attempt in that is not known to.
    pub(super) fn is_entering(&self) -> bool {
        self.attempts
            .iter()
            .any(|attempt| matches!(attempt.entry, Entry::Said | Entry::AtOnce))
    }

    /// A transport is open; its session is still to come.
    pub(super) fn opened(&mut self, id: TransportId, now: Timestamp, out: &mut Outbox) {
        let Some(attempt) = self.attempts.iter_mut().find(|attempt| attempt.id == id) else {
            return;
        };
        if attempt.entry == Entry::NotOpen {
            attempt.entry = Entry::Open(now);
        }
        let is_quic = attempt.kind == TransportKind::WebTransport;
        if let Some(at) = self.websocket_at.as_mut().filter(|_| is_quic) {
            *at = now + HEAD_START;
        }
        self.enter(now, out);
    }

    /// An attempt failed. `None` if `id` is not one of ours.
    pub(super) fn failed(
        &mut self,
        id: TransportId,
        now: Timestamp,
        out: &mut Outbox,
    ) -> Option<Round> {
        let index = self.attempts.iter().position(|attempt| attempt.id == id)?;
        let kind = self.attempts.swap_remove(index).kind;
        Some(self.after_failure(kind, now, out))
    }

    /// The relay has named our session over `id`: every other attempt is closed. `resume` lets later ones come back into it.
    pub(super) fn won(
        &mut self,
        id: TransportId,
        resume: Option<Resume>,
        out: &mut Outbox,
    ) -> Option<TransportKind> {
        let index = self.attempts.iter().position(|attempt| attempt.id == id)?;
        let kind = self.attempts.swap_remove(index).kind;
        self.abandon(out);
        self.resume = resume;
        Some(kind)
    }

    /// The session that the next attempts come back into.
    pub(super) fn resume(&self) -> Option<&Resume> {
        self.resume.as_ref()
    }

    /// Closes every attempt.
    pub(super) fn abandon(&mut self, out: &mut Outbox) {
        self.websocket_at = None;
        for attempt in self.attempts.drain(..) {
            let code = match attempt.entry {
                Entry::AtOnce => CloseCode::Left,
                // It is the session's, if it is anybody's.
                Entry::NotOpen | Entry::Open(_) | Entry::Said => CloseCode::Idle,
            };
            let id = attempt.id;
            out.push(Command::CloseTransport { id, code });
        }
    }

    /// Closes every attempt for good.
    pub(super) fn leave(&mut self, out: &mut Outbox) {
        for attempt in &mut self.attempts {
            attempt.entry = Entry::AtOnce;
        }
        self.abandon(out);
    }

    pub(super) fn handle_timeout(&mut self, now: Timestamp, out: &mut Outbox) -> Round {
        let mut round = Round::GoesOn;
        while let Some(index) = self
            .attempts
            .iter()
            .position(|attempt| now >= attempt.deadline)
        {
            let attempt = self.attempts.swap_remove(index);
            out.push(Command::CloseTransport {
                id: attempt.id,
                code: CloseCode::Idle,
            });
            if self.after_failure(attempt.kind, now, out) == Round::Over {
                round = Round::Over;
            }
        }
        if self.websocket_at.is_some_and(|at| now >= at) {
            self.open(TransportKind::WebSocket, now, out);
        }
        round
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        self.attempts
            .iter()
            .map(|attempt| attempt.deadline)
            .chain(self.websocket_at)
            .min()
    }

    fn after_failure(&mut self, kind: TransportKind, now: Timestamp, out: &mut Outbox) -> Round {
        use TransportKind::{WebSocket, WebTransport};
        self.enter(now, out);
        if self.websocket_at.is_some() && !self.is_tried(WebTransport) {
            self.open(WebSocket, now, out);
        }
        let last = self.last_kind();
        if kind == last && !self.is_tried(last) {
            Round::Over
        } else {
            Round::GoesOn
        }
    }

    /// The attempt that has been open for longest enters, unless one has said so already.
    fn enter(&mut self, now: Timestamp, out: &mut Outbox) {
        if self.attempts.iter().any(|a| a.entry == Entry::Said) {
            return;
        }
        let open = self.attempts.iter_mut();
        let open = open.filter(|attempt| matches!(attempt.entry, Entry::Open(_)));
        if let Some(first) = open.min_by_key(|attempt| attempt.entry) {
            first.entry = Entry::Said;
            first.deadline = first.deadline.min(now + ENTRY_TIMEOUT);
            out.push(Command::Send {
                id: first.id,
                packet: pack::enter(self.resume.as_ref()),
                lane: Lane::Control,
            });
        }
    }

    /// Opens what is not tried yet. True: something.
    fn open(&mut self, kind: TransportKind, now: Timestamp, out: &mut Outbox) -> bool {
        if kind == TransportKind::WebSocket {
            self.websocket_at = None;
        }
        let enters_late = self.resume.is_some() || self.is_election();
        let before = self.attempts.len();
        for endpoint in self.endpoints.iter().filter(|e| e.kind == kind) {
            if self.attempts.iter().any(|tried| tried.url == endpoint.url) {
                continue;
            }
            let id = TransportId(self.next_id);
            self.next_id = self.next_id.wrapping_add(1);
            self.attempts.push(Attempt {
                id,
                kind,
                url: endpoint.url.clone(),
                deadline: now + ATTEMPT_TIMEOUT,
                entry: if enters_late {
                    Entry::NotOpen
                } else {
                    Entry::AtOnce
                },
            });
            let late = if enters_late { "&enter=late" } else { "" };
            out.push(Command::OpenTransport {
                id,
                kind,
                url: format!("{}{late}", endpoint.url),
                certificate_hashes: endpoint.certificate_hashes.clone(),
            });
        }
        self.attempts.len() > before
    }

    /// Whether there are several relays to choose from.
    fn is_election(&self) -> bool {
        let of = |kind| {
            self.endpoints
                .iter()
                .filter(move |e| e.kind == kind)
                .count()
        };
        of(TransportKind::WebTransport) > 1 || of(TransportKind::WebSocket) > 1
    }

    /// The kind whose failure ends a round.
    fn last_kind(&self) -> TransportKind {
        if self.has(TransportKind::WebSocket) {
            TransportKind::WebSocket
        } else {
            TransportKind::WebTransport
        }
    }

    fn has(&self, kind: TransportKind) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.kind == kind)
    }

    fn is_tried(&self, kind: TransportKind) -> bool {
        self.attempts.iter().any(|attempt| attempt.kind == kind)
    }
}
