//! How fast the relay is, beside floors and peers that are measured in the same run.
//!
//! * [`scenario`]: who sends what to whom; [`measure`]: what a run yields
//! * [`load`]: the load generator: thousands of connections on one thread, every delivered packet checked; of
//!   [`payload`] in the rhythm of [`pacing`] over [`client`] connections
//! * [`adapter`]: a load generator in another program; [`floor`]: servers that do nothing but fan out
//! * [`plan`]: which servers are measured in which order; [`suite`]: does it; [`server`], [`procfs`], [`machine`]: its hands and eyes
//! * [`stats`] and [`figures`]: what results mean; [`targets`], [`render`], [`check`]: what is told of them

pub mod adapter;
pub mod check;
pub mod client;
pub mod figures;
pub mod floor;
pub mod load;
pub mod machine;
pub mod measure;
pub mod pacing;
pub mod payload;
pub mod plan;
pub mod procfs;
pub mod render;
mod scale;
pub mod scenario;
pub mod server;
pub mod stats;
pub mod suite;
pub mod targets;
#[cfg(test)]
mod testing;
mod track;
