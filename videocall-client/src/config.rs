//! What the server says about itself.

use serde_json::json;
use videocall_types::api::ServerConfig;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use crate::error::{ClientError, Exception};
use crate::js;

#[wasm_bindgen]
extern "C" {
    /// Of the page's scope or the worker's.
    #[wasm_bindgen(catch)]
    fn fetch(path: &str, options: &JsValue) -> Result<js_sys::Promise, JsValue>;
}

/// `GET /api/v1/config` of the page's origin.
///
/// # Errors
/// [`ClientError::Unreachable`] or [`ClientError::BadConfig`].
pub async fn fetch_config() -> Result<ServerConfig, ClientError> {
    let text = fetch_text("/api/v1/config")
        .await
        .map_err(ClientError::Unreachable)?;
    serde_json::from_str(&text).map_err(|error| ClientError::BadConfig(error.to_string()))
}

async fn fetch_text(path: &str) -> Result<String, Exception> {
    let options: JsValue = js::object(&json!({ "cache": "no-store" }))?;
    let response: Response = JsFuture::from(fetch(path, &options)?)
        .await?
        .unchecked_into();
    if !response.ok() {
        return Err(Exception {
            name: "HttpError".to_owned(),
            message: response.status().to_string(),
        });
    }
    Ok(JsFuture::from(response.text()?)
        .await?
        .as_string()
        .unwrap_or_default())
}
