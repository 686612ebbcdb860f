//! Messages between the writer of a session and its TCP connection. All that wait when the connection looks are written
//! in one go, as they are: a message is the same for every receiver.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;
use tokio::sync::Notify;

/// The writer's end. It and the connection live on one thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outbox(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    messages: RefCell<VecDeque<Bytes>>,
    bytes: Cell<usize>,
    ended: Cell<bool>,
    /// Of the connection, while it waits for messages.
    connection: RefCell<Option<Waker>>,
    changed: Notify,
}

impl Outbox {
    /// Hands over a whole message, its head included.
    pub(crate) fn push(&self, message: Bytes) {
        self.0.bytes.set(self.0.bytes.get() + message.len());
        self.0.messages.borrow_mut().push_back(message);
        if let Some(connection) = self.0.connection.take() {
            connection.wake();
        }
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

    fn pop(&self) -> Option<Bytes> {
        let message = self.0.messages.borrow_mut().pop_front()?;
        self.0.bytes.set(self.0.bytes.get() - message.len());
        self.0.changed.notify_one();
        Some(message)
    }
}

/// The connection's end: the messages of an outbox, and then what actix-ws itself has to say.
pub(crate) struct OutboxBody {
    outbox: Outbox,
    own: BoxBody,
}

impl OutboxBody {
    pub(crate) fn new(outbox: Outbox, own: BoxBody) -> Self {
        Self { outbox, own }
    }
}

impl MessageBody for OutboxBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.own.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if let Some(message) = self.outbox.pop() {
            return Poll::Ready(Some(Ok(message)));
        }
        self.outbox
            .0
            .connection
            .replace(Some(context.waker().clone()));
        Pin::new(&mut self.own).poll_next(context)
    }
}

impl Drop for OutboxBody {
    fn drop(&mut self) {
        self.outbox.0.ended.set(true);
        self.outbox.0.changed.notify_one();
    }
}
