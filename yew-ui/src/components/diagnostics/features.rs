//! What the browser has.

use std::collections::BTreeMap;

use yew::prelude::*;

use crate::components::icon::{Icon, Symbol};

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    /// By name; `None` before it is known.
    pub(crate) features: Option<BTreeMap<String, bool>>,
}

/// A list of features, there or not; nothing before they are known.
#[component]
pub(crate) fn Features(props: &Props) -> Html {
    let Some(features) = &props.features else {
        return Html::default();
    };
    let entries = features.iter().map(|(name, there)| {
        let (icon, class, answer) = if *there {
            (Icon::Done, "size-4 text-good", "yes")
        } else {
            (Icon::Cross, "size-4 text-danger", "no")
        };
        html! {
            <li key={name.clone()} class="flex items-center gap-1.5" data-feature={name.clone()}>
                <Symbol {icon} {class} /><span class="sr-only">{ answer }</span>{ name.replace('_', " ") }
            </li>
        }
    });
    html! {
        <section class="grid gap-2">
            <h3 class="font-semibold">{ "This browser" }</h3>
            <ul class="grid grid-cols-2 gap-x-3 gap-y-1 text-sm">{ for entries }</ul>
        </section>
    }
}
