//! What is done to the sound of the microphone.

use videocall_client::devices::AudioProcessing;
use yew::prelude::*;

use super::switch::Switch;
use crate::hooks::use_equipment::Preference;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) processing: Preference<AudioProcessing>,
}

/// One of [`AudioProcessing`].
struct Effect {
    label: &'static str,
    explanation: &'static str,
    of: fn(&mut AudioProcessing) -> &mut bool,
}

const EFFECTS: [Effect; 4] = [
    Effect {
        label: "Echo cancellation",
        explanation: "Off only with headphones: others would hear themselves",
        of: |processing| &mut processing.echo_cancellation,
    },
    Effect {
        label: "Noise suppression",
        explanation: "Off for music",
        of: |processing| &mut processing.noise_suppression,
    },
    Effect {
        label: "Strong noise suppression",
        explanation: "Leaves nothing but voices; takes some computing",
        of: |processing| &mut processing.strong_noise_suppression,
    },
    Effect {
        label: "Automatic volume",
        explanation: "Makes quiet voices louder",
        of: |processing| &mut processing.auto_gain_control,
    },
];

/// A switch for each effect that this browser lets people choose.
#[component]
pub(crate) fn AudioSwitches(props: &Props) -> Html {
    let mut supported = AudioProcessing::supported();
    let switches: Vec<Html> = EFFECTS
        .iter()
        .filter(|effect| *(effect.of)(&mut supported))
        .map(|effect| switch(effect, &props.processing))
        .collect();
    if switches.is_empty() {
        return Html::default();
    }
    html! {
        <fieldset class="grid gap-1">
            <legend class="mb-1 text-sm font-medium">{ "Sound of the microphone" }</legend>
            { for switches }
        </fieldset>
    }
}

fn switch(effect: &Effect, processing: &Preference<AudioProcessing>) -> Html {
    let (of, mut wanted) = (effect.of, processing.wanted);
    let checked = *of(&mut wanted);
    let on_change = processing.choose.reform(move |on| {
        let mut wanted = wanted;
        *of(&mut wanted) = on;
        wanted
    });
    html! { <Switch label={effect.label} explanation={effect.explanation} {checked} {on_change} /> }
}
