//! The title of the page.

use yew::prelude::*;

/// Names the browser's tab after `place`.
#[hook]
pub(crate) fn use_title(place: AttrValue) {
    use_effect_with(place, |place| {
        gloo::utils::document().set_title(&format!("{place} · videocall"))
    });
}
