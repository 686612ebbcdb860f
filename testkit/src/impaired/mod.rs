//! A bad network.
//!
//! * [`Conditions`]: how bad it is in one direction: loss, delay, jitter, rate, black hole
//! * [`Link`]: one direction as a model, without I/O and clock, for tests in virtual time
//! * [`Proxy`]: two such links for UDP and two for TCP on real sockets in front of a server. The binary `impaired-proxy`
//!   is the same for browser tests

mod conditions;
mod line;
mod link;
mod proxy;
mod tcp;
mod udp;

pub use conditions::{Conditions, Path, PathChange};
pub use link::Link;
pub use proxy::{Change, Proxy};
