//! The vocabulary that every part of the platform shares.
//!
//! * [`id`]: ids of meetings, users, sessions and servers, and the one check of their alphabet
//! * [`proto`]: the generated wire messages; [`packet`]: reading and stamping them without copying the payload
//! * [`framing`]: packets on a long-lived stream
//! * [`wishes`], [`demand`]: which video tracks a receiver shows, and what publishers hear of it; [`layers`]: the ladder
//! * [`recent`]: which of the last frames came
//! * [`report`], [`bandwidth`]: how much a connection carries, which both ends find out alike
//! * [`redundancy`]: how often sound is to be sent; [`resume`]: what lets a client come back into its session
//! * [`limits`], [`close`], [`time`]: sizes, close codes and the time type that both sides agree on
//! * [`api`], [`claims`]: HTTP bodies and room-token claims
//!
//! No I/O, no async, no clock. Builds natively and for `wasm32`. `PROTOCOL.md` is the prose version of this crate.

pub mod api;
pub mod bandwidth;
pub mod claims;
pub mod close;
pub mod demand;
pub mod framing;
pub mod id;
pub mod layers;
pub mod limits;
pub mod packet;
pub mod recent;
pub mod redundancy;
pub mod report;
pub mod resume;
pub mod routing;
pub mod time;
pub mod wishes;

/// Generated from `proto/*.proto`.
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod proto {
    include!(concat!(env!("OUT_DIR"), "/proto/mod.rs"));
}

pub use bytes::Bytes;
pub use close::CloseCode;
pub use demand::{Interest, TrackDemand};
pub use id::{DisplayName, MeetingId, ServerId, SessionId, UserId};
pub use layers::LayerSet;
pub use packet::{Packet, PacketHeader, PacketKind};
pub use recent::Recent;
pub use redundancy::Redundancy;
pub use resume::{Resume, ResumeSecret};
pub use routing::{Codec, Routing, Track};
pub use time::Timestamp;
pub use wishes::Wishes;
