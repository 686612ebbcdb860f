//! Participants without a browser whose pictures and sound are real: they publish what a browser has encoded.
//!
//! * [`clip`]: a few seconds of an encoded camera and microphone
//! * [`publisher`]: a participant that publishes a clip, over and over
//!
//! Where [`client`](crate::client) speaks the protocol by hand, these are [`Call`](media_core::call::Call)s: they exist to
//! fill a room as people do, and so do everything that a browser does but encode and decode.

pub mod clip;
pub mod publisher;
