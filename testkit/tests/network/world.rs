//! A meeting: a relay and the people in it.

use std::num::NonZeroU8;
use std::time::Duration;

use futures_util::future::join_all;
use relay::overload::Sampler;
use relay::{Bus, Clock, Hub, HubConfig, Policy, Sample};
use testkit::impaired::Conditions;
use videocall_types::{SessionId, Timestamp, Track, Wishes};

use crate::client::Client;
use crate::seen::Seen;
use crate::wire::{Kind, Wire};

/// A process with nothing to do.
struct Calm;

impl Sampler for Calm {
    fn sample(&mut self) -> Sample {
        Sample::default()
    }
}

pub(crate) struct World {
    hub: Hub,
    kind: Kind,
    clock: Clock,
    pub(crate) clients: Vec<Client>,
    wires: Vec<(Wire, Wire)>,
    seed: u64,
}

impl World {
    pub(crate) async fn new(kind: Kind, seed: u64) -> Self {
        let bus = Bus::connect(None, NonZeroU8::MIN).await.unwrap();
        Self {
            hub: Hub::with_sampler(HubConfig::default(), bus, Policy::default(), Calm),
            kind,
            clock: Clock::start(),
            clients: Vec::new(),
            wires: Vec::new(),
            seed,
        }
    }

    /// Somebody joins on links of these conditions.
    pub(crate) async fn join(
        &mut self,
        up: Conditions,
        down: Conditions,
        publishes: bool,
    ) -> usize {
        let index = self.clients.len();
        let seed = self.seed * 1_000 + index as u64 * 2;
        let up = Wire::new(self.kind, up, seed, self.clock);
        let down = Wire::new(self.kind, down, seed + 1, self.clock);
        self.wires.push((up.clone(), down.clone()));
        let name = format!("u{index}");
        let mut client = Client::new(
            &name,
            &self.hub,
            self.kind,
            (up, down),
            publishes,
            self.clock,
        );
        client.join().await;
        self.clients.push(client);
        index
    }

    pub(crate) fn set_down(&self, client: usize, conditions: Conditions) {
        self.wires[client].1.set(conditions);
    }

    pub(crate) fn set_up(&self, client: usize, conditions: Conditions) {
        self.wires[client].0.set(conditions);
    }

    /// Bytes that were sent to a client so far.
    pub(crate) fn bytes_down(&self, client: usize) -> u64 {
        self.wires[client].1.bytes()
    }

    /// Lets time pass for everybody; says from when to when.
    pub(crate) async fn run(&mut self, seconds: u64) -> (Timestamp, Timestamp) {
        let from = self.clock.now();
        let end = from + Duration::from_secs(seconds);
        join_all(self.clients.iter_mut().map(|client| client.run_until(end))).await;
        (from, end)
    }

    /// A client shows one picture large and all others small.
    pub(crate) async fn focus(&mut self, client: usize, focused: usize) {
        let sessions: Vec<(usize, SessionId)> = (0..self.clients.len())
            .filter(|other| *other != client)
            .map(|other| (other, self.session(other)))
            .collect();
        let shown = sessions.into_iter().map(|(other, session)| {
            let height = if other == focused { 720 } else { 120 };
            ((session, Track::Camera), height)
        });
        let wishes = Wishes {
            shown: shown.collect(),
            others: false,
        };
        self.clients[client].show(wishes).await;
    }

    /// A client shows one picture in so many rows, or not at all, and no other.
    pub(crate) async fn show(&mut self, client: usize, of: usize, rows: u32) {
        let mut wishes = Wishes::nothing();
        if rows > 0 {
            let track = (self.session(of), Track::Camera);
            wishes.shown.insert(track, rows);
        }
        self.clients[client].show(wishes).await;
    }

    pub(crate) fn session(&self, client: usize) -> SessionId {
        self.clients[client].session.unwrap()
    }

    /// What `client` got of `of`.
    pub(crate) fn seen(&self, client: usize, of: usize) -> Seen {
        let session = self.session(of);
        let seen = self.clients[client].seen.get(&session);
        seen.cloned().unwrap_or_default()
    }
}
