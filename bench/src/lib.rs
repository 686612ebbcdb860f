//! How fast the relay is, beside floors and peers that are measured in the same run.
//!
//! * [`scenario`]: who sends what to whom; [`measure`]: what a run yields
//! * [`load`]: the load generator: thousands of connections on one thread, every delivered packet checked

pub mod load;
pub mod measure;
pub mod scenario;
