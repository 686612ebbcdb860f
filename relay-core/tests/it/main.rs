//! Rooms, queues and ingress from outside: scenarios with exact outputs, and random input with what always holds.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod downlink;
mod ingress;
mod large_room;
mod loudest;
mod overload;
mod queue;
mod random_queue;
mod random_rooms;
mod redundancy;
mod resume;
mod room;
mod speakers;
mod support;
mod video_limit;
mod wishes;
mod world;
