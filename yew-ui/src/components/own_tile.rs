//! The frame of ourselves.

use videocall_types::SessionId;
use web_sys::MediaStreamTrack;
use yew::prelude::*;

use super::avatar::Avatar;
use super::preview::Preview;
use super::tile::{NameTag, place};
use crate::state::layout::Rect;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) name: AttrValue,
    pub(crate) user: AttrValue,
    pub(crate) session: Option<SessionId>,
    pub(crate) camera: Option<MediaStreamTrack>,
    pub(crate) muted: bool,
    pub(crate) rect: Rect,
}

/// Our own camera.
#[component]
pub(crate) fn OwnTile(props: &Props) -> Html {
    let Props {
        name,
        user,
        session,
        camera,
        muted,
        rect,
    } = props;
    html! {
        <div class="tile" role="group" aria-label="You" style={place(rect)} data-self="true" data-track="camera"
            data-session={session.map(|session| session.to_string())} data-user={user} data-level="0"
            data-muted={muted.to_string()} data-camera={camera.is_some().to_string()}>
            if let Some(track) = camera {
                <Preview track={Clone::clone(track)} />
            } else {
                <Avatar {name} {user} />
            }
            <NameTag name={format!("{name} (you)")} muted={*muted} />
        </div>
    }
}
