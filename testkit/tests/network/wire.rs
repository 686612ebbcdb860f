//! One direction of a connection: a transport on top of the model of a network.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use relay::Clock;
use testkit::impaired::{Conditions, Link};
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep_until;
use videocall_types::Timestamp;

/// What a network carries in one piece.
const SEGMENT: usize = 1_200;

/// How packets travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Streams side by side, which repeat what is lost soon, and datagrams.
    WebTransport,
    /// One stream, which repeats what is lost after a timeout.
    WebSocket,
}

/// What must stay in order.
pub(crate) type LaneKey = (u64, u8);

/// One direction. Both ends share it.
#[derive(Clone)]
pub(crate) struct Wire {
    kind: Kind,
    clock: Clock,
    state: Arc<Mutex<State>>,
    /// Something is under way.
    news: Arc<Notify>,
}

struct State {
    link: Link,
    random: StdRng,
    conditions: Conditions,
    last: BTreeMap<LaneKey, Timestamp>,
    under_way: BinaryHeap<Reverse<(Timestamp, u64)>>,
    packets: BTreeMap<u64, Bytes>,
    sent: u64,
    bytes: u64,
    /// Connections that began so far; what belongs to an older one is lost.
    connection: u64,
}

impl Wire {
    pub(crate) fn new(kind: Kind, conditions: Conditions, seed: u64, clock: Clock) -> Self {
        let state = State {
            link: Link::new(conditions.clone(), seed),
            random: StdRng::seed_from_u64(!seed),
            conditions,
            last: BTreeMap::new(),
            under_way: BinaryHeap::new(),
            packets: BTreeMap::new(),
            sent: 0,
            bytes: 0,
            connection: 0,
        };
        Self {
            kind,
            clock,
            state: Arc::new(Mutex::new(state)),
            news: Arc::default(),
        }
    }

    /// A new connection begins. Returns its number.
    pub(crate) fn connect(&self) -> u64 {
        let mut state = self.state.lock().unwrap();
        state.connection += 1;
        state.under_way.clear();
        state.packets.clear();
        state.last.clear();
        self.news.notify_waiters();
        state.connection
    }

    fn is_over(&self, connection: u64) -> bool {
        self.state.lock().unwrap().connection != connection
    }

    pub(crate) fn set(&self, conditions: Conditions) {
        let mut state = self.state.lock().unwrap();
        state.link.set(conditions.clone());
        state.conditions = conditions;
    }

    /// Bytes that were sent so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.state.lock().unwrap().bytes
    }

    /// Sends reliably and in the order of its lane; waits while the queue in front of the link is full.
    pub(crate) async fn send(&self, connection: u64, packet: Bytes, lane: LaneKey) {
        let lane = match self.kind {
            Kind::WebTransport => lane,
            Kind::WebSocket => (0, 0),
        };
        loop {
            if self.is_over(connection) {
                return;
            }
            let now = self.clock.now();
            let room_at = {
                let mut state = self.state.lock().unwrap();
                if state.conditions.black_hole {
                    now + Duration::from_millis(20)
                } else {
                    let room_at = state.link.room_at(packet.len().min(SEGMENT), now);
                    if room_at <= now {
                        state.transmit(self.kind, packet, lane, now);
                        break;
                    }
                    room_at
                }
            };
            sleep_until(self.clock.instant(room_at)).await;
        }
        self.news.notify_one();
    }

    /// Sends a datagram, which may get lost. False: there are none.
    pub(crate) fn send_datagram(&self, packet: Bytes) -> bool {
        if self.kind == Kind::WebSocket {
            return false;
        }
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap();
        if let Some(arrival) = state.link.send(packet.len(), now) {
            state.schedule(packet, arrival);
        }
        self.news.notify_one();
        true
    }

    /// Hands over what arrives until nobody takes it any more.
    pub(crate) async fn deliver(self, connection: u64, to: mpsc::UnboundedSender<Bytes>) {
        while !self.is_over(connection) {
            let next = self.next_arrival();
            let news = self.news.notified();
            if self.is_over(connection) {
                return;
            }
            match next {
                Some(at) => {
                    tokio::select! {
                        () = sleep_until(self.clock.instant(at)) => {}
                        () = news => continue,
                    }
                }
                None => {
                    news.await;
                    continue;
                }
            }
            let now = self.clock.now();
            loop {
                let packet = self.state.lock().unwrap().take(now);
                let Some(packet) = packet else {
                    break;
                };
                if to.send(packet).is_err() {
                    return;
                }
            }
        }
    }

    fn next_arrival(&self) -> Option<Timestamp> {
        let state = self.state.lock().unwrap();
        state.under_way.peek().map(|Reverse((at, _))| *at)
    }
}

impl State {
    fn transmit(&mut self, kind: Kind, packet: Bytes, lane: LaneKey, now: Timestamp) {
        let mut arrival = self.last.get(&lane).copied().unwrap_or(Timestamp::ZERO);
        let mut left = packet.len();
        while left > 0 {
            let len = left.min(SEGMENT);
            left -= len;
            arrival = arrival.max(self.segment(kind, len, now));
        }
        self.last.insert(lane, arrival);
        self.schedule(packet, arrival);
    }

    fn segment(&mut self, kind: Kind, len: usize, now: Timestamp) -> Timestamp {
        let delay = Duration::from_secs_f64(self.conditions.delay_ms / 1000.0);
        if kind == Kind::WebSocket {
            return self.link.send_segment(len, now).unwrap_or(now + delay);
        }
        // RFC 9002: a packet counts as lost 9/8 of a round trip after it was sent, if later ones have arrived.
        let repair = delay * 2 * 9 / 8;
        // The rest of a packet follows as there is room.
        let at = self.link.room_at(len, now);
        let mut arrival = match self.link.send(len, at) {
            Some(arrival) => return arrival,
            None => at + repair + delay,
        };
        // A burst is over by then.
        while self
            .random
            .random_bool(self.conditions.loss_percent / 100.0)
        {
            arrival = arrival + repair;
        }
        arrival
    }

    fn schedule(&mut self, packet: Bytes, arrival: Timestamp) {
        self.sent += 1;
        self.bytes += packet.len() as u64;
        self.under_way.push(Reverse((arrival, self.sent)));
        self.packets.insert(self.sent, packet);
    }

    fn take(&mut self, now: Timestamp) -> Option<Bytes> {
        let Reverse((at, number)) = *self.under_way.peek()?;
        if at > now {
            return None;
        }
        self.under_way.pop();
        self.packets.remove(&number)
    }
}
