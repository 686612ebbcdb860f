//! All tiles of a call.

use videocall_types::SessionId;
use web_sys::MediaStreamTrack;
use yew::prelude::*;

use super::own_tile::OwnTile;
use super::pager::Pager;
use super::tile::RemoteTile;
use crate::hooks::use_call::{Call, Visitor};
use crate::hooks::use_size::use_size;
use crate::hooks::use_wishes::use_wishes;
use crate::state::layout::Rect;
use crate::state::tiles::{TileKey, Tiling, place};

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) call: Call,
    pub(crate) visitor: Visitor,
    pub(crate) camera: Option<MediaStreamTrack>,
    pub(crate) muted: bool,
}

/// The tiles, placed absolutely in one flat keyed list: one that moves keeps its element and so its canvas.
#[component]
pub(crate) fn Tiles(props: &Props) -> Html {
    let container = use_node_ref();
    let size = use_size(container.clone());
    let page = use_state_eq(|| 0);
    let pinned = use_state_eq(|| None);
    let tiling = place(&props.call.state.people, *pinned, size, *page);
    use_wishes(props.call.client.clone(), &tiling, size);
    let Tiling { tiles, more } = tiling;
    // A page that is gone is forgotten, or it would be back as soon as there are enough people.
    let shown_page = more.as_ref().map_or(0, |more| more.page);
    use_effect_with((shown_page, page.setter()), |(shown, page)| {
        page.set(*shown)
    });
    let on_page = use_callback(page.setter(), |turned, page| page.set(turned));
    let on_pin = use_callback(
        (pinned.setter(), *pinned),
        |session: SessionId, (set, pinned)| {
            set.set(Some(session).filter(|session| Some(*session) != *pinned));
        },
    );
    let pin = Pin {
        pinned: *pinned,
        toggle: on_pin,
    };
    let tiles = tiles
        .into_iter()
        .filter_map(|(key, rect)| tile(props, &pin, key, rect));
    let pager = more.map(|more| html! { <Pager key="more" {more} {on_page} /> });
    // One child without a key would make the virtual DOM match tiles by their position.
    html! {
        <div ref={container} class="relative min-h-0 flex-1" aria-label="Participants" role="region">
            { for tiles.chain(pager) }
        </div>
    }
}

/// Whose camera is on stage because the person wants it there.
struct Pin {
    pinned: Option<SessionId>,
    toggle: Callback<SessionId>,
}

fn tile(props: &Props, pin: &Pin, key: TileKey, rect: Rect) -> Option<Html> {
    match key {
        TileKey::Own => Some(html! {
            <OwnTile key="own" name={props.visitor.name.to_string()} user={props.visitor.user.to_string()}
                session={props.call.state.session} camera={props.camera.clone()} muted={props.muted} {rect} />
        }),
        TileKey::Remote { session, track } => {
            let person = props
                .call
                .state
                .people
                .iter()
                .find(|person| person.info.session == session);
            let (person, client) = person.zip(props.call.client.clone())?;
            let picture = props.call.state.picture(session, track);
            let (pinned, on_pin) = (pin.pinned == Some(session), pin.toggle.clone());
            Some(html! {
                <RemoteTile key={format!("{session} {track:?}")} {client} person={person.info.clone()} {track} {rect} {picture}
                    {pinned} {on_pin} />
            })
        }
    }
}
