//! The screen that is shared.

use gloo::events::EventListener;
use videocall_client::{CaptureError, devices};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::spawn_local;
use web_sys::MediaStreamTrack;
use yew::prelude::*;

/// The shared screen, and what the person may do with it.
#[derive(Clone, PartialEq)]
pub(crate) struct Screen {
    pub(crate) track: Option<MediaStreamTrack>,
    /// Asks which screen to share, or stops sharing.
    pub(crate) toggle: Callback<()>,
    pub(crate) stop: Callback<()>,
}

/// Shares nothing at first. `failed` hears why a screen can't be shared, unless the person changed their mind.
#[hook]
pub(crate) fn use_screen(failed: Callback<CaptureError>) -> Screen {
    let track = use_state(|| None::<MediaStreamTrack>);
    let gone = use_mut_ref(|| false);
    use_effect_with((), {
        let gone = gone.clone();
        move |()| move || *gone.borrow_mut() = true
    });

    // Ends with the component, and with the browser's own button.
    use_effect_with((*track).clone(), {
        let setter = track.setter();
        move |track| {
            let held = track.clone().map(|track| {
                let ended = EventListener::once(&track, "ended", move |_| setter.set(None));
                (track, ended)
            });
            move || {
                if let Some((track, _ended)) = held {
                    track.stop();
                }
            }
        }
    });

    let stop = use_callback(track.setter(), |(), track| track.set(None));
    let toggle = use_callback(
        (track.is_some(), track.setter(), stop.clone(), failed),
        move |(), (sharing, track, stop, failed)| {
            if *sharing {
                return stop.emit(());
            }
            let (track, failed, gone) = (track.clone(), failed.clone(), gone.clone());
            spawn_local(async move {
                match open().await {
                    // The call ended while the person chose.
                    Ok(opened) if *gone.borrow() => opened.stop(),
                    Ok(opened) => track.set(Some(opened)),
                    Err(CaptureError::Cancelled) => {}
                    Err(error) => failed.emit(error),
                }
            });
        },
    );
    Screen {
        track: (*track).clone(),
        toggle,
        stop,
    }
}

async fn open() -> Result<MediaStreamTrack, CaptureError> {
    let stream = devices::open_screen().await?;
    stream
        .get_video_tracks()
        .get(0)
        .dyn_into()
        .map_err(|_| CaptureError::NotFound)
}
