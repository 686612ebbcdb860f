//! Hub, sessions and bus over connections in memory; NATS with a real server.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod bus;
mod hub;
mod large_room;
mod limits;
mod nats;
mod nats_packets;
mod overload;
mod slow_receiver;
mod support;
