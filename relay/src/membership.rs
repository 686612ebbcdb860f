//! A session's place in a room.

use std::fmt;
use std::sync::Arc;

use metrics::Gauge;
use relay_core::{Dialect, Policy};
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio_util::sync::CancellationToken;
use videocall_types::{CloseCode, SessionId, Timestamp};

use crate::admission::Admission;
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::room_task::{Control, FromSession, RoomLink, ToSession};

/// A place in a room. Dropping it leaves the room, and nothing else does. A session whose connection is lost gives its place up
/// to whoever resumes it in time.
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

/// What leaves the room when it is dropped, or only loses the connection to it.
pub(crate) struct Place {
    connection: SessionId,
    /// The last sign of life, if the client may come back.
    lost: Option<Timestamp>,
    room: mpsc::UnboundedSender<Control>,
    sessions: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    /// `connection` is the id that its session would have if it were new; `permit` is one of the process's places.
    pub(crate) fn new(
        connection: SessionId,
        room: &RoomLink,
        metrics: &Metrics,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        metrics.sessions.increment(1);
        Self {
            connection,
            lost: None,
            room: room.control.clone(),
            sessions: metrics.sessions.clone(),
            _permit: permit,
        }
    }

    /// The client may come back: it did not leave, but nothing has been heard of it since `heard`.
    pub(crate) fn lose(mut self, heard: Timestamp) {
        self.lost = Some(heard);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.sessions.decrement(1);
        // A room that has ended has no members.
        let connection = self.connection;
        let _ = self.room.send(match self.lost {
            Some(heard) => Control::Lose { connection, heard },
            None => Control::Leave(connection),
        });
    }
}
