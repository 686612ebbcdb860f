//! Start of the app, and its routes.

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use videocall_client::engine;
use wasm_bindgen::JsCast as _;
use web_sys::DedicatedWorkerGlobalScope;
use yew::prelude::*;
use yew_router::prelude::*;

use crate::pages::home::Home;
use crate::pages::meeting::Meeting;
use crate::pages::not_found::NotFound;

/// Where people can go.
#[derive(Clone, Debug, PartialEq, Routable)]
pub(crate) enum Route {
    #[at("/")]
    Home,
    #[at("/meeting/:user/:meeting")]
    MeetingAs { user: String, meeting: String },
    #[at("/meeting/:meeting")]
    Meeting { meeting: String },
    #[not_found]
    #[at("/404")]
    NotFound,
}

/// Runs the page, or the media engine where this is a Worker.
pub fn run() {
    console_error_panic_hook::set_once();
    log_to_console();
    if js_sys::global().is_instance_of::<DedicatedWorkerGlobalScope>() {
        engine::run();
    } else if let Some(root) = gloo::utils::document().get_element_by_id("app") {
        yew::Renderer::<App>::with_root(root).render();
    }
}

#[component]
fn App() -> Html {
    html! { <BrowserRouter><Switch<Route> render={page} /></BrowserRouter> }
}

fn page(route: Route) -> Html {
    match route {
        Route::Home => html! { <Home /> },
        Route::MeetingAs { user, meeting } => {
            let key = format!("{user}/{meeting}");
            html! { <Meeting {key} user={Some(AttrValue::from(user))} {meeting} /> }
        }
        Route::Meeting { meeting } => {
            html! { <Meeting key={meeting.clone()} meeting={meeting.clone()} /> }
        }
        Route::NotFound => html! { <NotFound /> },
    }
}

fn log_to_console() {
    let console = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        // The clock of `tracing-subscriber` does not exist in browsers.
        .without_time()
        .with_writer(tracing_web::MakeWebConsoleWriter::new().with_pretty_level())
        .with_level(false);
    let level = if cfg!(debug_assertions) {
        tracing::Level::DEBUG
    } else {
        tracing::Level::INFO
    };
    let filter = tracing_subscriber::filter::LevelFilter::from_level(level);
    tracing_subscriber::registry()
        .with(console)
        .with(filter)
        .init();
}
