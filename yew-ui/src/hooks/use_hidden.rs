//! Whether anybody can see the page.

use gloo::events::EventListener;
use web_sys::VisibilityState;
use yew::prelude::*;

/// True while another tab is in front of the page or its window is minimised.
#[hook]
pub(crate) fn use_hidden() -> bool {
    let hidden = use_state_eq(is_hidden);
    use_effect_with((), {
        let hidden = hidden.setter();
        move |()| {
            let document = gloo::utils::document();
            let listener = EventListener::new(&document, "visibilitychange", move |_| {
                hidden.set(is_hidden());
            });
            move || drop(listener)
        }
    });
    *hidden
}

fn is_hidden() -> bool {
    gloo::utils::document().visibility_state() == VisibilityState::Hidden
}
