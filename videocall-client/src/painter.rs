//! The page's end of the painter (`painter/painter.js`), the Worker that draws.

use futures_channel::mpsc::UnboundedSender;
use gloo::events::EventListener;
use js_sys::Array;
use serde_json::json;
use videocall_types::{SessionId, Track};
use wasm_bindgen::JsValue;
use web_sys::{MessageChannel, MessagePort, OffscreenCanvas, Worker, WorkerOptions};

use crate::client::ClientEvent;
use crate::error::{ClientError, Exception};
use crate::js;

/// The Worker. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct PainterLink {
    worker: Worker,
    _on_error: EventListener,
}

impl PainterLink {
    /// Starts the Worker whose script is at `url`. Also returns where the engine says what to draw.
    pub(crate) fn start(
        url: &str,
        events: UnboundedSender<ClientEvent>,
    ) -> Result<(Self, MessagePort), ClientError> {
        Self::open(url, events).map_err(ClientError::Engine)
    }

    fn open(
        url: &str,
        events: UnboundedSender<ClientEvent>,
    ) -> Result<(Self, MessagePort), Exception> {
        let options: WorkerOptions = js::object(&json!({ "name": "painter" }))?;
        let worker = Worker::new_with_options(url, &options)?;
        let on_error = EventListener::new(&worker, "error", move |event| {
            // Without it nobody would ever be seen.
            let _ = events.unbounded_send(ClientEvent::EngineFailed(js::worker_error(event)));
        });
        let channel = MessageChannel::new()?;
        let port = channel.port2();
        worker
            .post_message_with_transfer(&Array::of2(&"engine".into(), &port), &Array::of1(&port))?;
        let link = Self {
            worker,
            _on_error: on_error,
        };
        Ok((link, channel.port1()))
    }

    /// Draws a track on this canvas, too.
    pub(crate) fn attach(
        &self,
        session: SessionId,
        track: Track,
        canvas: &OffscreenCanvas,
    ) -> Result<(), Exception> {
        let message = message("attach", session, track);
        message.push(canvas);
        Ok(self
            .worker
            .post_message_with_transfer(&message, &Array::of1(canvas))?)
    }

    /// Takes away the oldest canvas: a page may show a track at its new place before it removes the old one.
    pub(crate) fn detach(&self, session: SessionId, track: Track) -> Result<(), Exception> {
        Ok(self
            .worker
            .post_message(&message("detach", session, track))?)
    }
}

impl Drop for PainterLink {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

/// What to do with a track, for the painter.
pub(crate) fn message(action: &str, session: SessionId, track: Track) -> Array {
    // The painter gives the key back as it is; numbers of JavaScript are too short for sessions.
    let key = json!((session, track)).to_string();
    Array::of2(&action.into(), &key.into())
}

/// The track whose key the painter gave back.
pub(crate) fn track_of(key: &JsValue) -> Option<(SessionId, Track)> {
    serde_json::from_str(&key.as_string()?).ok()
}
