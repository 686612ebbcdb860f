//! Addresses of the files that come with the page.

use wasm_bindgen::JsCast as _;
use web_sys::HtmlMetaElement;

use crate::error::ClientError;

/// The script of the engine worker.
pub(crate) const ENGINE: &str = "engine-url";
/// The script of the painter worker.
pub(crate) const PAINTER: &str = "painter-url";
/// The script of the audio worklets.
pub(crate) const WORKLET_JS: &str = "audio-worklet-js";
/// Their WebAssembly.
pub(crate) const WORKLET_WASM: &str = "audio-worklet-wasm";

/// What takes noise out of a voice, loaded where somebody wants it.
pub(crate) const DENOISER_WASM: &str = "denoiser-wasm";

/// The address that the page's `<meta name="..">` tag gives.
pub(crate) fn url(name: &'static str) -> Result<String, ClientError> {
    web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| {
            document
                .query_selector(&format!("meta[name=\"{name}\"]"))
                .ok()
                .flatten()
        })
        .map(|element| element.unchecked_into::<HtmlMetaElement>().content())
        .ok_or(ClientError::MissingAsset(name))
}
