//! A page that says one thing.

use yew::prelude::*;

use super::icon::{Icon, Symbol};

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) title: AttrValue,
    /// What happened and what to do.
    pub(crate) text: AttrValue,
    /// Buttons and links.
    pub(crate) children: Html,
}

/// A title, a text and what can be done.
#[component]
pub(crate) fn Message(props: &Props) -> Html {
    html! {
        <main class="page-centre">
            <div class="card grid w-full max-w-lg gap-4 p-6 sm:p-8">
                <Symbol icon={Icon::Logo} class="size-9 text-accent" />
                <h1 class="text-2xl font-semibold break-words">{ &props.title }</h1>
                <p class="text-muted break-words">{ &props.text }</p>
                <div class="mt-2 flex flex-wrap gap-3">{ props.children.clone() }</div>
            </div>
        </main>
    }
}
