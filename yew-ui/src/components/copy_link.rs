//! Inviting others.

use gloo::timers::callback::Timeout;
use videocall_types::MeetingId;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;
use yew_router::Routable as _;

use super::icon::{Icon, Symbol};
use crate::app::Route;
use crate::services::clipboard;

/// How long a button says that it has worked, in milliseconds.
const DONE_MS: u32 = 2_000;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) meeting: MeetingId,
    /// Only an icon where there is little room.
    #[prop_or_default]
    pub(crate) compact: bool,
}

/// Copies the link that anybody can join by; where the browser forbids that, shows it for copying by hand.
#[component]
pub(crate) fn CopyLink(props: &Props) -> Html {
    let copied = use_state(|| None::<bool>);
    use_effect_with(*copied, {
        let copied = copied.setter();
        move |outcome| {
            let timer =
                (*outcome == Some(true)).then(|| Timeout::new(DONE_MS, move || copied.set(None)));
            move || drop(timer)
        }
    });
    let link = link(&props.meeting);
    let onclick = {
        let (copied, link) = (copied.setter(), link.clone());
        move |_: MouseEvent| {
            let (copied, link) = (copied.clone(), link.clone());
            spawn_local(async move { copied.set(Some(clipboard::copy(&link).await)) });
        }
    };
    let (icon, label) = if *copied == Some(true) {
        (Icon::Done, "Link copied")
    } else {
        (Icon::Copy, "Copy link")
    };
    html! {
        <>
            <button type="button" class="button button-quiet" title={link.clone()} {onclick}>
                <Symbol {icon} /><span class={classes!(props.compact.then_some("max-sm:sr-only"))} aria-live="polite">{ label }</span>
            </button>
            if *copied == Some(false) {
                <input class="field" readonly=true aria-label="Link to copy" value={link} />
            }
        </>
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
