//! Captures a microphone.

use futures_channel::mpsc::UnboundedSender;
use gloo::events::EventListener;
use videocall_types::Track;
use web_sys::MediaStreamTrack;

use crate::audio_graph::{AudioGraph, CaptureNodes};
use crate::client::ClientEvent;
use crate::engine_link::EngineLink;
use crate::error::Exception;
use crate::protocol::ToEngine;

/// What the page holds of a captured microphone.
#[derive(Debug)]
pub(crate) struct MicrophoneCapture {
    _nodes: CaptureNodes,
    _ended: EventListener,
}

impl MicrophoneCapture {
    /// Captures `source`, past the page straight into the engine, in place of what was captured before.
    pub(crate) fn start(
        engine: &EngineLink,
        graph: &AudioGraph,
        source: &MediaStreamTrack,
        events: UnboundedSender<ClientEvent>,
    ) -> Result<Self, Exception> {
        let (nodes, port) = graph.capture(source)?;
        engine.send_with(&ToEngine::MicrophoneOn, &port)?;
        let ended = super::report_end(source, Track::Microphone, events);
        Ok(Self {
            _nodes: nodes,
            _ended: ended,
        })
    }
}
