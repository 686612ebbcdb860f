//! The place of those who have no tile, and the way to them.

use yew::prelude::*;

use super::icon::{Icon, Symbol};
use super::tile::place;
use crate::state::tiles::More;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) more: More,
    /// The person turns to this page.
    pub(crate) on_page: Callback<usize>,
}

/// How many people have no tile on this page, and buttons to turn to others.
#[component]
pub(crate) fn Pager(props: &Props) -> Html {
    let Props { more, on_page } = props;
    html! {
        <div class="tile grid place-content-center justify-items-center gap-1 text-sm text-muted" style={place(&more.rect)}>
            <span><span class="font-semibold text-ink">{ format!("+{}", more.count) }</span>{ " more" }</span>
            if more.pages > 1 {
                <div class="flex items-center gap-1.5" role="group" aria-label="Pages of people">
                    { button("Previous page", Icon::Previous, more.previous(), on_page) }
                    <span class="text-xs" aria-live="polite">{ format!("{}/{}", more.page + 1, more.pages) }</span>
                    { button("Next page", Icon::Next, more.next(), on_page) }
                </div>
            }
        </div>
    }
}

fn button(label: &'static str, icon: Icon, page: usize, on_page: &Callback<usize>) -> Html {
    let onclick = on_page.reform(move |_: MouseEvent| page);
    html! {
        <button type="button" class="control size-8" title={label} aria-label={label} {onclick}>
            <Symbol {icon} />
        </button>
    }
}
