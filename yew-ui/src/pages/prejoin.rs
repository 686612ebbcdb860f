//! Before a call: name, devices, and how one looks.

use videocall_types::limits::MAX_DISPLAY_NAME_CHARS;
use videocall_types::{DisplayName, MeetingId, UserId};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::components::avatar::Avatar;
use crate::components::controls::{CameraToggle, MicrophoneToggle};
use crate::components::device_choice::DeviceChoices;
use crate::components::level_meter::LevelMeter;
use crate::components::preview::Preview;
use crate::components::source_problem::SourceProblems;
use crate::hooks::use_equipment::Equipment;
use crate::hooks::use_shortcuts::use_shortcuts;
use crate::hooks::use_source::{Source, SourceStatus};
use crate::hooks::use_title::use_title;
use crate::services::profile::Profile;
use crate::state::shortcut::Shortcut;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) meeting: MeetingId,
    pub(crate) user: Option<UserId>,
    pub(crate) equipment: Equipment,
    pub(crate) on_join: Callback<DisplayName>,
}

/// The page before a call.
#[component]
pub(crate) fn Prejoin(props: &Props) -> Html {
    let Props {
        meeting,
        user,
        equipment,
        on_join,
    } = props;
    let Equipment {
        camera, microphone, ..
    } = equipment;
    use_title(meeting.to_string().into());
    let toggles = (microphone.toggle.clone(), camera.toggle.clone());
    let on_shortcut = use_callback(toggles, |shortcut, (microphone, camera)| match shortcut {
        Shortcut::Microphone => microphone.emit(()),
        Shortcut::Camera => camera.emit(()),
        Shortcut::Screen => {}
    });
    use_shortcuts(on_shortcut);
    let name = use_state(|| {
        user.as_ref()
            .map_or_else(|| Profile::load().name, ToString::to_string)
    });

    let shown_name = DisplayName::new(&name);
    let onsubmit = {
        let (on_join, name) = (on_join.clone(), shown_name.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            // `required` lets a name of spaces pass.
            if !name.as_str().is_empty() {
                on_join.emit(name.clone());
            }
        }
    };
    let oninput = {
        let name = name.setter();
        move |event: InputEvent| name.set(event.target_unchecked_into::<HtmlInputElement>().value())
    };
    html! {
        <main class="page-centre">
            <div class="grid w-full max-w-4xl items-center gap-6 md:grid-cols-[3fr_2fr] md:gap-10">
                <Mirror name={shown_name.to_string()} camera={camera.clone()} microphone={microphone.clone()} />
                <form class="grid gap-4" {onsubmit}>
                    <div>
                        <p class="text-sm text-muted">{ "You are about to join" }</p>
                        <h1 class="text-2xl font-semibold break-words">{ meeting.as_str() }</h1>
                    </div>
                    <label class="label">
                        { "Your name" }
                        <input class="field" autocomplete="name" required=true value={(*name).clone()} {oninput}
                            maxlength={MAX_DISPLAY_NAME_CHARS.to_string()} />
                    </label>
                    <SourceProblems camera={camera.clone()} microphone={microphone.clone()} />
                    <button class="button button-main">{ join_label(camera, microphone) }</button>
                    <DeviceChoices equipment={equipment.clone()} />
                </form>
            </div>
        </main>
    }
}

#[derive(Properties, PartialEq)]
struct MirrorProps {
    name: AttrValue,
    camera: Source,
    microphone: Source,
}

/// How others will see the person, and the two switches.
#[component]
fn Mirror(props: &MirrorProps) -> Html {
    let MirrorProps {
        name,
        camera,
        microphone,
    } = props;
    html! {
        <section class="grid gap-3" aria-label="Preview">
            <div class="stage-card">
                if let Some(track) = camera.published() {
                    <Preview track={Clone::clone(track)} />
                } else if camera.status == SourceStatus::Opening {
                    <p class="absolute inset-0 grid place-content-center p-4 text-center text-muted">
                        { "Allow the camera and the microphone when the browser asks" }
                    </p>
                } else {
                    <Avatar {name} user={name} />
                }
                <div class="absolute inset-x-0 bottom-3 flex justify-center gap-3">
                    <MicrophoneToggle source={microphone.clone()} />
                    <CameraToggle source={camera.clone()} />
                </div>
            </div>
            if let Some(track) = microphone.published() {
                <LevelMeter track={Clone::clone(track)} />
            }
        </section>
    }
}

/// Says what others will miss; it is no obstacle.
fn join_label(camera: &Source, microphone: &Source) -> &'static str {
    match (camera.broken(), microphone.broken()) {
        (false, false) => "Join now",
        (true, false) => "Join without camera",
        (false, true) => "Join without microphone",
        (true, true) => "Join without camera and microphone",
    }
}
