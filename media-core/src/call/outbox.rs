//! What the driver is yet to do.

use std::collections::VecDeque;

use videocall_types::Packet;

use crate::command::{Command, Lane, TransportId};
use crate::event::Event;

/// Commands in order, and the transport that packets go to.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    commands: VecDeque<Command>,
    transport: Option<TransportId>,
    sent_bytes: u64,
    total_sent: u64,
}

impl Outbox {
    pub(super) fn push(&mut self, command: Command) {
        self.commands.push_back(command);
    }

    pub(super) fn emit(&mut self, event: Event) {
        self.push(Command::Emit(event));
    }

    /// Sends `packet` if there is a connection.
    pub(super) fn send(&mut self, packet: Packet, lane: Lane) {
        if let Some(id) = self.transport {
            let bytes = packet.len() as u64;
            self.sent_bytes = self.sent_bytes.saturating_add(bytes);
            self.total_sent = self.total_sent.saturating_add(bytes);
            self.push(Command::Send { id, packet, lane });
        }
    }

    /// Where packets go from now on; `None`: nowhere.
    pub(super) fn route(&mut self, transport: Option<TransportId>) {
        self.transport = transport;
        (self.sent_bytes, self.total_sent) = (0, 0);
    }

    /// Bytes sent since the last [`route`](Self::route).
    pub(super) const fn total_sent(&self) -> u64 {
        self.total_sent
    }

    /// Bytes sent since the last call or the last [`route`](Self::route).
    pub(super) fn take_sent_bytes(&mut self) -> u64 {
        std::mem::take(&mut self.sent_bytes)
    }

    pub(super) fn pop(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }
}
