//! One received track.

use media_core::event::{Output, TrackStats};
use videocall_types::Track;
use yew::prelude::*;

use super::readings::Readings;
use crate::state::diagnostics::measure::Reading;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) stats: TrackStats,
    pub(crate) readings: Vec<Reading>,
    /// Frames that were not shown, by reason.
    pub(crate) drops: Vec<Reading>,
}

/// What it is, its resolution, and its numbers.
#[component]
pub(crate) fn TrackNumbers(props: &Props) -> Html {
    let TrackStats {
        track,
        output,
        layer,
        codec,
        ..
    } = &props.stats;
    let resolution = match output {
        Some(Output::Pictures { width, height, .. }) => Some(format!("{width} × {height}")),
        _ => None,
    };
    let layer = layer.map(|layer| format!("layer {layer}"));
    let codec = codec.map(|codec| format!("{codec:?}").to_uppercase());
    let encoding: Vec<String> = codec.into_iter().chain(layer).collect();
    let (name, key) = names(*track);
    html! {
        <div class="grid gap-1" data-numbers-of={key}>
            <h4 class="flex justify-between gap-2 text-sm text-muted">
                { name }
                <span>
                    { encoding.join(", ") }
                    if let Some(resolution) = resolution {
                        { ", " }
                        <span data-resolution="">{ resolution }</span>
                    }
                </span>
            </h4>
            <Readings readings={props.readings.clone()} />
            if let Some(drops) = in_words(&props.drops) {
                <p class="text-xs text-muted" data-drops="">{ drops }</p>
            }
        </div>
    }
}

/// One line; `None` when every frame was shown.
fn in_words(drops: &[Reading]) -> Option<String> {
    let some = drops.iter().filter(|reading| reading.value > 0.0);
    let parts: Vec<String> = some
        .map(|reading| format!("{} {}", reading.text, reading.label))
        .collect();
    (!parts.is_empty()).then(|| format!("Not shown in the last minute: {}", parts.join(", ")))
}

/// On the screen, and in attributes.
fn names(track: Track) -> (&'static str, &'static str) {
    match track {
        Track::Camera => ("Camera", "camera"),
        Track::Microphone => ("Microphone", "microphone"),
        Track::Screen => ("Screen", "screen"),
        Track::ScreenAudio => ("Sound of the screen", "screen_audio"),
    }
}
