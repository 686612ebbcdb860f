//! Captures a microphone, or the sound of a screen.

use futures_channel::mpsc::UnboundedSender;
use gloo::events::EventListener;
use videocall_types::Track;
use web_sys::MediaStreamTrack;

use crate::audio_graph::{AudioGraph, CaptureNodes};
use crate::client::ClientEvent;
use crate::engine_link::EngineLink;
use crate::error::Exception;
use crate::protocol::ToEngine;

/// What the page holds of a captured sound.
#[derive(Debug)]
pub(crate) struct SoundCapture {
    _nodes: CaptureNodes,
    _ended: EventListener,
}

impl SoundCapture {
    /// Captures `source` as `track`, past the page straight into the engine, in place of what was captured before.
    pub(crate) fn start(
        engine: &EngineLink,
        graph: &AudioGraph,
        track: Track,
        source: &MediaStreamTrack,
        denoise: bool,
        events: UnboundedSender<ClientEvent>,
    ) -> Result<Self, Exception> {
        let (nodes, port) = graph.capture(source, denoise)?;
        engine.send_with(&ToEngine::SoundOn { track }, &port)?;
        let ended = super::report_end(source, track, events);
        Ok(Self {
            _nodes: nodes,
            _ended: ended,
        })
    }
}
