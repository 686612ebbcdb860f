//! Where the keyboard is.

use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;
use yew::prelude::*;

/// Gives `node` the focus when the component appears, and gives it back when the component goes.
#[hook]
pub(crate) fn use_focus(node: NodeRef) {
    use_effect_with(node, |node| {
        let before = gloo::utils::document()
            .active_element()
            .and_then(|element| element.dyn_into::<HtmlElement>().ok());
        focus(node.cast::<HtmlElement>());
        move || focus(before)
    });
}

fn focus(element: Option<HtmlElement>) {
    if let Some(element) = element {
        // What can't be focused any more leaves the focus where it is.
        let _ = element.focus();
    }
}
