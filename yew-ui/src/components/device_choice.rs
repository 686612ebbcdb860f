//! Choosing devices.

use videocall_client::devices::Device;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::hooks::use_equipment::Equipment;
use crate::hooks::use_source::Source;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) equipment: Equipment,
}

/// A list for each kind of device.
#[component]
pub(crate) fn DeviceChoices(props: &Props) -> Html {
    let Equipment {
        camera,
        microphone,
        speaker,
        devices,
        ..
    } = &props.equipment;
    html! {
        <>
            <Choice label="Camera" devices={devices.cameras.clone()} used={used(camera)} on_choose={&camera.choose} />
            <Choice label="Microphone" devices={devices.microphones.clone()} used={used(microphone)}
                on_choose={&microphone.choose} />
            <Choice label="Speaker" devices={devices.speakers.clone()} used={speaker.device.clone()}
                on_choose={&speaker.choose} />
        </>
    }
}

#[derive(Properties, PartialEq)]
struct ChoiceProps {
    label: AttrValue,
    devices: Vec<Device>,
    used: Option<String>,
    on_choose: Callback<String>,
}

/// Nothing when there is nothing to choose from.
#[component]
fn Choice(props: &ChoiceProps) -> Html {
    let ChoiceProps {
        label,
        devices,
        used,
        on_choose,
    } = props;
    if devices.is_empty() {
        return Html::default();
    }
    // The first is the default, and what the browser chooses by itself.
    let used = used.as_ref().or(devices.first().map(|device| &device.id));
    let onchange = on_choose.reform(|event: Event| {
        let select: HtmlSelectElement = event.target_unchecked_into();
        select.value()
    });
    let options = devices.iter().enumerate().map(|(at, device)| {
        let name = if device.label.is_empty() { format!("{label} {}", at + 1) } else { device.label.clone() };
        html! { <option value={device.id.clone()} selected={used == Some(&device.id)}>{ name }</option> }
    });
    html! {
        <label class="label">{ label }<select class="field" {onchange}>{ for options }</select></label>
    }
}

/// The device that is open; before that the chosen one.
fn used(source: &Source) -> Option<String> {
    let open = source
        .track()
        .and_then(|track| track.get_settings().get_device_id());
    open.or_else(|| source.device.clone())
}
