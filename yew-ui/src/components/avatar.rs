//! A person without a picture.

use yew::prelude::*;

use crate::state::names::{hue, initials};

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) name: AttrValue,
    /// What gives the colour: stays the same when the name changes.
    pub(crate) user: AttrValue,
}

/// Initials on a colour of one's own, as large as the tile allows.
#[component]
pub(crate) fn Avatar(props: &Props) -> Html {
    html! {
        <div class="avatar-room" aria-hidden="true">
            <span class="avatar" style={format!("--hue: {}", hue(&props.user))}>{ initials(&props.name) }</span>
        </div>
    }
}
