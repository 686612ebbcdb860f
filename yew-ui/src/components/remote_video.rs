//! The picture of somebody else.

use videocall_client::Client;
use videocall_types::{SessionId, Track};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, HtmlCanvasElement};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) client: Client,
    pub(crate) session: SessionId,
    pub(crate) track: Track,
    /// Whether there is a picture; the canvas stays either way.
    pub(crate) shown: bool,
    /// Pixel by pixel instead of as large as there is room.
    pub(crate) actual_size: bool,
}

/// A canvas that the client draws on. It is made by hand, because a canvas that was given away can't be given again: the
/// virtual DOM must never touch it.
#[component]
pub(crate) fn RemoteVideo(props: &Props) -> Html {
    let frame = use_node_ref();
    let source = (props.client.clone(), props.session, props.track);
    use_effect_with(
        (frame.clone(), source),
        |(frame, (client, session, track))| {
            let canvas = frame
                .cast::<Element>()
                .and_then(|frame| append_canvas(&frame));
            if let Some(canvas) = &canvas {
                client.show(*session, *track, canvas.clone());
            }
            let (client, session, track) = (client.clone(), *session, *track);
            move || {
                if let Some(canvas) = canvas {
                    client.hide(session, track);
                    canvas.remove();
                }
            }
        },
    );
    let fit = if props.actual_size {
        "actual-size"
    } else if props.track == Track::Screen {
        "fit-all"
    } else {
        "fill"
    };
    html! { <div ref={frame} class={classes!("picture", fit)} data-shown={props.shown.to_string()}
    tabindex={props.actual_size.then_some("0")}></div> }
}

fn append_canvas(frame: &Element) -> Option<HtmlCanvasElement> {
    let canvas: HtmlCanvasElement = gloo::utils::document()
        .create_element("canvas")
        .ok()?
        .dyn_into()
        .ok()?;
    frame.append_child(&canvas).ok()?;
    Some(canvas)
}
