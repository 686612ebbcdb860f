//! Remembers which transport worked, across page loads.

use media_core::Event;
use media_core::command::TransportKind;
use media_core::event::Connection;
use serde::{Deserialize, Serialize};
use web_sys::Storage;

const KEY: &str = "videocall.transport";
/// How long it counts, in milliseconds: networks change, and the better transport shall get its chance again.
const VALID_MS: f64 = 600_000.0;

#[derive(Serialize, Deserialize)]
struct Preference {
    transport: TransportKind,
    /// Milliseconds since the Unix epoch.
    at: f64,
}

/// The transport of the last connection, if that is not long ago.
pub(crate) fn load() -> Option<TransportKind> {
    let text = storage()?.get_item(KEY).ok()??;
    let preference: Preference = serde_json::from_str(&text).ok()?;
    let age = js_sys::Date::now() - preference.at;
    (0.0..VALID_MS)
        .contains(&age)
        .then_some(preference.transport)
}

/// Keeps the transport if `event` tells one.
pub(crate) fn observe(event: &Event) {
    if let Event::Connection(Connection::Connected { transport, .. }) = event {
        let preference = Preference {
            transport: *transport,
            at: js_sys::Date::now(),
        };
        if let (Some(storage), Ok(text)) = (storage(), serde_json::to_string(&preference)) {
            // It is a hint only: a full or forbidden storage does no harm.
            let _ = storage.set_item(KEY, &text);
        }
    }
}

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}
