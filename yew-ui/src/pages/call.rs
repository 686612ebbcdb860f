//! The call.

use media_core::command::TransportKind;
use media_core::event::{Connection, Participant};
use videocall_types::Track;
use yew::prelude::*;

use super::over::Ending;
use crate::advice;
use crate::components::banners::{AloneBanner, ConnectionBanner, SharingBanner, SoundBanner};
use crate::components::controls::Controls;
use crate::components::diagnostics::Diagnostics;
use crate::components::settings::Settings;
use crate::components::tiles::Tiles;
use crate::components::toasts::Toasts;
use crate::components::top_bar::TopBar;
use crate::hooks::use_call::{Call, Visitor, use_call_state, use_client};
use crate::hooks::use_equipment::Equipment;
use crate::hooks::use_failure_notice::use_failure_notice;
use crate::hooks::use_numbers::use_new_numbers;
use crate::hooks::use_published::{Published, use_published, use_speaker};
use crate::hooks::use_screen::use_screen;
use crate::hooks::use_shortcuts::use_shortcuts;
use crate::hooks::use_spare_engine::SpareEngine;
use crate::hooks::use_title::use_title;
use crate::state::call::{Action, CallState, Tone};
use crate::state::shortcut::Shortcut;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) visitor: Visitor,
    pub(crate) equipment: Equipment,
    pub(crate) engine: SpareEngine,
    /// The person leaves.
    pub(crate) on_leave: Callback<()>,
    /// The call is over without that.
    pub(crate) on_over: Callback<Ending>,
}

/// In the call from when it appears until it goes.
#[component]
pub(crate) fn CallPage(props: &Props) -> Html {
    let Props {
        visitor,
        equipment,
        engine,
        on_leave,
        on_over,
    } = props;
    let Equipment {
        camera, microphone, ..
    } = equipment;
    use_title(visitor.meeting.to_string().into());
    let state = use_call_state();
    let notify = use_callback(state.dispatcher(), |text, dispatcher| {
        dispatcher.dispatch(Action::Notify(Tone::Problem, text));
    });
    let screen =
        use_screen(notify.reform(|error| advice::about("screen", &error, "share it again")));
    let on_source_ended = use_callback(
        (notify.clone(), screen.stop.clone()),
        |track, (notify, stop)| match track {
            Track::Camera => notify.emit(not_sent("camera")),
            Track::Microphone => notify.emit(not_sent("microphone")),
            Track::Screen => stop.emit(()),
            // The picture goes on without it.
            Track::ScreenAudio => {}
        },
    );
    let numbers = use_new_numbers();
    let call = use_client(
        visitor,
        engine.clone(),
        state.clone(),
        numbers.clone(),
        on_source_ended,
    );
    let published = Published {
        camera: camera.published().cloned(),
        microphone: microphone.published().cloned(),
        denoise: equipment.processing.wanted.strong_noise_suppression,
        screen: screen.shared.clone(),
    };
    use_published(&call, published.clone());
    use_speaker(&call, equipment.speaker.device.clone());
    use_failure_notice(camera, notify.clone());
    use_failure_notice(microphone, notify);
    use_effect_with((ending(&state), on_over.clone()), |(ending, on_over)| {
        if let Some(ending) = ending {
            on_over.emit(ending.clone());
        }
    });
    let toggles = (
        microphone.toggle.clone(),
        camera.toggle.clone(),
        screen.toggle.clone(),
    );
    let on_shortcut = use_callback(
        toggles,
        |shortcut, (microphone, camera, screen)| match shortcut {
            Shortcut::Microphone => microphone.emit(()),
            Shortcut::Camera => camera.emit(()),
            Shortcut::Screen => screen.emit(()),
        },
    );
    use_shortcuts(on_shortcut);

    let settings_open = use_state(|| false);
    let on_settings = use_callback(settings_open.setter(), |(), open| open.set(true));
    let on_close = use_callback(settings_open.setter(), |(), open| open.set(false));
    let diagnostics = use_state(|| false);
    let on_diagnostics = use_callback((diagnostics.setter(), *diagnostics), |(), (set, open)| {
        set.set(!open)
    });
    let on_dismiss = use_callback(state.dispatcher(), |id, dispatcher| {
        dispatcher.dispatch(Action::Dismiss(id))
    });
    let client = call.client.clone();
    let stop_sharing = published.screen.is_some().then(|| screen.stop.clone());
    html! {
        <main class="call" data-connection={connection_name(&state.connection)}
            data-transport={state.transport.map(transport_name)}>
            <TopBar meeting={visitor.meeting.clone()} people={state.people.len() + 1} transport={state.transport}
                connection={state.connection.clone()} numbers={numbers.clone()} diagnostics={*diagnostics}
                on_diagnostics={on_diagnostics.clone()} />
            <Banners call={call.clone()} visitor={visitor.clone()} {stop_sharing} />
            <div class="flex min-h-0 flex-1 gap-2">
                <Tiles {call} visitor={visitor.clone()} camera={published.camera} muted={published.microphone.is_none()} />
                if *diagnostics {
                    <Diagnostics {numbers} {client} people={people(&state)} connection={connection_name(&state.connection)}
                        transport={state.transport} session={state.session} on_close={on_diagnostics} />
                }
            </div>
            <Controls microphone={microphone.clone()} camera={camera.clone()} {screen} {on_settings} {on_leave} />
            <Toasts notices={state.notices.clone()} {on_dismiss} />
            if *settings_open {
                <Settings equipment={equipment.clone()} {on_close} />
            }
        </main>
    }
}

fn not_sent(device: &str) -> String {
    format!(
        "Your {device} is not sent any more. Switch it off and on again, or choose another one in the settings."
    )
}

#[derive(Properties, PartialEq)]
struct BannersProps {
    call: Call,
    visitor: Visitor,
    stop_sharing: Option<Callback<()>>,
}

#[component]
fn Banners(props: &BannersProps) -> Html {
    let Call { state, client } = &props.call;
    let on_resume = use_callback(
        (state.dispatcher(), client.clone()),
        |(), (dispatcher, client)| {
            if let Some(client) = client {
                client.resume_audio();
                dispatcher.dispatch(Action::AudioBlocked(false));
            }
        },
    );
    let alone = state.people.is_empty() && matches!(state.connection, Connection::Connected { .. });
    html! {
        <>
            <ConnectionBanner connection={state.connection.clone()} />
            if state.audio_blocked {
                <SoundBanner {on_resume} />
            }
            if let Some(on_stop) = &props.stop_sharing {
                <SharingBanner {on_stop} />
            }
            if alone {
                <AloneBanner meeting={props.visitor.meeting.clone()} />
            }
        </>
    }
}

fn people(state: &CallState) -> Vec<Participant> {
    state
        .people
        .iter()
        .map(|person| person.info.clone())
        .collect()
}

fn ending(state: &CallState) -> Option<Ending> {
    state
        .failure
        .clone()
        .map(Ending::Failed)
        .or_else(|| state.ended().map(Ending::Ended))
}

fn connection_name(connection: &Connection) -> &'static str {
    match connection {
        Connection::Connecting => "connecting",
        Connection::Connected { .. } => "connected",
        Connection::Reconnecting { .. } => "reconnecting",
        Connection::Ended { .. } => "ended",
    }
}

fn transport_name(transport: TransportKind) -> &'static str {
    match transport {
        TransportKind::WebTransport => "web_transport",
        TransportKind::WebSocket => "web_socket",
    }
}
