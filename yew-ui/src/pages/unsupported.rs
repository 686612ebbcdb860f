//! A browser that can't take part.

use videocall_client::support::Feature;
use yew::prelude::*;
use yew_router::prelude::*;

use crate::app::Route;
use crate::components::message::Message;
use crate::hooks::use_title::use_title;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) missing: Vec<Feature>,
}

/// Says what to use instead.
#[component]
pub(crate) fn Unsupported(props: &Props) -> Html {
    use_title("Can't join".into());
    let (title, text) = if props.missing.contains(&Feature::SecureContext) {
        (
            "This page needs https",
            "Browsers allow cameras and calls only on https:// addresses and on http://localhost. Open this meeting by \
             such an address, or ask whoever runs the server to set up a certificate."
                .to_owned(),
        )
    } else {
        let missing: Vec<String> = props.missing.iter().map(ToString::to_string).collect();
        (
            "This browser can't take part",
            format!(
                "It lacks {}. Update it, or open this meeting in a current Chrome, Edge or Firefox on a computer.",
                missing.join(", ")
            ),
        )
    };
    html! {
        <Message {title} {text}>
            <Link<Route> to={Route::Home} classes="button button-main">{ "Go to the home page" }</Link<Route>>
        </Message>
    }
}
