//! How fast the relay is, beside floors and peers that are measured in the same run.
//!
//! * [`scenario`]: who sends what to whom; [`measure`]: what a run yields
//! * [`load`]: the load generator: thousands of connections on one thread, every delivered packet checked; of
//!   [`payload`] in the rhythm of [`pacing`] over [`client`] connections
//! * [`floor`]: servers that do nothing but fan out

pub mod client;
pub mod floor;
pub mod load;
pub mod measure;
pub mod pacing;
pub mod payload;
pub mod procfs_self;
pub mod scenario;
mod track;
