//! A link with a user or a meeting that can't exist.

use videocall_types::id::IdError;
use videocall_types::limits::MAX_ID_CHARS;
use yew::prelude::*;
use yew_router::prelude::*;

use crate::app::Route;
use crate::components::message::Message;
use crate::hooks::use_title::use_title;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    /// "user" or "meeting".
    pub(crate) part: AttrValue,
    pub(crate) text: AttrValue,
    pub(crate) error: IdError,
}

/// Says what is allowed.
#[component]
pub(crate) fn InvalidLink(props: &Props) -> Html {
    use_title("Invalid link".into());
    let Props { part, text, error } = props;
    let problem = match error {
        IdError::Empty => format!("The {part} in this link is empty."),
        IdError::TooLong => format!("The {part} in this link is too long."),
        IdError::Alphabet => {
            format!("The {part} “{text}” in this link has characters that are not allowed.")
        }
    };
    let rule = format!(
        "{problem} Allowed are 1 to {MAX_ID_CHARS} of these: letters a-z and A-Z, digits 0-9, the hyphen - and the \
         underscore _. Ask for the link again, or choose another name."
    );
    html! {
        <Message title="This link does not work" text={rule}>
            <Link<Route> to={Route::Home} classes="button button-main">{ "Go to the home page" }</Link<Route>>
        </Message>
    }
}
