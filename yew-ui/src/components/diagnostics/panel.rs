//! The panel beside the tiles.

use std::collections::BTreeMap;

use media_core::command::TransportKind;
use media_core::event::Participant;
use videocall_client::Client;
use videocall_types::SessionId;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::features::Features;
use super::readings::Readings;
use super::track::TrackNumbers;
use crate::components::copy_button::CopyButton;
use crate::components::icon::{Icon, Symbol};
use crate::hooks::use_escape::use_escape;
use crate::hooks::use_focus::use_focus;
use crate::hooks::use_numbers::use_numbers;
use crate::services::numbers::Numbers;
use crate::state::diagnostics::history::History;
use crate::state::diagnostics::report::{About, json};

/// The id of the panel's element, for the button that opens it.
pub(crate) const PANEL_ID: &str = "diagnostics";

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) numbers: Numbers,
    /// There once it has joined.
    pub(crate) client: Option<Client>,
    /// Everybody else.
    pub(crate) people: Vec<Participant>,
    /// State of the connection, by its name in reports.
    pub(crate) connection: &'static str,
    pub(crate) transport: Option<TransportKind>,
    /// Our own.
    pub(crate) session: Option<SessionId>,
    pub(crate) on_close: Callback<()>,
}

/// Our own connection, every received track, and what the browser has. Escape closes it.
#[component]
pub(crate) fn Diagnostics(props: &Props) -> Html {
    let close = use_node_ref();
    use_focus(close.clone());
    use_escape(props.on_close.clone());
    use_numbers(&props.numbers);
    let features = use_features(props.client.clone());
    let report = {
        let numbers = props.numbers.clone();
        let about = About {
            app: env!("CARGO_PKG_VERSION"),
            browser: browser(),
            features: features.clone().unwrap_or_default(),
            connection: props.connection,
            transport: props.transport,
            session: props.session.map(|session| session.to_string()),
        };
        move |()| json(&numbers.history(), about.clone())
    };
    let history = props.numbers.history();
    let on_close = props.on_close.reform(|_: MouseEvent| ());
    html! {
        <aside id={PANEL_ID} class="diagnostics card" aria-labelledby="diagnostics-title">
            <header class="flex flex-wrap items-center gap-2 border-b border-line p-3">
                <h2 id="diagnostics-title" class="grow font-semibold">{ "Diagnostics" }</h2>
                <CopyButton label="Copy report" done="Report copied" by_hand="Report to copy" text={Callback::from(report)} />
                <button ref={close} type="button" class="button button-quiet px-2.5" aria-label="Close diagnostics" onclick={on_close}>
                    <Symbol icon={Icon::Cross} />
                </button>
            </header>
            // With a tab stop, so that the keyboard can scroll it.
            <div class="grid min-h-0 content-start gap-5 overflow-y-auto p-3" tabindex="0" role="group" aria-label="Numbers">
                <section class="grid gap-2">
                    <h3 class="flex justify-between gap-2 font-semibold">
                        { "Your connection" }
                        <span class="text-sm font-normal text-muted" data-transport-name="">{ transport_name(props) }</span>
                    </h3>
                    <Readings readings={history.own()} />
                </section>
                { for props.people.iter().filter_map(|person| participant(&history, person)) }
                <Features {features} />
            </div>
        </aside>
    }
}

/// The numbers of what somebody sends; `None` when they send nothing.
fn participant(history: &History, person: &Participant) -> Option<Html> {
    let session = person.session;
    let tracks = history.tracks_of(person);
    if tracks.is_empty() {
        return None;
    }
    let tracks = tracks.into_iter().map(|stats| {
        let readings = history.track(session, stats.track);
        let drops = history.drops(session, stats.track);
        html! { <TrackNumbers key={stats.track as usize} stats={stats.clone()} {readings} {drops} /> }
    });
    Some(html! {
        <section key={session.to_string()} class="grid gap-2" data-numbers-from={session.to_string()}>
            <h3 class="truncate font-semibold" title={format!("Session {session}")}>{ &person.display_name }</h3>
            { for tracks }
        </section>
    })
}

/// What the browser has; `None` until it has answered.
#[hook]
fn use_features(client: Option<Client>) -> Option<BTreeMap<String, bool>> {
    let features = use_state(|| None);
    use_effect_with(client, {
        let features = features.setter();
        move |client| {
            if let Some(client) = client.clone() {
                spawn_local(async move { features.set(Some(client.features().await)) });
            }
        }
    });
    (*features).clone()
}

fn transport_name(props: &Props) -> &'static str {
    match props.transport {
        _ if props.session.is_none() => "not connected",
        Some(TransportKind::WebTransport) => "WebTransport (UDP)",
        Some(TransportKind::WebSocket) => "WebSocket (TCP)",
        None => "not connected",
    }
}

fn browser() -> String {
    gloo::utils::window()
        .navigator()
        .user_agent()
        .unwrap_or_default()
}
