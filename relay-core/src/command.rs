//! What a room wants done.

use videocall_types::{Bytes, SessionId};

use crate::forward::Forward;

/// What a room wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Give this to these sessions of this relay.
    Send {
        /// The receivers.
        to: Vec<SessionId>,
        /// What they get.
        forward: Forward,
    },
    /// So many bits per second would be of use to a session whose connection does not carry all that it shows; `None`: it does.
    Want {
        /// Which session.
        session: SessionId,
        /// In all, sound included.
        wanted: Option<u64>,
    },
    /// A session is gone: nothing more comes from it. For every session of this relay.
    Forget(SessionId),
    /// Give this serialized `BusEvent` to the other relays.
    Publish(Bytes),
}
