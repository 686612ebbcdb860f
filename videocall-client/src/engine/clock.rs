//! The engine's clock.

use videocall_types::Timestamp;
use wasm_bindgen::JsCast as _;
use web_sys::WorkerGlobalScope;

/// Microseconds since the Unix epoch, but monotonic: it counts from the time when the worker started.
pub(super) fn now() -> Timestamp {
    let scope = js_sys::global().unchecked_into::<WorkerGlobalScope>();
    let millis = scope.performance().map_or(0.0, |performance| {
        performance.time_origin() + performance.now()
    });
    Timestamp::from_micros((millis * 1000.0) as u64)
}
