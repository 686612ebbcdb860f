//! What the pages know and how it changes: plain values, no browser.
//!
//! * [`call`]: one call, a reducer over what the client tells and what the person does
//! * [`diagnostics`]: the numbers of the last minute, as plots and as a report
//! * [`layout`]: where the tiles go; [`tiles`]: which tiles there are
//! * [`wishes`]: which pictures of others to receive
//! * [`names`]: meeting and user ids made from what people type
//! * [`shortcut`]: which key does what

pub mod call;
pub mod diagnostics;
pub mod layout;
pub mod names;
pub mod shortcut;
pub mod tiles;
pub mod wishes;
