//! Why a picture does not move, over what there is of it.

use media_core::event::Trouble;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) trouble: Trouble,
}

/// A line of text over a picture or an avatar, which it dims. Screen readers find it in the tile, and announce nothing.
#[component]
pub(crate) fn TroubleNote(props: &Props) -> Html {
    let text = match props.trouble {
        Trouble::Undecodable => "The picture can't be decoded",
        Trouble::LeftOut => "Your connection is too slow for this picture",
        Trouble::SenderStalled => "Waiting for the picture",
        Trouble::ConnectionStalled => "Waiting for your connection",
    };
    html! { <p class="trouble"><span>{ text }</span></p> }
}

/// In attributes.
pub(crate) const fn name(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Undecodable => "undecodable",
        Trouble::LeftOut => "left_out",
        Trouble::SenderStalled => "sender_stalled",
        Trouble::ConnectionStalled => "connection_stalled",
    }
}
