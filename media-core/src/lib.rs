//! Every decision of a client, without I/O, clock, randomness or browser: it builds natively and for `wasm32`.
//!
//! [`Call`](call::Call) is the whole client. Its driver (the browser's engine worker, a native task, a test) does this:
//!
//! 1. hand it one [`Input`] with the present time,
//! 2. carry out what [`Call::poll_command`](call::Call::poll_command) returns until it returns `None`,
//! 3. call [`Call::handle_timeout`](call::Call::handle_timeout) when the moment of
//!    [`Call::poll_timeout`](call::Call::poll_timeout) has come.
//!
//! Audio playout is apart from that, in [`playout`]: it runs where samples are due, in the AudioWorklet.
//! So are [`capture`], what the driver asks about pictures and sound before they are encoded, [`sync`], which pictures pass
//! through once they are decoded, and [`outputs`], what it adds to the call's numbers.

pub mod call;
pub mod capture;
pub mod command;
pub mod event;
pub mod frame;
pub mod input;
pub mod outputs;
pub mod playout;
pub mod sync;

pub use command::Command;
pub use event::Event;
pub use input::Input;
