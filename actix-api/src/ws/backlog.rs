//! What was sent and is still in this process, so that a sender can wait instead of piling it up.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;
use tokio::sync::Notify;

/// Bytes between the writer of a session and its TCP connection. Both live on one thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backlog(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    bytes: Cell<usize>,
    ended: Cell<bool>,
    changed: Notify,
}

impl Backlog {
    /// Adds what was handed over.
    pub(crate) fn add(&self, bytes: usize) {
        self.0.bytes.set(self.0.bytes.get() + bytes);
    }

    /// Waits until less than `limit` bytes wait. False: the connection is gone.
    pub(crate) async fn below(&self, limit: usize) -> bool {
        while self.0.bytes.get() >= limit && !self.0.ended.get() {
            self.0.changed.notified().await;
        }
        !self.0.ended.get()
    }

    /// Waits until the connection has taken all, or is gone.
    pub(crate) async fn ended(&self) {
        while !self.0.ended.get() {
            self.0.changed.notified().await;
        }
    }
}

/// A WebSocket's body that tells its backlog when the connection takes something.
pub(crate) struct MeteredBody {
    body: BoxBody,
    backlog: Backlog,
}

impl MeteredBody {
    pub(crate) fn new(body: BoxBody, backlog: Backlog) -> Self {
        Self { body, backlog }
    }
}

impl MessageBody for MeteredBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let chunk = ready!(Pin::new(&mut self.body).poll_next(context));
        // actix-ws hands over all that was sent as one chunk.
        self.backlog.0.bytes.set(0);
        self.backlog.0.changed.notify_one();
        Poll::Ready(chunk)
    }
}

impl Drop for MeteredBody {
    fn drop(&mut self) {
        self.backlog.0.ended.set(true);
        self.backlog.0.changed.notify_one();
    }
}
