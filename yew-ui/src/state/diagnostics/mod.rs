//! What the diagnostics panel and a bug report tell of a call.
//!
//! * [`history`]: the numbers of the last minute
//! * [`measure`]: which of them are told, and how they read
//! * [`sparkline`]: how they are drawn
//! * [`report`]: all of it as JSON
//!
//! What is not known is left out.

pub mod history;
pub mod measure;
pub mod report;
pub mod sparkline;
