//! Which transports are being tried. WebTransport gets a head start, WebSocket runs after it, and the first one over
//! which the relay names our session wins.

use std::time::Duration;

use videocall_types::{CloseCode, Timestamp};

use super::config::Endpoint;
use super::outbox::Outbox;
use crate::command::{Command, TransportId, TransportKind};

/// How much later WebSocket starts, and how long it waits for a WebTransport that is open already.
const HEAD_START: Duration = Duration::from_millis(500);
/// An attempt that has no session after this time has failed.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// The attempts under way. A *round* starts one for each kind that has none.
#[derive(Debug)]
pub(super) struct Race {
    endpoints: Vec<Endpoint>,
    head_start: Duration,
    attempts: Vec<Attempt>,
    websocket_at: Option<Timestamp>,
    next_id: u32,
}

#[derive(Debug)]
struct Attempt {
    id: TransportId,
    kind: TransportKind,
    deadline: Timestamp,
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
            attempts: Vec::new(),
            websocket_at: None,
            next_id: 0,
        }
    }

    /// Where later attempts go.
    pub(super) fn set_endpoints(&mut self, endpoints: Vec<Endpoint>) {
        self.endpoints = endpoints;
    }

    /// Starts a round.
    pub(super) fn start(&mut self, now: Timestamp, out: &mut Outbox) {
        let fresh =
            self.has(TransportKind::WebTransport) && !self.is_tried(TransportKind::WebTransport);
        if fresh {
            self.open(TransportKind::WebTransport, now, out);
        }
        if fresh && !self.head_start.is_zero() && self.has(TransportKind::WebSocket) {
            self.websocket_at = Some(now + self.head_start);
        } else {
            self.open(TransportKind::WebSocket, now, out);
        }
    }

    /// What was learned of the network does not hold any more.
    pub(super) fn forget_preference(&mut self) {
        self.head_start = HEAD_START;
    }

    /// A transport is open; its session is still to come.
    pub(super) fn opened(&mut self, id: TransportId, now: Timestamp) {
        let is_quic = self
            .attempts
            .iter()
            .any(|a| a.id == id && a.kind == TransportKind::WebTransport);
        if let Some(at) = self.websocket_at.as_mut().filter(|_| is_quic) {
            *at = now + HEAD_START;
        }
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

    /// The relay has named our session over `id`: every other attempt is closed.
    pub(super) fn won(&mut self, id: TransportId, out: &mut Outbox) -> Option<TransportKind> {
        let index = self.attempts.iter().position(|attempt| attempt.id == id)?;
        let kind = self.attempts.swap_remove(index).kind;
        self.abandon(out);
        Some(kind)
    }

    /// Closes every attempt.
    pub(super) fn abandon(&mut self, out: &mut Outbox) {
        self.websocket_at = None;
        for attempt in self.attempts.drain(..) {
            out.push(Command::CloseTransport {
                id: attempt.id,
                code: CloseCode::Left,
            });
        }
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
        if self.websocket_at.is_some() {
            self.open(TransportKind::WebSocket, now, out);
        }
        let is_last = kind == TransportKind::WebSocket || !self.has(TransportKind::WebSocket);
        if is_last { Round::Over } else { Round::GoesOn }
    }

    fn open(&mut self, kind: TransportKind, now: Timestamp, out: &mut Outbox) {
        if kind == TransportKind::WebSocket {
            self.websocket_at = None;
        }
        let Some(endpoint) = self
            .endpoints
            .iter()
            .find(|e| e.kind == kind)
            .filter(|_| !self.is_tried(kind))
        else {
            return;
        };
        let id = TransportId(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        self.attempts.push(Attempt {
            id,
            kind,
            deadline: now + ATTEMPT_TIMEOUT,
        });
        out.push(Command::OpenTransport {
            id,
            kind,
            url: endpoint.url.clone(),
            certificate_hashes: endpoint.certificate_hashes.clone(),
        });
    }

    fn has(&self, kind: TransportKind) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.kind == kind)
    }

    fn is_tried(&self, kind: TransportKind) -> bool {
        self.attempts.iter().any(|attempt| attempt.kind == kind)
    }
}
