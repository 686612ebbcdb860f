//! Buttons on a screen that somebody shares.

use yew::prelude::*;

use super::icon::{Icon, Symbol};
use crate::hooks::use_view::View;

/// Keys that do the same while the screen has the focus.
const SIZE_KEY: &str = "Z";
const FULL_SCREEN_KEY: &str = "F";

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) view: View,
}

/// Its own size, and full screen where the browser has it.
#[component]
pub(crate) fn ViewTools(props: &Props) -> Html {
    let view = &props.view;
    let (size, size_icon) = if view.actual_size {
        ("Fit the screen in", Icon::Fit)
    } else {
        ("Zoom to actual size", Icon::Zoom)
    };
    let (full, full_icon) = if view.full_screen {
        ("Leave full screen", Icon::FullScreenOff)
    } else {
        ("Full screen", Icon::FullScreen)
    };
    html! {
        <div class="view-tools" role="toolbar" aria-label="View of the screen">
            { button(size, SIZE_KEY, size_icon, &view.toggle_size) }
            if gloo::utils::document().fullscreen_enabled() {
                { button(full, FULL_SCREEN_KEY, full_icon, &view.toggle_full_screen) }
            }
        </div>
    }
}

fn button(label: &'static str, key: &'static str, icon: Icon, pressed: &Callback<()>) -> Html {
    let onclick = pressed.reform(|_: MouseEvent| ());
    html! {
        <button type="button" class="control size-9" title={format!("{label} ({key})")} aria-label={label}
            aria-keyshortcuts={key} {onclick}>
            <Symbol {icon} />
        </button>
    }
}

/// Does what the key of a button does.
pub(super) fn press(event: &KeyboardEvent, view: &View) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() || event.repeat() {
        return;
    }
    let key = event.key().to_uppercase();
    if key == SIZE_KEY {
        view.toggle_size.emit(());
    } else if key == FULL_SCREEN_KEY {
        view.toggle_full_screen.emit(());
    }
}
