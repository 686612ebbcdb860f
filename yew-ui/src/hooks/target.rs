//! Where in the page an event happens.

use wasm_bindgen::JsCast as _;
use web_sys::{Element, Event};

/// Whether it happens in an element that `selector` names.
pub(crate) fn is_within(event: &Event, selector: &str) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
        .is_some_and(|element| element.closest(selector).is_ok_and(|found| found.is_some()))
}
