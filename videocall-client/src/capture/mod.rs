//! From a `MediaStreamTrack` on the page to the engine.

pub(crate) mod audio;
mod element;
pub(crate) mod video;

use futures_channel::mpsc::UnboundedSender;
use gloo::events::EventListener;
use videocall_types::Track;
use web_sys::MediaStreamTrack;

use crate::client::ClientEvent;

/// Tells when a source ends by itself: unplugged, or stopped by the browser's own button.
fn report_end(
    source: &MediaStreamTrack,
    track: Track,
    events: UnboundedSender<ClientEvent>,
) -> EventListener {
    EventListener::once(source, "ended", move |_| {
        let _ = events.unbounded_send(ClientEvent::SourceEnded(track));
    })
}
