//! Inviting others.

use videocall_types::MeetingId;
use yew::prelude::*;
use yew_router::Routable as _;

use super::copy_button::CopyButton;
use crate::app::Route;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) meeting: MeetingId,
    /// Only an icon where there is little room.
    #[prop_or_default]
    pub(crate) compact: bool,
}

/// Copies the link that anybody can join by.
#[component]
pub(crate) fn CopyLink(props: &Props) -> Html {
    let link = link(&props.meeting);
    let text = use_callback(link.clone(), |(), link| link.clone());
    html! {
        <CopyButton label="Copy link" done="Link copied" by_hand="Link to copy" title={link} {text} compact={props.compact} />
    }
}

/// Without our own user id: everybody joins as themselves.
fn link(meeting: &MeetingId) -> String {
    let origin = gloo::utils::window()
        .location()
        .origin()
        .unwrap_or_default();
    format!(
        "{origin}{}",
        Route::Meeting {
            meeting: meeting.to_string()
        }
        .to_path()
    )
}
