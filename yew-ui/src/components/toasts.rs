//! Short messages that go by themselves.

use gloo::timers::callback::Timeout;
use yew::prelude::*;

use crate::state::call::{Notice, Tone};

const INFO_MS: u32 = 4_000;
const PROBLEM_MS: u32 = 10_000;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) notices: Vec<Notice>,
    pub(crate) on_dismiss: Callback<u32>,
}

/// All notices, read out by screen readers as they come.
#[component]
pub(crate) fn Toasts(props: &Props) -> Html {
    let toasts = props.notices.iter().map(|notice| {
        html! { <Toast key={notice.id} notice={notice.clone()} on_dismiss={&props.on_dismiss} /> }
    });
    html! { <div class="toasts" role="log" aria-label="Messages">{ for toasts }</div> }
}

#[derive(Properties, PartialEq)]
struct ToastProps {
    notice: Notice,
    on_dismiss: Callback<u32>,
}

#[component]
fn Toast(props: &ToastProps) -> Html {
    let Notice { id, tone, text } = &props.notice;
    let (class, shown_ms) = match tone {
        Tone::Info => ("toast", INFO_MS),
        Tone::Problem => ("toast toast-problem", PROBLEM_MS),
    };
    use_effect_with((*id, props.on_dismiss.clone()), move |(id, on_dismiss)| {
        let (id, on_dismiss) = (*id, on_dismiss.clone());
        let timer = Timeout::new(shown_ms, move || on_dismiss.emit(id));
        move || drop(timer)
    });
    html! { <p {class}>{ text }</p> }
}
