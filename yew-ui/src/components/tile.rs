//! The frame of a person or a screen.

use media_core::event::{Participant, Picture};
use videocall_client::Client;
use videocall_types::{SessionId, Track};
use yew::prelude::*;

use super::avatar::Avatar;
use super::icon::{Icon, Symbol};
use super::pin_tool::PinTool;
use super::remote_video::RemoteVideo;
use super::trouble::{self, TroubleNote};
use super::view_tools::{ViewTools, press};
use crate::hooks::target::is_within;
use crate::hooks::use_view::use_view;
use crate::state::layout::Rect;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) client: Client,
    pub(crate) person: Participant,
    pub(crate) track: Track,
    pub(crate) rect: Rect,
    /// What there is to see of the track.
    pub(crate) picture: Picture,
    /// Whether their camera is on stage because the person wants it there.
    pub(crate) pinned: bool,
    /// Pins the camera, or no longer.
    pub(crate) on_pin: Callback<SessionId>,
}

/// The camera or the screen of somebody else.
#[component]
pub(crate) fn RemoteTile(props: &Props) -> Html {
    let Props {
        client,
        person,
        track,
        rect,
        picture,
        pinned,
        on_pin,
    } = props;
    let is_screen = *track == Track::Screen;
    let published = if is_screen {
        person.screen
    } else {
        person.camera
    };
    let shown = published && picture.shown;
    let trouble = picture.trouble.filter(|_| published);
    let name = if is_screen {
        format!("{}'s screen", person.display_name)
    } else {
        person.display_name.clone()
    };
    let tile = use_node_ref();
    let view = use_view(tile.clone());
    let toggle_pin = {
        let session = person.session;
        on_pin.reform(move |()| session)
    };
    let enlarge = if is_screen {
        view.toggle_full_screen.clone()
    } else {
        toggle_pin.clone()
    };
    let ondblclick = Callback::from(move |event: MouseEvent| {
        if !is_within(&event, "button") {
            enlarge.emit(());
        }
    });
    let onkeydown = is_screen.then(|| {
        let view = view.clone();
        Callback::from(move |event: KeyboardEvent| press(&event, &view))
    });
    html! {
        <div ref={tile} class="tile" role="group" aria-label={description(&name, person, is_screen)} style={place(rect)}
            tabindex={is_screen.then_some("0")} {ondblclick} {onkeydown}
            data-session={person.session.to_string()} data-user={person.user_id.clone()} data-track={track_name(*track)}
            data-trouble={trouble.map(trouble::name)}
            data-level="0" data-muted={(!person.microphone).to_string()} data-camera={person.camera.to_string()}>
            <RemoteVideo client={client.clone()} session={person.session} track={*track} {shown}
                actual_size={view.actual_size} />
            if !is_screen && (!published || (trouble.is_some() && !shown)) {
                <Avatar name={person.display_name.clone()} user={person.user_id.clone()} />
            } else if !shown && trouble.is_none() {
                <span class="spinner absolute inset-0 m-auto" aria-hidden="true"></span>
            }
            if let Some(trouble) = trouble {
                <TroubleNote {trouble} />
            }
            <NameTag {name} muted={!is_screen && !person.microphone} />
            if is_screen {
                <ViewTools {view} />
            } else {
                <PinTool name={person.display_name.clone()} pinned={*pinned} toggle={toggle_pin} />
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct NameTagProps {
    pub(crate) name: AttrValue,
    pub(crate) muted: bool,
}

/// The name in the corner of a tile.
#[component]
pub(crate) fn NameTag(props: &NameTagProps) -> Html {
    html! {
        <span class="name-tag" aria-hidden="true">
            if props.muted {
                <Symbol icon={Icon::MicrophoneOff} class="size-4" />
            }
            <span class="truncate">{ &props.name }</span>
        </span>
    }
}

/// The style that puts a tile in its place.
pub(super) fn place(rect: &Rect) -> String {
    let Rect { x, y, size } = rect;
    format!(
        "transform: translate({x:.1}px, {y:.1}px); width: {:.1}px; height: {:.1}px",
        size.width, size.height
    )
}

/// What a screen reader says.
fn description(name: &str, person: &Participant, is_screen: bool) -> String {
    if is_screen {
        return name.to_owned();
    }
    let microphone = if person.microphone {
        ""
    } else {
        ", microphone off"
    };
    let camera = if person.camera { "" } else { ", camera off" };
    format!("{name}{microphone}{camera}")
}

fn track_name(track: Track) -> &'static str {
    match track {
        Track::Camera => "camera",
        Track::Microphone => "microphone",
        Track::Screen => "screen",
        Track::ScreenAudio => "screen_audio",
    }
}
