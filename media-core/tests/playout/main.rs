//! Playout under everything that networks and senders do to it, in virtual time.

#![expect(
    clippy::indexing_slicing,
    reason = "a test that reaches too far shall panic"
)]

mod disturbances;
mod mixing;
mod network;
mod properties;
mod sound;
mod support;
