//! Calls over bad networks: real clients (`media_core::Call`) and a real relay, connected by the model of a network, in
//! virtual time. The encoders are modelled, too: they make frames of the size and rate that they are asked for.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]
#![expect(
    clippy::print_stdout,
    reason = "shown when a test fails: how far all its numbers are from their bounds"
)]

mod client;
mod encoder;
mod scenarios;
mod seen;
mod wire;
mod world;
