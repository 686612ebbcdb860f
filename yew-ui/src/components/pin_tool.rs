//! The button that puts somebody's camera on stage.

use yew::prelude::*;

use super::icon::{Icon, Symbol};

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    /// Whose camera.
    pub(crate) name: AttrValue,
    pub(crate) pinned: bool,
    pub(crate) toggle: Callback<()>,
}

/// Pins the camera, or no longer. A double click on the tile does the same.
#[component]
pub(crate) fn PinTool(props: &Props) -> Html {
    let (label, icon) = if props.pinned {
        (format!("Unpin {}", props.name), Icon::PinOff)
    } else {
        (format!("Pin {}", props.name), Icon::Pin)
    };
    let onclick = props.toggle.reform(|_: MouseEvent| ());
    html! {
        <div class="view-tools view-tools-quiet">
            <button type="button" class="control size-9" title={label.clone()} aria-label={label} {onclick}>
                <Symbol {icon} />
            </button>
        </div>
    }
}
