//! The bar at the bottom of a call.

use videocall_client::support;
use yew::prelude::*;

use super::icon::Icon;
use super::toggle::{Look, Toggle};
use crate::hooks::use_screen::Screen;
use crate::hooks::use_source::Source;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) microphone: Source,
    pub(crate) camera: Source,
    pub(crate) screen: Screen,
    pub(crate) on_settings: Callback<()>,
    pub(crate) on_leave: Callback<()>,
}

/// Microphone, camera, screen, settings, leave.
#[component]
pub(crate) fn Controls(props: &Props) -> Html {
    let sharing = props.screen.shared.is_some();
    let (share_label, share_icon, share_look) = if sharing {
        ("Stop sharing", Icon::ScreenOff, Look::Active)
    } else {
        ("Share screen", Icon::Screen, Look::Plain)
    };
    html! {
        <div role="toolbar" aria-label="Call controls" class="flex items-center justify-center gap-2 sm:gap-3">
            <MicrophoneToggle source={props.microphone.clone()} />
            <CameraToggle source={props.camera.clone()} />
            if support::can_share_screen() {
                <Toggle label={share_label} key_hint="S" icon={share_icon} look={share_look} onclick={&props.screen.toggle} />
            }
            <Toggle label="Settings" icon={Icon::Settings} onclick={&props.on_settings} />
            <Toggle label="Leave" icon={Icon::Leave} look={Look::Danger} onclick={&props.on_leave} />
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct SourceToggleProps {
    pub(crate) source: Source,
}

/// Mutes and unmutes.
#[component]
pub(crate) fn MicrophoneToggle(props: &SourceToggleProps) -> Html {
    let (label, icon) = if props.source.works() {
        ("Mute", Icon::Microphone)
    } else {
        ("Unmute", Icon::MicrophoneOff)
    };
    html! { <Toggle {label} {icon} key_hint="M" look={look(&props.source)} onclick={&props.source.toggle} /> }
}

/// Turns the camera on and off.
#[component]
pub(crate) fn CameraToggle(props: &SourceToggleProps) -> Html {
    let (label, icon) = if props.source.works() {
        ("Turn camera off", Icon::Camera)
    } else {
        ("Turn camera on", Icon::CameraOff)
    };
    html! { <Toggle {label} {icon} key_hint="V" look={look(&props.source)} onclick={&props.source.toggle} /> }
}

fn look(source: &Source) -> Look {
    if source.works() {
        Look::Plain
    } else {
        Look::Off
    }
}
