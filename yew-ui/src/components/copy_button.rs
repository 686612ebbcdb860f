//! A button that copies a text.

use gloo::timers::callback::Timeout;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::icon::{Icon, Symbol};
use crate::services::clipboard;

/// How long a button says that it has worked, in milliseconds.
const DONE_MS: u32 = 2_000;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    /// Such as "Copy link".
    pub(crate) label: AttrValue,
    /// What it says when it has worked, such as "Link copied".
    pub(crate) done: AttrValue,
    /// What the text is called where it must be copied by hand, such as "Link to copy".
    pub(crate) by_hand: AttrValue,
    /// Makes the text when the button is pressed.
    pub(crate) text: Callback<(), String>,
    #[prop_or_default]
    pub(crate) title: Option<AttrValue>,
    /// Only an icon where there is little room.
    #[prop_or_default]
    pub(crate) compact: bool,
}

#[derive(Clone, PartialEq)]
enum Outcome {
    Copied,
    Refused(String),
}

/// Copies a text; where the browser forbids that, shows it for copying by hand.
#[component]
pub(crate) fn CopyButton(props: &Props) -> Html {
    let outcome = use_state(|| None::<Outcome>);
    let copied = *outcome == Some(Outcome::Copied);
    use_effect_with(copied, {
        let outcome = outcome.setter();
        move |copied| {
            let timer = copied.then(|| Timeout::new(DONE_MS, move || outcome.set(None)));
            move || drop(timer)
        }
    });
    let onclick = {
        let (outcome, text) = (outcome.setter(), props.text.clone());
        move |_: MouseEvent| {
            let (outcome, text) = (outcome.clone(), text.emit(()));
            spawn_local(async move {
                let copied = clipboard::copy(&text).await;
                outcome.set(Some(if copied {
                    Outcome::Copied
                } else {
                    Outcome::Refused(text)
                }));
            });
        }
    };
    let (icon, label) = if copied {
        (Icon::Done, &props.done)
    } else {
        (Icon::Copy, &props.label)
    };
    html! {
        <>
            <button type="button" class="button button-quiet" title={props.title.clone()} {onclick}>
                <Symbol {icon} /><span class={classes!(props.compact.then_some("max-sm:sr-only"))} aria-live="polite">{ label }</span>
            </button>
            if let Some(Outcome::Refused(text)) = &*outcome {
                <input class="field" readonly=true aria-label={&props.by_hand} value={text.clone()} />
            }
        </>
    }
}
