//! Relays that meet at NATS, in two subjects per meeting.

mod connection;
mod place;

use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU8;
use std::sync::Arc;

use async_nats::ServerAddr;
use futures_util::future::{join_all, try_join_all};
use videocall_types::MeetingId;

use super::BusError;
use connection::Connection;

pub(super) use place::Place;

/// Connects processes through NATS. Cheap to clone.
#[derive(Clone, Debug)]
pub struct NatsBus {
    first: Connection,
    more: Arc<[Connection]>,
    hasher: RandomState,
}

impl NatsBus {
    /// Makes `connections`. `url` may name several servers, separated by commas.
    ///
    /// # Errors
    /// [`BusError`] if the URL can't be read or no server answers.
    pub async fn connect(url: &str, connections: NonZeroU8) -> Result<Self, BusError> {
        let servers: Vec<ServerAddr> = url
            .split(',')
            .map(|server| server.trim().parse())
            .collect::<Result<_, _>>()
            .map_err(|_| BusError::Url)?;
        let first = Connection::open(servers.clone()).await?;
        let more = (1..connections.get()).map(|_| Connection::open(servers.clone()));
        Ok(Self {
            first,
            more: try_join_all(more).await?.into(),
            hasher: RandomState::new(),
        })
    }

    /// Whether every connection is there, so that every room reaches the other processes.
    pub(super) fn is_connected(&self) -> bool {
        self.all().all(Connection::is_connected)
    }

    pub(super) fn open(&self, meeting: &MeetingId) -> Place {
        Place::open(self.connection_of(meeting).clone(), meeting)
    }

    pub(super) async fn flush(&self) {
        join_all(self.all().map(Connection::flush)).await;
    }

    /// A meeting stays with its connection, also when its room ends and another one opens: what was said before would
    /// otherwise come after.
    fn connection_of(&self, meeting: &MeetingId) -> &Connection {
        let count = self.more.len() as u64 + 1;
        let index = (self.hasher.hash_one(meeting) % count) as usize;
        self.all().nth(index).unwrap_or(&self.first)
    }

    fn all(&self) -> impl Iterator<Item = &Connection> {
        std::iter::once(&self.first).chain(self.more.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_url_that_is_none_is_refused_without_repeating_it() {
        let error = NatsBus::connect("nats://user:secret@[", NonZeroU8::MIN)
            .await
            .unwrap_err();
        assert!(matches!(error, BusError::Url));
        assert!(!error.to_string().contains("secret"));
    }
}
