//! Our own picture.

use js_sys::Array;
use web_sys::{HtmlVideoElement, MediaStream, MediaStreamTrack};
use yew::prelude::*;

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) track: MediaStreamTrack,
}

/// A camera as in a mirror: that is how people know themselves.
#[component]
pub(crate) fn Preview(props: &Props) -> Html {
    let video = use_node_ref();
    let track = Clone::clone(&props.track);
    use_effect_with((video.clone(), track), |(video, track)| {
        let stream = MediaStream::new_with_tracks(&Array::of1(track));
        if let (Some(video), Ok(stream)) = (video.cast::<HtmlVideoElement>(), stream) {
            // As attributes they come too late for the first picture.
            video.set_muted(true);
            video.set_src_object(Some(&stream));
        }
    });
    html! {
        <video ref={video} class="absolute inset-0 size-full -scale-x-100 object-cover" autoplay=true playsinline=true
            aria-label="Your camera" />
    }
}
