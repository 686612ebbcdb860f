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
    pub(crate) shared: Option<Shared>,
    /// Asks which screen to share, or stops sharing.
    pub(crate) toggle: Callback<()>,
    pub(crate) stop: Callback<()>,
}

/// What is shared.
#[derive(Clone, PartialEq)]
pub(crate) struct Shared {
    pub(crate) picture: MediaStreamTrack,
    /// There where the browser gives it and the person has chosen it.
    pub(crate) sound: Option<MediaStreamTrack>,
}

impl Shared {
    fn stop(&self) {
        self.picture.stop();
        if let Some(sound) = &self.sound {
            sound.stop();
        }
    }
}

/// Shares nothing at first. `failed` hears why a screen can't be shared, unless the person changed their mind.
#[hook]
pub(crate) fn use_screen(failed: Callback<CaptureError>) -> Screen {
    let shared = use_state(|| None::<Shared>);
    let gone = use_mut_ref(|| false);
    use_effect_with((), {
        let gone = gone.clone();
        move |()| move || *gone.borrow_mut() = true
    });

    // Ends with the component, and with the browser's own button.
    use_effect_with((*shared).clone(), {
        let setter = shared.setter();
        move |shared| {
            let held = shared.clone().map(|shared| {
                let ended =
                    EventListener::once(&shared.picture, "ended", move |_| setter.set(None));
                (shared, ended)
            });
            move || {
                if let Some((shared, _ended)) = held {
                    shared.stop();
                }
            }
        }
    });

    let stop = use_callback(shared.setter(), |(), shared| shared.set(None));
    let toggle = use_callback(
        (shared.is_some(), shared.setter(), stop.clone(), failed),
        move |(), (sharing, shared, stop, failed)| {
            if *sharing {
                return stop.emit(());
            }
            let (shared, failed, gone) = (shared.clone(), failed.clone(), gone.clone());
            spawn_local(async move {
                match open().await {
                    // The call ended while the person chose.
                    Ok(opened) if *gone.borrow() => opened.stop(),
                    Ok(opened) => shared.set(Some(opened)),
                    Err(CaptureError::Cancelled) => {}
                    Err(error) => failed.emit(error),
                }
            });
        },
    );
    Screen {
        shared: (*shared).clone(),
        toggle,
        stop,
    }
}

async fn open() -> Result<Shared, CaptureError> {
    let stream = devices::open_screen().await?;
    let picture = stream.get_video_tracks().get(0).dyn_into();
    Ok(Shared {
        picture: picture.map_err(|_| CaptureError::NotFound)?,
        sound: stream.get_audio_tracks().get(0).dyn_into().ok(),
    })
}
