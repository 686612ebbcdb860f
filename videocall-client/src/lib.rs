//! The client library in a browser: edges around [`media_core::call::Call`].
//!
//! One WebAssembly binary runs twice. On the page, [`Client`] holds what only a page can hold: devices, the audio graph,
//! canvases. In a dedicated Worker, [`engine::run`] owns the `Call` with its network, codecs and rendering, so that a busy
//! page can't disturb media. `protocol` is what the two tell each other.
//!
//! The page must name its assets in `<meta>` tags: `engine-url`, `audio-worklet-js` and `audio-worklet-wasm`.

#![cfg(target_arch = "wasm32")]

pub mod devices;
pub mod engine;
pub mod error;
pub mod support;

mod assets;
mod audio_graph;
mod audio_output;
mod capture;
mod client;
mod codec;
mod config;
mod engine_link;
mod js;
mod painter;
mod preference;
mod protocol;

pub use client::{Client, ClientEvent, Options};
pub use config::fetch_config;
pub use engine_link::Engine;
pub use error::{CaptureError, ClientError, Exception};
pub use protocol::Level;
