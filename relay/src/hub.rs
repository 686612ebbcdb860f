//! The rooms of this process.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use relay_core::{Dialect, Level, NewMember, Policy, Room, room};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use videocall_types::{CloseCode, MeetingId, Resume, ResumeSecret, ServerId, SessionId};

use crate::admission::Admission;
use crate::bus::Bus;
use crate::clock::Clock;
use crate::membership::{Context, Place};

pub use crate::membership::Membership;
use crate::metrics::Metrics;
use crate::overload::{ProcessSampler, Sampler, Watch};
use crate::room_task::{self, Control, Outlet, RoomLink, RoomTask};

/// What a hub needs to know besides its policy.
#[derive(Clone, Debug, Default)]
pub struct HubConfig {
    /// Where this process runs, for metrics.
    pub region: Option<String>,
}

/// Whether this process can serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All is well.
    Ready,
    /// Serves, but the other processes can't be reached.
    BusLost,
    /// Serves, but has too much to do to open rooms.
    Overloaded,
    /// Stops soon; takes no new sessions.
    Draining,
}

/// Why a session can't join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// The room or the process has its most sessions, or the process has too much to do to open a room.
    #[error("the room or the server is full")]
    Full,
    /// The process stops.
    #[error("the server is stopping")]
    Draining,
    /// The room's task has failed.
    #[error("internal error")]
    Internal,
}

impl JoinError {
    /// The close code that tells the client.
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::Full => CloseCode::Full,
            Self::Draining => CloseCode::Draining,
            Self::Internal => CloseCode::Internal,
        }
    }
}

impl From<room::JoinError> for JoinError {
    fn from(error: room::JoinError) -> Self {
        match error {
            room::JoinError::Full => Self::Full,
        }
    }
}

/// How an admitted connection goes on.
#[derive(Debug)]
pub enum Entry {
    /// It is in its room.
    Joined(Membership),
    /// It enters when it says so.
    Late(Admission),
}

/// The rooms of this process. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

struct Shared {
    server: ServerId,
    policy: Arc<Policy>,
    bus: Bus,
    clock: Clock,
    metrics: Arc<Metrics>,
    tasks: TaskTracker,
    draining: CancellationToken,
    /// One for each session that the process may have.
    places: Arc<Semaphore>,
    rooms: Mutex<HashMap<MeetingId, RoomLink>>,
    level: watch::Receiver<Level>,
}

impl Hub {
    /// A hub without rooms. Must be called within a tokio runtime, after [`metrics::install`](crate::metrics::install).
    #[must_use]
    pub fn new(config: HubConfig, bus: Bus, policy: Policy) -> Self {
        let metrics = Arc::new(Metrics::new(config.region.as_deref()));
        let sampler = ProcessSampler::new(Arc::clone(&metrics));
        Self::build(metrics, bus, policy, sampler)
    }

    /// As [`new`](Self::new), but it goes by what `sampler` says of the process's load.
    #[must_use]
    pub fn with_sampler(
        config: HubConfig,
        bus: Bus,
        policy: Policy,
        sampler: impl Sampler,
    ) -> Self {
        let metrics = Arc::new(Metrics::new(config.region.as_deref()));
        Self::build(metrics, bus, policy, sampler)
    }

    fn build(metrics: Arc<Metrics>, bus: Bus, policy: Policy, sampler: impl Sampler) -> Self {
        let (told, level) = watch::channel(Level::Normal);
        let hub = Self(Arc::new(Shared {
            server: ServerId(rand::random()),
            bus,
            clock: Clock::start(),
            metrics,
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
            places: Arc::new(Semaphore::new(policy.session.max_sessions)),
            policy: Arc::new(policy),
            rooms: Mutex::default(),
            level,
        }));
        let shared = &*hub.0;
        let watch = Watch {
            sampler,
            policy: shared.policy.overload.clone(),
            clock: shared.clock,
            metrics: Arc::clone(&shared.metrics),
            level: told,
        };
        shared.tasks.spawn(watch.run(shared.draining.clone()));
        hub
    }

    /// Joins the room of `admission`, unless it [enters late](crate::session::enter).
    ///
    /// # Errors
    /// [`JoinError`] if the room is full or the process stops.
    pub async fn admit(&self, admission: Admission) -> Result<Entry, JoinError> {
        if self.0.draining.is_cancelled() {
            return Err(JoinError::Draining);
        }
        if admission.enters_late {
            return Ok(Entry::Late(admission));
        }
        self.join(admission).await.map(Entry::Joined)
    }

    /// Joins the room of `admission`, opening it if needed.
    ///
    /// # Errors
    /// [`JoinError`] if the room is full or the process stops.
    pub async fn join(&self, admission: Admission) -> Result<Membership, JoinError> {
        self.join_or_resume(admission, None).await
    }

    /// Goes on with the session that `resume` names, if it is still there and the same user's; otherwise as [`join`](Self::join).
    ///
    /// # Errors
    /// As for [`join`](Self::join).
    pub async fn join_or_resume(
        &self,
        admission: Admission,
        resume: Option<Resume>,
    ) -> Result<Membership, JoinError> {
        let shared = &*self.0;
        if shared.draining.is_cancelled() {
            return Err(JoinError::Draining);
        }
        let permit = Arc::clone(&shared.places)
            .try_acquire_owned()
            .map_err(|_| JoinError::Full)?;
        let connection = random_session();
        let (outlet, packets, closed) = outlet();
        let (done, joined) = oneshot::channel();
        let new = NewMember {
            session: connection,
            user: admission.user.clone(),
            name: admission.name.clone(),
            dialect: admission.dialect,
            can: admission.can,
            secret: (admission.dialect == Dialect::Native)
                .then(|| ResumeSecret::new(rand::random())),
        };
        let join = Control::Join {
            new,
            resume,
            outlet,
            done,
        };
        let room = self.enter(&admission.meeting, join)?;
        // From here on the place is given up by dropping it, also if this future is dropped.
        let place = Place::new(connection, &room, &shared.metrics, permit);
        let session = joined.await.map_err(|_| JoinError::Internal)??;
        let context = Context {
            session,
            admission,
            room: room.packets,
            policy: Arc::clone(&shared.policy),
            clock: shared.clock,
            metrics: Arc::clone(&shared.metrics),
        };
        Ok(Membership {
            place,
            context: Arc::new(context),
            packets,
            closed,
            draining: shared.draining.clone(),
        })
    }

    /// Whether this process can serve.
    #[must_use]
    pub fn status(&self) -> Status {
        if self.0.draining.is_cancelled() {
            Status::Draining
        } else if self.0.level.borrow().refuses_rooms() {
            Status::Overloaded
        } else if self.0.bus.is_connected() {
            Status::Ready
        } else {
            Status::BusLost
        }
    }

    /// What the process gives up at the moment because it has too much to do.
    #[must_use]
    pub fn level(&self) -> watch::Receiver<Level> {
        self.0.level.clone()
    }

    /// Stops: tells every session to connect elsewhere, closes them and waits for their end, at most for the policy's
    /// drain time.
    pub async fn shutdown(&self) {
        self.0.draining.cancel();
        self.0.tasks.close();
        for room in self.0.rooms().values() {
            // A room that has ended waits for nobody.
            let _ = room.control.send(Control::EndWaiting);
        }
        if tokio::time::timeout(self.0.policy.session.drain, self.0.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("some sessions did not end in time");
        }
        self.0.bus.flush().await;
    }

    /// Gives `control` to the room. The lock makes sure that the room does not end in between: see [`retire`](Self::retire).
    fn enter(&self, meeting: &MeetingId, control: Control) -> Result<RoomLink, JoinError> {
        let mut rooms = self.0.rooms();
        let room = match rooms.get(meeting) {
            Some(room) if !room.control.is_closed() => room.clone(),
            _ if self.0.level.borrow().refuses_rooms() => return Err(JoinError::Full),
            _ => {
                let room = self.open(meeting);
                rooms.insert(meeting.clone(), room.clone());
                room
            }
        };
        room.control
            .send(control)
            .map_err(|_| JoinError::Internal)?;
        Ok(room)
    }

    fn open(&self, meeting: &MeetingId) -> RoomLink {
        let shared = &*self.0;
        let (link, inbox) = room_task::channels();
        let policy = shared.policy.room.clone();
        let room = Room::new(
            meeting.clone(),
            shared.server,
            policy,
            unix_ms(),
            shared.clock.now(),
        );
        let hub = self.clone();
        let meeting = meeting.clone();
        let mut level = shared.level.clone();
        level.mark_changed();
        let task = RoomTask {
            room,
            level,
            inbox,
            bus: shared.bus.open(&meeting, Arc::clone(&shared.metrics)),
            clock: shared.clock,
            metrics: Arc::clone(&shared.metrics),
        };
        // On the thread of its first member, where that thread has a runtime of its own: waking the members that are
        // there, too, then takes no system call.
        shared
            .tasks
            .spawn(task.run(move |room| hub.retire(&meeting, room)));
        link
    }

    /// An empty room asks whether it may end. It may not if somebody is on the way in. It says goodbye before a new
    /// room of the same meeting can say hello.
    fn retire(&self, meeting: &MeetingId, room: &mut RoomTask) -> bool {
        let mut rooms = self.0.rooms();
        if room.is_awaited() {
            return false;
        }
        room.say_bye();
        rooms.remove(meeting);
        true
    }
}

impl Shared {
    fn rooms(&self) -> MutexGuard<'_, HashMap<MeetingId, RoomLink>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("server", &self.0.server)
            .finish_non_exhaustive()
    }
}

fn outlet() -> (
    Outlet,
    mpsc::Receiver<room_task::ToSession>,
    watch::Receiver<Option<CloseCode>>,
) {
    let (packets_tx, packets) = mpsc::channel(room_task::TO_SESSION_CAPACITY);
    let (close, closed) = watch::channel(None);
    (
        Outlet {
            packets: packets_tx,
            close,
        },
        packets,
        closed,
    )
}

fn random_session() -> SessionId {
    loop {
        if let Some(session) = SessionId::new(rand::random()) {
            return session;
        }
    }
}

fn unix_ms() -> u64 {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}
