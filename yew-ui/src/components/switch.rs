//! Something that is on or off.

use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) label: AttrValue,
    pub(crate) explanation: AttrValue,
    pub(crate) checked: bool,
    pub(crate) on_change: Callback<bool>,
}

/// A switch with what it does beside it.
#[component]
pub(crate) fn Switch(props: &Props) -> Html {
    let onchange = props.on_change.reform(|event: Event| {
        let input: HtmlInputElement = event.target_unchecked_into();
        input.checked()
    });
    html! {
        <label class="flex min-h-11 cursor-pointer items-center gap-3 text-sm">
            <span class="grow">{ &props.label }<span class="block text-xs text-muted">{ &props.explanation }</span></span>
            <input type="checkbox" role="switch" class="switch" checked={props.checked} {onchange} />
        </label>
    }
}
