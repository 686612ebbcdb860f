//! What can go wrong on the page.

use wasm_bindgen::{JsCast as _, JsValue};

/// An exception of the browser.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct Exception {
    /// Its class, such as `NotAllowedError`.
    pub name: String,
    /// Its text.
    pub message: String,
}

impl From<JsValue> for Exception {
    fn from(value: JsValue) -> Self {
        match value.dyn_into::<js_sys::Error>() {
            Ok(error) => Self {
                name: error.name().into(),
                message: error.message().into(),
            },
            Err(value) => Self {
                name: "Exception".to_owned(),
                message: format!("{value:?}"),
            },
        }
    }
}

/// Why a [`Client`](crate::Client) could not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// `GET /api/v1/config` got no answer.
    #[error("the server can't be reached: {0}")]
    Unreachable(Exception),
    /// `GET /api/v1/config` got an answer that this version can't read.
    #[error("the server's answer can't be read: {0}")]
    BadConfig(String),
    /// The page lacks one of the `<meta>` tags that name the assets.
    #[error("the page has no <meta name=\"{0}\">")]
    MissingAsset(&'static str),
    /// The engine worker could not be started or reached.
    #[error("the media engine failed: {0}")]
    Engine(Exception),
    /// The audio graph could not be made.
    #[error("sound failed: {0}")]
    Audio(Exception),
    /// A track can't be captured.
    #[error("capture failed: {0}")]
    Capture(Exception),
}

/// Why a camera, microphone or screen could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// The person or a policy said no.
    #[error("permission denied")]
    PermissionDenied,
    /// There is no such device.
    #[error("no such device")]
    NotFound,
    /// Another program holds the device.
    #[error("the device is in use")]
    InUse,
    /// The person closed the browser's choice of screens.
    #[error("cancelled")]
    Cancelled,
    /// The page is neither on https nor on localhost, so that browsers hide all devices.
    #[error("devices need https or localhost")]
    Insecure,
    /// Anything else.
    #[error("{0}")]
    Other(Exception),
}

impl From<Exception> for CaptureError {
    fn from(exception: Exception) -> Self {
        match exception.name.as_str() {
            "NotAllowedError" | "SecurityError" => Self::PermissionDenied,
            "NotFoundError" | "OverconstrainedError" => Self::NotFound,
            "NotReadableError" | "AbortError" => Self::InUse,
            _ => Self::Other(exception),
        }
    }
}
