//! An address that leads nowhere.

use yew::prelude::*;
use yew_router::prelude::*;

use crate::app::Route;
use crate::components::message::Message;
use crate::hooks::use_title::use_title;

/// Sends people home.
#[component]
pub(crate) fn NotFound() -> Html {
    use_title("Page not found".into());
    html! {
        <Message title="There is no such page"
            text="Check the address. Links to meetings look like /meeting/name-of-the-meeting.">
            <Link<Route> to={Route::Home} classes="button button-main">{ "Go to the home page" }</Link<Route>>
        </Message>
    }
}
