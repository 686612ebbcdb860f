//! How the person looks at a screen that somebody shares.

use gloo::events::EventListener;
use web_sys::Element;
use yew::prelude::*;

/// In its own size or fitted, in all of the display or in its tile.
#[derive(Clone, PartialEq)]
pub(crate) struct View {
    /// Pixel by pixel; what does not fit is scrolled to.
    pub(crate) actual_size: bool,
    pub(crate) full_screen: bool,
    pub(crate) toggle_size: Callback<()>,
    pub(crate) toggle_full_screen: Callback<()>,
}

/// Fitted into its tile at first. `tile` is what fills the display in full screen.
#[hook]
pub(crate) fn use_view(tile: NodeRef) -> View {
    let actual_size = use_state(|| false);
    let full_screen = use_state(|| false);
    // It also ends by the browser's own key.
    use_effect_with(tile.clone(), {
        let full_screen = full_screen.setter();
        move |tile| {
            let tile = tile.clone();
            let document = gloo::utils::document();
            let listener = EventListener::new(&document, "fullscreenchange", move |_| {
                let shown = gloo::utils::document().fullscreen_element();
                full_screen.set(shown.is_some() && shown == tile.cast::<Element>());
            });
            move || drop(listener)
        }
    });
    let toggle_size = use_callback(
        (actual_size.setter(), *actual_size),
        |(), (set, actual_size)| set.set(!actual_size),
    );
    let toggle_full_screen = use_callback((tile, *full_screen), |(), (tile, full_screen)| {
        if *full_screen {
            gloo::utils::document().exit_fullscreen();
        } else if let Some(tile) = tile.cast::<Element>() {
            // Where the browser refuses, the screen stays in its tile.
            let _ = tile.request_fullscreen();
        }
    });
    View {
        actual_size: *actual_size,
        full_screen: *full_screen,
        toggle_size,
        toggle_full_screen,
    }
}
