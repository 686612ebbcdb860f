//! Every rule of a room, without I/O, clock or randomness of its own.
//!
//! * [`ingress`]: what a client's or another relay's bytes are, and whether they may go on
//! * [`room`]: who is in a room, who gets a packet, who is told what; with [`presence`], [`keyframe`], [`remote`]
//! * [`queue`]: what waits in front of one receiver, what goes next, and what is dropped
//! * [`rate`]: what one session may send
//! * [`overload`]: how loaded the process is, and what it gives up for that
//! * [`policy`]: every duration and limit of these
//!
//! # Driving a room
//!
//! A [`Room`] has two paths. The data path, [`Room::route`], answers at once with the receivers of a packet. The control path
//! takes inputs (`join`, `leave`, `handle_*`, `request_keyframe`); after any call of either path the driver carries out
//! [`Room::poll_command`] until it is `None`, and calls [`Room::handle_timeout`] no later than [`Room::poll_timeout`] says.
//! `now` never goes back.

pub mod command;
mod demand;
pub mod drop_reason;
pub mod forward;
pub mod ingress;
pub mod keyframe;
mod last_n;
mod layers;
mod loudest;
pub mod member;
pub mod messages;
pub mod overload;
pub mod policy;
pub mod presence;
pub mod queue;
pub mod rate;
mod redundancy;
pub mod remote;
pub mod room;
mod selection;
mod speakers;

pub use command::Command;
pub use drop_reason::DropReason;
pub use forward::{Content, Forward, LayerId, TrackId};
pub use member::{Dialect, MediaState, Profile};
pub use overload::{Level, Overload, Sample};
pub use policy::Policy;
pub use room::{JoinError, NewMember, Room};
