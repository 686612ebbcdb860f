//! The servers from outside, over real sockets: clients that speak the protocol by hand against a whole server.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests fail by panicking"
)]

mod cluster;
mod drain;
mod hostile;
mod http;
mod impaired;
mod join;
mod media;
mod presence;
mod redundancy;
mod resume;
mod secure;
mod separate;
mod slow;
mod stop;
