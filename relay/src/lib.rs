//! The shell that both relay services share: tokio, the bus and everything else with a clock or a socket around the rules
//! of `relay-core`.
//!
//! * [`admission`], [`token`]: who comes in, and into which room
//! * [`hub`]: the rooms of this process; each is owned by one task
//! * [`session`]: one connection, over any [`transport`]; [`duplex`] is the transport in memory
//! * [`wakeups`]: how often a thread looks for packets
//! * [`overload`]: what the process gives up when there is too much to do
//! * [`bus`]: what connects the relays of one deployment
//! * [`service`], [`config`], [`public`], [`certificates`], [`lifecycle`], [`metrics`]: what every server needs besides
//!
//! A packet's way: the session's inbound half reads and stamps it, the room's task names the receivers and hands each a
//! reference, the outbound half of each receiver's session queues and sends it. All channels between them are bounded.

pub mod admission;
pub mod bus;
pub mod certificates;
mod clock;
pub mod config;
pub mod duplex;
pub mod hub;
pub mod lifecycle;
mod membership;
pub mod metrics;
pub mod overload;
pub mod public;
mod room_task;
pub mod service;
pub mod session;
pub mod token;
pub mod transport;
pub mod wakeups;

pub use admission::{AccessPolicy, Admission, AdmissionError};
pub use bus::{Bus, BusError};
pub use clock::Clock;
pub use hub::{Entry, Hub, HubConfig, JoinError, Membership, Status};
pub use relay_core::{Dialect, Level, Policy, Sample};
