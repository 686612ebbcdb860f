//! Small helpers for values that `web-sys` has no types for.

use js_sys::{JSON, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{ErrorEvent, Event};

use crate::error::Exception;

/// A plain object of JavaScript, such as a dictionary argument.
pub(crate) fn object<T: JsCast>(json: &serde_json::Value) -> Result<T, Exception> {
    Ok(JSON::parse(&json.to_string())?.unchecked_into())
}

/// A property; `undefined` where there is none.
pub(crate) fn get(target: &JsValue, key: &str) -> JsValue {
    Reflect::get(target, &key.into()).unwrap_or(JsValue::UNDEFINED)
}

/// Sets a property of a plain object.
pub(crate) fn set(target: &JsValue, key: &str, value: &JsValue) -> Result<(), Exception> {
    Reflect::set(target, &key.into(), value)?;
    Ok(())
}

/// Whether the global scope has this name.
pub(crate) fn has_global(name: &str) -> bool {
    !get(&js_sys::global(), name).is_undefined()
}

/// Why a Worker has broken, from its `error` event.
pub(crate) fn worker_error(event: &Event) -> String {
    event
        .dyn_ref::<ErrorEvent>()
        .map_or_else(|| "it could not be loaded".to_owned(), ErrorEvent::message)
}

/// Ignores how a promise ends, so that the console doesn't report a rejection as unhandled.
pub(crate) fn ignore(promise: Promise) {
    spawn_local(async move {
        let _ = JsFuture::from(promise).await;
    });
}
