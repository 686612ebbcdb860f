//! After a call.

use media_core::event::EndReason;
use videocall_types::MeetingId;
use yew::prelude::*;
use yew_router::prelude::*;

use crate::app::Route;
use crate::components::message::Message;
use crate::hooks::use_title::use_title;
use crate::state::call::Failure;

/// Why a call is over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ending {
    /// Something was decided.
    Ended(EndReason),
    /// Something broke.
    Failed(Failure),
}

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) meeting: MeetingId,
    pub(crate) ending: Ending,
    pub(crate) on_rejoin: Callback<()>,
}

/// Says why the call is over, and leads back into it or home.
#[component]
pub(crate) fn Over(props: &Props) -> Html {
    use_title(props.meeting.to_string().into());
    let Texts { title, text, again } = texts(&props.ending, &props.meeting);
    html! {
        <Message {title} {text}>
            if let Some(again) = again {
                <button type="button" class="button button-main" onclick={props.on_rejoin.reform(|_: MouseEvent| ())}>
                    { again }
                </button>
            }
            <Link<Route> to={Route::Home} classes="button button-quiet">{ "Home" }</Link<Route>>
        </Message>
    }
}

struct Texts {
    title: &'static str,
    text: String,
    /// What the button says that joins again; `None` where that does not help.
    again: Option<&'static str>,
}

fn texts(ending: &Ending, meeting: &MeetingId) -> Texts {
    match ending {
        Ending::Ended(EndReason::Left) => Texts {
            title: "You left the meeting",
            text: format!("Others may still be in “{meeting}”."),
            again: Some("Rejoin"),
        },
        Ending::Ended(EndReason::NotAllowed) => Texts {
            title: "You can't join this meeting",
            text: "The server does not admit you. Ask whoever invited you for a new link.".to_owned(),
            again: None,
        },
        Ending::Ended(EndReason::Rejected) => Texts {
            title: "This page is out of date",
            text: "The server does not understand it. Reload the page, then join again.".to_owned(),
            again: None,
        },
        Ending::Failed(Failure::Unreachable) => Texts {
            title: "The server can't be reached",
            text: "Check your internet connection, then try again. If it lasts, tell whoever runs the server.".to_owned(),
            again: Some("Try again"),
        },
        Ending::Failed(Failure::Engine(why)) => Texts {
            title: "The call has stopped",
            text: format!("Something in this page broke ({why}). Rejoin; if that does not help, reload the page."),
            again: Some("Rejoin"),
        },
    }
}
