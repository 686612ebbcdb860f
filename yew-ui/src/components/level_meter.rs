//! Shows that the microphone hears something.

use gloo::timers::callback::Interval;
use js_sys::Array;
use wasm_bindgen::JsValue;
use web_sys::{AnalyserNode, AudioContext, HtmlElement, MediaStream, MediaStreamTrack};
use yew::prelude::*;

const PERIOD_MS: u32 = 80;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) track: MediaStreamTrack,
}

/// A bar as long as the sound is loud.
#[component]
pub(crate) fn LevelMeter(props: &Props) -> Html {
    let bar = use_node_ref();
    let track = Clone::clone(&props.track);
    use_effect_with((bar.clone(), track), |(bar, track)| {
        let meter = Meter::start(track, bar.clone()).ok();
        move || drop(meter)
    });
    html! {
        <div class="h-1.5 overflow-hidden rounded-full bg-line" aria-hidden="true">
            <div ref={bar} class="level-bar"></div>
        </div>
    }
}

struct Meter {
    context: AudioContext,
    _timer: Interval,
}

impl Meter {
    fn start(track: &MediaStreamTrack, bar: NodeRef) -> Result<Self, JsValue> {
        let context = AudioContext::new()?;
        let analyser = context.create_analyser()?;
        let stream = MediaStream::new_with_tracks(&Array::of1(track))?;
        context
            .create_media_stream_source(&stream)?
            .connect_with_audio_node(&analyser)?;
        let mut samples = vec![0.0_f32; analyser.fft_size() as usize];
        let timer = Interval::new(PERIOD_MS, move || {
            if let Some(bar) = bar.cast::<HtmlElement>() {
                // It fails only for malformed values.
                let _ = bar.style().set_property(
                    "--level",
                    &format!("{:.3}", loudness(&analyser, &mut samples)),
                );
            }
        });
        Ok(Self {
            context,
            _timer: timer,
        })
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        // A context that is closed already is what is wanted.
        let _ = self.context.close();
    }
}

/// Root mean square of the last moments, from 0 to 1.
fn loudness(analyser: &AnalyserNode, samples: &mut [f32]) -> f32 {
    analyser.get_float_time_domain_data(samples);
    let energy: f32 = samples.iter().map(|sample| sample * sample).sum();
    (energy / samples.len() as f32).sqrt()
}
