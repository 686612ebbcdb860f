//! Packets as WebSocket messages.

use std::time::Duration;

use actix_ws::{CloseReason, MessageStream, Session};
use futures_util::StreamExt as _;
use relay::transport::{NoDatagrams, Outgoing, PacketWriter, WriteError};
use tokio::time::timeout;
use videocall_types::CloseCode;

use super::outbox::Outbox;
use crate::connection::Connection;

/// What may wait for the connection: more shall wait in the session's queue, which can drop it.
const MAX_BACKLOG: usize = 32 * 1024;
/// How long a client may take to read why its session ends.
const CLOSE_DEADLINE: Duration = Duration::from_secs(1);

/// Writes one packet per binary message.
pub(crate) struct WsWriter {
    sender: Session,
    outbox: Outbox,
    connection: Option<Connection>,
}

impl WsWriter {
    pub(crate) fn new(sender: Session, outbox: Outbox, connection: Option<Connection>) -> Self {
        Self {
            sender,
            outbox,
            connection,
        }
    }

    /// Closes a connection that gets no session. What its client sends meanwhile is read and dropped: with unread
    /// bytes the connection would be reset, and the client would not see the reason.
    pub(crate) async fn refuse(self, code: CloseCode, mut messages: MessageStream) {
        let ignore = async { while let Some(Ok(_)) = messages.next().await {} };
        tokio::join!(self.close(code), timeout(CLOSE_DEADLINE, ignore)).0
    }
}

impl PacketWriter for WsWriter {
    type Datagrams = NoDatagrams;

    fn datagrams(&self) -> NoDatagrams {
        NoDatagrams
    }

    async fn send(&mut self, out: &Outgoing) -> Result<(), WriteError> {
        if !self.outbox.below(MAX_BACKLOG).await {
            return Err(WriteError);
        }
        self.outbox.push(out.packet.message());
        Ok(())
    }

    async fn close(self, code: CloseCode) {
        let reason = CloseReason {
            code: code.code().into(),
            description: Some(code.reason().to_owned()),
        };
        let close = async {
            // Fails if the connection is gone, which is what is wanted.
            let _ = self.sender.close(Some(reason)).await;
            self.outbox.ended().await;
        };
        let closed = timeout(CLOSE_DEADLINE, close).await.is_ok();
        if let (false, Some(connection)) = (closed, &self.connection) {
            connection.abort();
        }
    }
}
