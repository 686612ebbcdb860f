//! Keys of the call page.

use gloo::events::EventListener;
use wasm_bindgen::JsCast as _;
use web_sys::KeyboardEvent;
use yew::prelude::*;

use super::target::is_within;
use crate::state::shortcut::Shortcut;

/// Elements to which keys mean something when they have the focus.
const TAKES_KEYS: &str = "input, select, textarea, dialog, [contenteditable]";

/// Calls `pressed` for every shortcut, except while the person types or chooses something.
#[hook]
pub(crate) fn use_shortcuts(pressed: Callback<Shortcut>) {
    use_effect_with(pressed, |pressed| {
        let pressed = pressed.clone();
        let listener = EventListener::new(&gloo::utils::document(), "keydown", move |event| {
            let Some(event) = event.dyn_ref::<KeyboardEvent>() else {
                return;
            };
            let modified = event.ctrl_key() || event.meta_key() || event.alt_key();
            if modified || event.repeat() || is_within(event, TAKES_KEYS) {
                return;
            }
            if let Some(shortcut) = Shortcut::of_key(&event.key()) {
                pressed.emit(shortcut);
            }
        });
        move || drop(listener)
    });
}
