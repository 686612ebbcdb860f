//! Hubs of one process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use relay_core::DropReason;
use tokio::sync::{mpsc, watch};
use videocall_types::MeetingId;

use super::{BusInput, BusMessage};

/// Connects hubs of one process. Alone on it, a hub has nobody to talk to.
#[derive(Clone, Debug, Default)]
pub struct InProcessBus(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    connected: watch::Sender<bool>,
    rooms: Mutex<Rooms>,
}

#[derive(Debug, Default)]
struct Rooms {
    next_place: u64,
    places: BTreeMap<MeetingId, BTreeMap<u64, mpsc::Sender<BusMessage>>>,
}

/// Messages that wait for one room, as for a NATS subscription.
const CAPACITY: usize = 1024;

impl Default for Shared {
    fn default() -> Self {
        Self {
            connected: watch::Sender::new(true),
            rooms: Mutex::default(),
        }
    }
}

impl InProcessBus {
    /// Cuts the hubs off from each other, or connects them again: what losing a real bus looks like.
    pub fn set_connected(&self, connected: bool) {
        self.0.connected.send_replace(connected);
    }

    pub(super) fn is_connected(&self) -> bool {
        *self.0.connected.borrow()
    }

    pub(super) fn open(&self, meeting: &MeetingId) -> Place {
        let (inbox, messages) = mpsc::channel(CAPACITY);
        let mut connected = self.0.connected.subscribe();
        // It may be up already.
        connected.mark_changed();
        let mut rooms = self.0.rooms();
        let place = rooms.next_place;
        rooms.next_place += 1;
        rooms
            .places
            .entry(meeting.clone())
            .or_default()
            .insert(place, inbox);
        Place {
            shared: Arc::clone(&self.0),
            meeting: meeting.clone(),
            place,
            messages,
            connected,
        }
    }
}

impl Shared {
    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One room's place on the bus.
#[derive(Debug)]
pub(in crate::bus) struct Place {
    shared: Arc<Shared>,
    meeting: MeetingId,
    place: u64,
    messages: mpsc::Receiver<BusMessage>,
    connected: watch::Receiver<bool>,
}

impl Place {
    pub(super) async fn recv(&mut self) -> BusInput {
        loop {
            tokio::select! {
                Ok(()) = self.connected.changed() => {
                    if *self.connected.borrow_and_update() {
                        return BusInput::Up;
                    }
                }
                Some(message) = self.messages.recv() => return BusInput::Message(message),
                else => return std::future::pending().await,
            }
        }
    }

    pub(super) fn publish(&self, message: &BusMessage) -> Result<(), DropReason> {
        if !*self.connected.borrow() {
            return Err(DropReason::BusLost);
        }
        let rooms = self.shared.rooms();
        let places = rooms.places.get(&self.meeting).into_iter().flatten();
        let others = places
            .filter(|(place, _)| **place != self.place)
            .map(|(_, inbox)| inbox);
        let full = others
            .filter(|inbox| inbox.try_send(message.clone()).is_err())
            .count();
        if full == 0 {
            Ok(())
        } else {
            Err(DropReason::BusFull)
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut rooms = self.shared.rooms();
        if let Some(places) = rooms.places.get_mut(&self.meeting) {
            places.remove(&self.place);
            if places.is_empty() {
                rooms.places.remove(&self.meeting);
            }
        }
    }
}
