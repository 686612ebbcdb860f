//! Who hears whom.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

/// Packets that wait for one receiver; more are dropped.
const CAPACITY: usize = 1024;

/// Everybody, by the meeting in their path.
pub(super) struct Groups<T>(Arc<Mutex<HashMap<String, Group<T>>>>);

type Group<T> = BTreeMap<u64, mpsc::Sender<T>>;

/// One connection's place, given up when it is dropped.
pub(super) struct Place<T> {
    groups: Groups<T>,
    meeting: String,
    number: u64,
}

impl<T> Default for Groups<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Groups<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Clone> Groups<T> {
    /// Joins the meeting of `path`, such as `/lobby/user/meeting?dialect=native`.
    pub(super) fn join(&self, path: &str) -> (Place<T>, mpsc::Receiver<T>) {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        let meeting = path
            .split('?')
            .next()
            .and_then(|path| path.rsplit('/').next());
        let meeting = meeting.unwrap_or_default().to_owned();
        let mut groups = self.lock();
        let group = groups.entry(meeting.clone()).or_default();
        let number = group.last_key_value().map_or(0, |(last, _)| last + 1);
        group.insert(number, sender);
        drop(groups);
        let place = Place {
            groups: self.clone(),
            meeting,
            number,
        };
        (place, receiver)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Group<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Place<T> {
    /// Gives `item` to everybody else of the group.
    pub(super) fn send(&self, item: &T) {
        let groups = self.groups.lock();
        let others = groups.get(&self.meeting).into_iter().flatten();
        for (_, other) in others.filter(|(number, _)| **number != self.number) {
            let _ = other.try_send(item.clone());
        }
    }
}

impl<T> Drop for Place<T> {
    fn drop(&mut self) {
        let mut groups = self.groups.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(group) = groups.get_mut(&self.meeting) {
            group.remove(&self.number);
        }
    }
}
