//! The key that closes things.

use gloo::events::EventListener;
use wasm_bindgen::JsCast as _;
use web_sys::KeyboardEvent;
use yew::prelude::*;

use super::target::is_within;

/// Calls `pressed` when Escape is pressed anywhere but in a dialog, which closes itself.
#[hook]
pub(crate) fn use_escape(pressed: Callback<()>) {
    use_effect_with(pressed, |pressed| {
        let pressed = pressed.clone();
        let listener = EventListener::new(&gloo::utils::document(), "keydown", move |event| {
            let is_escape = event
                .dyn_ref::<KeyboardEvent>()
                .is_some_and(|event| event.key() == "Escape");
            if is_escape && !is_within(event, "dialog") {
                pressed.emit(());
            }
        });
        move || drop(listener)
    });
}
