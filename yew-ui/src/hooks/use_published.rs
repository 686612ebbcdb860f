//! Keeps the client in step with what the person has switched on and chosen.

use videocall_client::ClientError;
use web_sys::MediaStreamTrack;
use yew::prelude::*;

use super::use_call::Call;
use super::use_screen::Shared;
use crate::state::call::{Action, Tone};

/// What the person publishes.
#[derive(Clone, PartialEq)]
pub(crate) struct Published {
    pub(crate) camera: Option<MediaStreamTrack>,
    pub(crate) microphone: Option<MediaStreamTrack>,
    /// The microphone's noise is taken out.
    pub(crate) denoise: bool,
    pub(crate) screen: Option<Shared>,
}

/// Publishes each track when it changes.
#[hook]
pub(crate) fn use_published(call: &Call, published: Published) {
    let dispatcher = call.state.dispatcher();
    let check = move |what: &str, result: Result<(), ClientError>| {
        if let Err(error) = result {
            tracing::warn!(%error, what, "not published");
            let text = format!("Your {what} could not be sent. Switch it off and on again.");
            dispatcher.dispatch(Action::Notify(Tone::Problem, text));
        }
    };
    let client = call.client.clone();
    use_effect_with((client.clone(), published.camera), {
        let check = check.clone();
        move |(client, track)| {
            if let Some(client) = client {
                check("camera", client.publish_camera(track.clone()));
            }
        }
    });
    let microphone = (published.microphone, published.denoise);
    use_effect_with((client.clone(), microphone), {
        let check = check.clone();
        move |(client, (track, denoise))| {
            if let Some(client) = client {
                let result = client.publish_microphone(track.clone(), *denoise);
                check("microphone", result);
            }
        }
    });
    use_effect_with((client, published.screen), move |(client, shared)| {
        if let Some(client) = client {
            // `picture.clone()` would be the browser's: a second track, which nobody would stop.
            let picture = shared.as_ref().map(|shared| Clone::clone(&shared.picture));
            check("screen", client.publish_screen(picture));
            let sound = shared.as_ref().and_then(|shared| shared.sound.clone());
            check("screen's sound", client.publish_screen_audio(sound));
        }
    });
}

/// Plays sound through the chosen speaker.
#[hook]
pub(crate) fn use_speaker(call: &Call, device: Option<String>) {
    use_effect_with((call.client.clone(), device), |(client, device)| {
        if let (Some(client), Some(device)) = (client, device) {
            client.set_speaker(device);
        }
    });
}
