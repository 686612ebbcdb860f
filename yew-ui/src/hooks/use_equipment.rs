//! The devices that a person uses in a meeting.

use videocall_client::devices::{self, AudioProcessing, Definition, Device, Devices};
use videocall_client::support;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::use_source::{Settings, Source, use_source};
use crate::services::profile::Profile;

/// What is used, and what else there is.
#[derive(Clone, PartialEq)]
pub(crate) struct Equipment {
    pub(crate) camera: Source,
    pub(crate) microphone: Source,
    pub(crate) speaker: Speaker,
    /// How large the camera's pictures are.
    pub(crate) definition: Preference<Definition>,
    /// What is done to the sound of the microphone.
    pub(crate) processing: Preference<AudioProcessing>,
    pub(crate) devices: Devices,
}

/// Where sound goes.
#[derive(Clone, PartialEq)]
pub(crate) struct Speaker {
    /// The chosen device; `None`: the browser's choice.
    pub(crate) device: Option<String>,
    pub(crate) choose: Callback<String>,
}

/// What the person wants, and remembers.
#[derive(Clone, PartialEq)]
pub(crate) struct Preference<T> {
    pub(crate) wanted: T,
    pub(crate) choose: Callback<T>,
}

/// Camera and microphone are open while `active`.
#[hook]
pub(crate) fn use_equipment(active: bool) -> Equipment {
    let definition = use_preference(|profile| &mut profile.definition);
    let processing = use_preference(|profile| &mut profile.processing);
    let camera = use_source(Settings::Camera(definition.wanted), active);
    // It need not be opened anew for what we do ourselves.
    let by_browser = AudioProcessing {
        strong_noise_suppression: false,
        ..processing.wanted
    };
    let microphone = use_source(Settings::Microphone(by_browser), active);
    let speaker = use_speaker();
    // Browsers tell the names of devices only after one was opened.
    let opened = [&camera, &microphone].map(|source| source.track().is_some());
    let devices = use_devices(opened);
    Equipment {
        camera,
        microphone,
        speaker,
        definition,
        processing,
        devices,
    }
}

#[hook]
fn use_preference<T: Copy + 'static>(of: fn(&mut Profile) -> &mut T) -> Preference<T> {
    let wanted = use_state(|| *of(&mut Profile::load()));
    let choose = use_callback(wanted.setter(), move |chosen: T, set| {
        Profile::update(|profile| *of(profile) = chosen);
        set.set(chosen);
    });
    Preference {
        wanted: *wanted,
        choose,
    }
}

#[hook]
fn use_speaker() -> Speaker {
    let device = use_state(|| Profile::load().speaker);
    let choose = use_callback(device.setter(), |id: String, set| {
        Profile::update(|profile| profile.speaker = Some(id.clone()));
        set.set(Some(id));
    });
    Speaker {
        device: (*device).clone(),
        choose,
    }
}

/// The devices at present, listed anew when `reason` changes and when one comes or goes.
#[hook]
fn use_devices(reason: [bool; 2]) -> Devices {
    let list = use_state(Devices::default);
    use_effect_with(reason, {
        let list = list.setter();
        move |_| {
            let refresh = move || {
                let list = list.clone();
                spawn_local(async move { list.set(choosable(devices::list().await)) });
            };
            refresh();
            let listener = devices::on_change(refresh);
            move || drop(listener)
        }
    });
    (*list).clone()
}

/// Only what can be opened by its id: before permission browsers list devices without ids.
fn choosable(mut devices: Devices) -> Devices {
    for list in [
        &mut devices.cameras,
        &mut devices.microphones,
        &mut devices.speakers,
    ] {
        list.retain(|device| !device.id.is_empty());
    }
    if !support::can_choose_speaker() {
        devices.speakers.clear();
    } else if !devices.speakers.is_empty()
        && devices
            .speakers
            .iter()
            .all(|speaker| speaker.id != "default")
    {
        // Most browsers list the default first; for the others it has the empty id.
        devices.speakers.insert(
            0,
            Device {
                id: String::new(),
                label: "Default".to_owned(),
            },
        );
    }
    devices
}
