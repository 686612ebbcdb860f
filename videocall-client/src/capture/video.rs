//! Captures a camera or screen: pictures go to the engine on the best way that the browser has.

use futures_channel::mpsc::UnboundedSender;
use gloo::events::EventListener;
use videocall_types::Track;
use web_sys::{MediaStreamTrack, MediaStreamTrackProcessor, MediaStreamTrackProcessorInit};

use super::element::ElementSource;
use crate::client::ClientEvent;
use crate::engine_link::EngineLink;
use crate::error::Exception;
use crate::protocol::ToEngine;
use crate::support::{self, InWorker};

/// What the page holds of a captured video track.
#[derive(Debug)]
pub(crate) struct VideoCapture {
    _element: Option<ElementSource>,
    _ended: EventListener,
}

impl VideoCapture {
    /// Captures `source` as `track`, in place of what was captured as that before.
    pub(crate) fn start(
        engine: &EngineLink,
        in_worker: InWorker,
        track: Track,
        source: &MediaStreamTrack,
        events: UnboundedSender<ClientEvent>,
    ) -> Result<Self, Exception> {
        let on = ToEngine::VideoOn { track };
        let element = if support::has_track_processor() {
            let processor =
                MediaStreamTrackProcessor::new(&MediaStreamTrackProcessorInit::new(source))?;
            engine.send_with(&on, &processor.readable())?;
            None
        } else if in_worker.track_processor && hand_over(engine, &on, source) {
            None
        } else {
            let (element, pictures) = ElementSource::start(source)?;
            engine.send_with(&on, &pictures)?;
            Some(element)
        };
        let ended = super::report_end(source, track, events);
        Ok(Self {
            _element: element,
            _ended: ended,
        })
    }
}

/// Gives the engine a clone of the track. False where tracks can't leave the page.
fn hand_over(engine: &EngineLink, on: &ToEngine, source: &MediaStreamTrack) -> bool {
    let clone = source.clone();
    let handed = engine.send_with(on, &clone);
    if let Err(error) = &handed {
        tracing::info!(%error, "the track stays on the page");
        // It would keep the device open.
        clone.stop();
    }
    handed.is_ok()
}
