//! Keys of the call page.

use gloo::events::EventListener;
use wasm_bindgen::JsCast as _;
use web_sys::{Element, KeyboardEvent};
use yew::prelude::*;

use crate::state::shortcut::Shortcut;

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
            if modified || event.repeat() || takes_keys(event) {
                return;
            }
            if let Some(shortcut) = Shortcut::of_key(&event.key()) {
                pressed.emit(shortcut);
            }
        });
        move || drop(listener)
    });
}

/// Whether the key means something to the element that has the focus.
fn takes_keys(event: &KeyboardEvent) -> bool {
    let element = event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok());
    element.is_some_and(|element| {
        element
            .closest("input, select, textarea, dialog, [contenteditable]")
            .ok()
            .flatten()
            .is_some()
    })
}
