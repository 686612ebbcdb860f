//! A call as its driver sees it: inputs and times in, exact commands out.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

mod connecting;
mod demand;
mod hostile;
mod layers;
mod lossy_sound;
mod publishing;
mod receiving;
mod recovering;
mod relay;
mod rig;
mod show;
mod trouble;
mod two_calls;
mod wishes;
