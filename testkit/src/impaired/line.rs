//! A [`Link`] in real time, which all connections of its protocol and direction share.

use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use relay::Clock;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::{Conditions, Link};

/// What is on its way, in the order of arrival.
pub(super) type InFlight = mpsc::UnboundedSender<(Instant, Bytes)>;

pub(super) struct Line {
    link: Mutex<Link>,
    changed: watch::Sender<()>,
    clock: Clock,
}

impl Line {
    pub(super) fn new(conditions: Conditions, seed: u64) -> Self {
        Self {
            link: Mutex::new(Link::new(conditions, seed)),
            changed: watch::Sender::new(()),
            clock: Clock::start(),
        }
    }

    pub(super) fn set(&self, conditions: Conditions) {
        self.link().set(conditions);
        self.changed.send_replace(());
    }

    /// When a packet arrives; `None`: never.
    pub(super) fn send(&self, len: usize) -> Option<Instant> {
        let arrival = self.link().send(len, self.clock.now());
        arrival.map(|at| self.clock.instant(at))
    }

    /// When a segment of a stream arrives. Waits while it can't be sent.
    pub(super) async fn send_segment(&self, len: usize) -> Instant {
        let mut changed = self.changed.subscribe();
        loop {
            let now = self.clock.now();
            let room_at = self.link().room_at(len, now);
            if room_at > now {
                sleep_until(self.clock.instant(room_at)).await;
                continue;
            }
            let arrival = self.link().send_segment(len, now);
            match arrival {
                Some(at) => return self.clock.instant(at),
                // It fails only if the line is gone, and we with it.
                None => drop(changed.changed().await),
            }
        }
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap()
    }
}

/// The next thing when it has arrived; `None` when nothing more comes.
pub(super) async fn arrival(
    in_flight: &mut mpsc::UnboundedReceiver<(Instant, Bytes)>,
) -> Option<Bytes> {
    let (at, bytes) = in_flight.recv().await?;
    // The timer is coarse.
    if at > Instant::now() {
        sleep_until(at).await;
    }
    Some(bytes)
}
