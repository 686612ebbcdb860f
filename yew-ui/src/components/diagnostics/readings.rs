//! Numbers with their plots.

use yew::prelude::*;

use crate::state::diagnostics::measure::Reading;
use crate::state::diagnostics::sparkline::{HEIGHT, WIDTH, path};

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) readings: Vec<Reading>,
}

/// A list of numbers, each with a small plot of the last minute.
#[component]
pub(crate) fn Readings(props: &Props) -> Html {
    html! { <dl class="readings">{ for props.readings.iter().map(reading) }</dl> }
}

fn reading(reading: &Reading) -> Html {
    let title = format!("{} in the last minute: {}", reading.label, reading.range);
    html! {
        <div key={reading.key} class="reading" {title} data-reading={reading.key} data-value={reading.value.to_string()}>
            <dt>{ reading.label }</dt>
            <dd>
                { &reading.text }
                <svg viewBox={format!("0 0 {WIDTH} {HEIGHT}")} preserveAspectRatio="none" aria-hidden="true" focusable="false">
                    <path d={path(&reading.points)} />
                </svg>
            </dd>
        </div>
    }
}
