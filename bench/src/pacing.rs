//! When which client sends what: an open loop, that goes on however the server does.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::measure::Kind;
use crate::scenario::Scenario;

/// A packet that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// When, in nanoseconds since the run's start.
    pub at_ns: u64,
    /// The client that sends it.
    pub client: usize,
    /// What it carries.
    pub kind: Kind,
    /// +1 for each packet of the track.
    pub sequence: u64,
}

/// All packets of a scenario in the order of their times, without end.
pub struct Schedule {
    next: BinaryHeap<Reverse<(Due, u64)>>,
}

impl Schedule {
    /// Begins at `from_ns`. Clients of `senders` start evenly spread over the time between two packets.
    #[must_use]
    pub fn new(scenario: &Scenario, senders: &[usize], from_ns: u64) -> Self {
        let tracks = [(Kind::Video, scenario.video), (Kind::Audio, scenario.audio)];
        let mut next = BinaryHeap::new();
        for (kind, pace) in tracks {
            let Some(pace) = pace else { continue };
            let period = 1_000_000_000 / u64::from(pace.per_second);
            for (index, client) in senders.iter().enumerate() {
                let due = Due {
                    at_ns: from_ns + period * index as u64 / senders.len() as u64,
                    client: *client,
                    kind,
                    sequence: 0,
                };
                next.push(Reverse((due, period)));
            }
        }
        Self { next }
    }
}

impl Iterator for Schedule {
    type Item = Due;

    fn next(&mut self) -> Option<Due> {
        let mut entry = self.next.peek_mut()?;
        let Reverse((due, period)) = *entry;
        let following = Due {
            at_ns: due.at_ns + period,
            sequence: due.sequence + 1,
            ..due
        };
        *entry = Reverse((following, period));
        Some(due)
    }
}

/// Hands out what is due, from a thread of its own: the runtime's timers know only milliseconds. Ends with the receiver.
#[must_use]
pub fn start(schedule: Schedule, epoch: Instant) -> mpsc::UnboundedReceiver<Due> {
    let (due, receiver) = mpsc::unbounded_channel();
    thread::spawn(move || {
        for next in schedule {
            let at = epoch + Duration::from_nanos(next.at_ns);
            if let Some(wait) = at.checked_duration_since(Instant::now()) {
                thread::sleep(wait);
            }
            if due.send(next).is_err() {
                return;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::DUO;

    #[test]
    fn packets_come_in_the_order_of_their_times_at_each_pace() {
        let schedule: Vec<Due> = Schedule::new(&DUO, &[0, 1], 1000)
            .take_while(|due| due.at_ns < 1_000_001_000)
            .collect();
        assert!(schedule.is_sorted_by_key(|due| due.at_ns));
        for client in [0, 1] {
            for (kind, count) in [(Kind::Video, 30), (Kind::Audio, 50)] {
                let of_track = schedule
                    .iter()
                    .filter(|due| due.client == client && due.kind == kind);
                let sequences: Vec<u64> = of_track.map(|due| due.sequence).collect();
                // 30 packets with a period that is rounded down to nanoseconds leave room for the first of the next second.
                assert_eq!(sequences[..count], (0..count as u64).collect::<Vec<_>>());
                assert!(sequences.len() <= count + 1);
            }
        }
    }
}
