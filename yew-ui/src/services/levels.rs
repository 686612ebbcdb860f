//! Shows how loud people are.

use videocall_client::Level;
use videocall_types::{SessionId, Track};
use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;

/// Puts a level on the tile of its person, past the virtual DOM: levels come many times a second. `own` is our own session.
pub(crate) fn show(level: &Level, own: Option<SessionId>) {
    if level.track != Track::Microphone {
        return;
    }
    let selector = if own == Some(level.session) {
        "[data-self]".to_owned()
    } else {
        format!("[data-session='{}'][data-track='camera']", level.session)
    };
    let tile = gloo::utils::document()
        .query_selector(&selector)
        .ok()
        .flatten();
    if let Some(tile) = tile.and_then(|tile| tile.dyn_into::<HtmlElement>().ok()) {
        let value = format!("{:.3}", level.level);
        // Neither fails for these constant names.
        let _ = tile.set_attribute("data-level", &value);
        let _ = tile.style().set_property("--level", &value);
    }
}
