//! The line above a call.

use media_core::command::TransportKind;
use media_core::event::Connection;
use videocall_types::MeetingId;
use yew::prelude::*;

use super::copy_link::CopyLink;
use super::diagnostics::PANEL_ID;
use super::icon::{Icon, Symbol};
use crate::hooks::use_numbers::use_numbers;
use crate::services::numbers::Numbers;

const TCP_EXPLANATION: &str = "Connected over TCP: this network or browser lets no UDP through";

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) meeting: MeetingId,
    /// Ourselves included.
    pub(crate) people: usize,
    pub(crate) connection: Connection,
    pub(crate) transport: Option<TransportKind>,
    pub(crate) numbers: Numbers,
    /// The diagnostics are on the screen.
    pub(crate) diagnostics: bool,
    pub(crate) on_diagnostics: Callback<()>,
}

/// Meeting, connection, number of people, diagnostics, invitation.
#[component]
pub(crate) fn TopBar(props: &Props) -> Html {
    let people = if props.people == 1 {
        "1 person".to_owned()
    } else {
        format!("{} people", props.people)
    };
    html! {
        <header class="flex flex-wrap items-center gap-x-3 gap-y-2">
            <Symbol icon={Icon::Logo} class="size-7 text-accent max-sm:hidden" />
            <h1 class="min-w-0 flex-1 truncate font-semibold" title={props.meeting.to_string()}>{ props.meeting.as_str() }</h1>
            <TransportBadge connection={props.connection.clone()} transport={props.transport}
                numbers={props.numbers.clone()} />
            <span class="badge" title={people.clone()} role="img" aria-label={people}>
                <Symbol icon={Icon::People} class="size-4" />{ props.people }
            </span>
            <button type="button" class="button button-quiet px-2.5" title="Diagnostics" aria-label="Diagnostics"
                aria-expanded={props.diagnostics.to_string()} aria-controls={props.diagnostics.then_some(PANEL_ID)}
                onclick={props.on_diagnostics.reform(|_: MouseEvent| ())}>
                <Symbol icon={Icon::Diagnostics} />
            </button>
            <CopyLink meeting={props.meeting.clone()} compact=true />
        </header>
    }
}

#[derive(Properties, PartialEq)]
struct BadgeProps {
    connection: Connection,
    transport: Option<TransportKind>,
    numbers: Numbers,
}

/// Which way the packets take; by its short name where there is little room.
#[component]
fn TransportBadge(props: &BadgeProps) -> Html {
    use_numbers(&props.numbers);
    if !matches!(props.connection, Connection::Connected { .. }) {
        return Html::default();
    }
    let Some(transport) = props.transport else {
        return Html::default();
    };
    let (name, short, class, explanation) = match transport {
        TransportKind::WebTransport => (
            "WebTransport",
            "UDP",
            "badge badge-good",
            "Connected over UDP",
        ),
        TransportKind::WebSocket => ("WebSocket", "TCP", "badge", TCP_EXPLANATION),
    };
    let rtt_ms = props
        .numbers
        .history()
        .newest()
        .and_then(|stats| stats.rtt_ms);
    let round_trip = rtt_ms
        .map(|rtt| format!(", {rtt:.0} ms to the server"))
        .unwrap_or_default();
    html! {
        <span {class} title={format!("{explanation}{round_trip}")}>
            <span class="size-2 rounded-full bg-current" aria-hidden="true"></span>
            <span class="max-sm:sr-only">{ name }</span>
            <span class="sm:hidden" aria-hidden="true">{ short }</span>
        </span>
    }
}
