//! A round button that switches something.

use yew::prelude::*;

use super::icon::{Icon, Symbol};

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    /// What a click does, such as "Mute".
    pub(crate) label: AttrValue,
    /// The key that does the same.
    #[prop_or_default]
    pub(crate) key_hint: Option<AttrValue>,
    pub(crate) icon: Icon,
    /// How it looks.
    #[prop_or_default]
    pub(crate) look: Look,
    pub(crate) onclick: Callback<()>,
}

/// How a button looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Look {
    /// Nothing special.
    #[default]
    Plain,
    /// Something is switched off.
    Off,
    /// Something special is going on.
    Active,
    /// Ends the call.
    Danger,
}

/// The label is the accessible name and, with the key, the tooltip.
#[component]
pub(crate) fn Toggle(props: &Props) -> Html {
    let look = match props.look {
        Look::Plain => "control",
        Look::Off => "control control-off",
        Look::Active => "control control-active",
        Look::Danger => "control control-danger",
    };
    let title = match &props.key_hint {
        Some(key) => format!("{} ({key})", props.label),
        None => props.label.to_string(),
    };
    let onclick = props.onclick.reform(|_: MouseEvent| ());
    html! {
        <button type="button" class={look} {title} aria-label={&props.label} aria-keyshortcuts={props.key_hint.clone()} {onclick}>
            <Symbol icon={props.icon} class="size-6" />
        </button>
    }
}
