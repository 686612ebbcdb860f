//! Changing devices during a call.

use videocall_client::devices::Definition;
use web_sys::HtmlDialogElement;
use yew::prelude::*;

use super::audio_switches::AudioSwitches;
use super::device_choice::DeviceChoices;
use super::level_meter::LevelMeter;
use super::source_problem::SourceProblems;
use super::switch::Switch;
use crate::hooks::use_equipment::Equipment;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) equipment: Equipment,
    pub(crate) on_close: Callback<()>,
}

/// A dialog, open for as long as the component is there. The browser keeps the focus in it and closes it with Esc.
#[component]
pub(crate) fn Settings(props: &Props) -> Html {
    let dialog = use_node_ref();
    use_effect_with(dialog.clone(), |dialog| {
        if let Some(dialog) = dialog.cast::<HtmlDialogElement>()
            && let Err(error) = dialog.show_modal()
        {
            tracing::warn!(?error, "settings not shown");
        }
    });
    let Props {
        equipment,
        on_close,
    } = props;
    let Equipment {
        camera, microphone, ..
    } = equipment;
    html! {
        <dialog ref={dialog} class="card m-auto w-[min(28rem,calc(100vw-2rem))] p-6" aria-labelledby="settings-title"
            onclose={on_close.reform(|_: Event| ())}>
            <form method="dialog" class="grid gap-4">
                <h2 id="settings-title" class="text-lg font-semibold">{ "Settings" }</h2>
                <SourceProblems camera={camera.clone()} microphone={microphone.clone()} />
                <DeviceChoices equipment={equipment.clone()} />
                if let Some(track) = microphone.published() {
                    <LevelMeter track={Clone::clone(track)} />
                }
                <FullDefinition equipment={equipment.clone()} />
                <AudioSwitches processing={equipment.processing.clone()} />
                <p class="text-sm text-muted">
                    { "Keys during a call: " }<kbd>{ "M" }</kbd>{ " microphone, " }<kbd>{ "V" }</kbd>{ " camera, " }
                    <kbd>{ "S" }</kbd>{ " share screen." }
                </p>
                <button class="button button-main justify-self-end">{ "Done" }</button>
            </form>
        </dialog>
    }
}

#[derive(Properties, PartialEq)]
struct FullDefinitionProps {
    equipment: Equipment,
}

/// The switch for the largest pictures, unless the camera hasn't them.
#[component]
fn FullDefinition(props: &FullDefinitionProps) -> Html {
    let Equipment {
        camera, definition, ..
    } = &props.equipment;
    let is_offered = |track| Definition::Full.is_offered_by(track);
    if !camera.track().is_none_or(is_offered) {
        return Html::default();
    }
    let on_change = definition.choose.reform(|on| {
        if on {
            Definition::Full
        } else {
            Definition::High
        }
    });
    html! {
        <Switch label="Full HD camera" explanation="1080p for those who show you large; takes more computing"
            checked={definition.wanted == Definition::Full} {on_change} />
    }
}
