//! Both relay services, the HTTP API and the web app in one process, on one hub.

pub mod app;
pub mod config;

pub use app::App;
pub use config::Config;
