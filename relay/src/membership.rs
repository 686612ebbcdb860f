//! A session's place in a room.

use std::fmt;
use std::sync::Arc;

use metrics::Gauge;
use relay_core::{Dialect, Policy};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio_util::sync::CancellationToken;
use videocall_types::{CloseCode, SessionId};

use crate::admission::Admission;
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::room_task::{Control, FromSession, RoomLink, ToSession};

/// A place in a room. Dropping it leaves the room, and nothing else does.
pub struct Membership {
    pub(crate) place: Place,
    pub(crate) context: Arc<Context>,
    pub(crate) packets: mpsc::Receiver<ToSession>,
    pub(crate) closed: watch::Receiver<Option<CloseCode>>,
    pub(crate) draining: CancellationToken,
}

/// What both halves of a session need to know.
pub(crate) struct Context {
    pub(crate) session: SessionId,
    pub(crate) admission: Admission,
    /// The way of packets into the room.
    pub(crate) room: mpsc::Sender<FromSession>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) clock: Clock,
    pub(crate) metrics: Arc<Metrics>,
}

impl Membership {
    /// The session's id.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.context.session
    }

    /// How the session speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.context.admission.dialect
    }
}

impl fmt::Debug for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Membership")
            .field("session", &self.session())
            .finish_non_exhaustive()
    }
}

/// What leaves the room when it is dropped.
pub(crate) struct Place {
    session: SessionId,
    room: mpsc::UnboundedSender<Control>,
    sessions: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// `permit` is one of the process's places.
    pub(crate) fn new(
        session: SessionId,
        room: &RoomLink,
        metrics: &Metrics,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        metrics.sessions.increment(1);
        Self {
            session,
            room: room.control.clone(),
            sessions: metrics.sessions.clone(),
            _permit: permit,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.sessions.decrement(1);
        // A room that has ended has no members.
        let _ = self.room.send(Control::Leave(self.session));
    }
}
