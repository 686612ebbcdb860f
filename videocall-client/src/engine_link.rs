//! The page's end of the engine worker.

use std::cell::Cell;
use std::rc::Rc;

use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_channel::oneshot;
use gloo::events::EventListener;
use js_sys::Array;
use serde_json::json;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{MessageEvent, Worker};

use crate::assets;
use crate::client::ClientEvent;
use crate::error::{ClientError, Exception};
use crate::js;
use crate::preference;
use crate::protocol::{self, FromEngine, ToEngine};
use crate::support::InWorker;

/// The worker and the listeners on it. Dropping it leaves the meeting; the worker ends itself after that.
#[derive(Debug)]
pub(crate) struct EngineLink {
    worker: Worker,
    _listeners: [EventListener; 2],
}

/// The engine of a call to come. It takes a while to start, which it has behind it when the person joins some time later.
#[derive(Debug)]
pub struct Engine {
    pub(crate) link: EngineLink,
    /// What it finds in its Worker; cancelled if it breaks before.
    pub(crate) in_worker: oneshot::Receiver<InWorker>,
    pub(crate) events: UnboundedSender<ClientEvent>,
    pub(crate) receiver: UnboundedReceiver<ClientEvent>,
}

impl Engine {
    /// Starts one. It ends when it is dropped.
    ///
    /// # Errors
    /// [`ClientError`]
    pub fn start() -> Result<Self, ClientError> {
        let (events, receiver) = unbounded();
        let (link, in_worker) = EngineLink::start(&assets::url(assets::ENGINE)?, events.clone())?;
        Ok(Self {
            link,
            in_worker,
            events,
            receiver,
        })
    }
}

impl EngineLink {
    /// Starts the worker whose script is at `url`. Also returns what it finds there; cancelled if it breaks before.
    fn start(
        url: &str,
        events: UnboundedSender<ClientEvent>,
    ) -> Result<(Self, oneshot::Receiver<InWorker>), ClientError> {
        let options = js::object(&json!({ "type": "module", "name": "engine" }))
            .map_err(ClientError::Engine)?;
        let worker =
            Worker::new_with_options(url, &options).map_err(|e| ClientError::Engine(e.into()))?;
        let (found, in_worker) = oneshot::channel();
        let found = Rc::new(Cell::new(Some(found)));
        let (forward, ready) = (events.clone(), found.clone());
        let on_message = EventListener::new(&worker, "message", move |event| {
            let data = event.unchecked_ref::<MessageEvent>().data();
            if let Some((message, _)) = protocol::decode(&data) {
                let event = match message {
                    FromEngine::Ready(in_worker) => {
                        // The receiver is gone when nobody wants to know any more.
                        let _ = ready.take().map(|found| found.send(in_worker));
                        return;
                    }
                    FromEngine::Event(event) => {
                        preference::observe(&event);
                        ClientEvent::Call(event)
                    }
                    FromEngine::Levels(levels) => ClientEvent::Levels(levels),
                    FromEngine::SourceFailed(track) => ClientEvent::SourceEnded(track),
                };
                // The receiver may be gone already; nobody is interested then.
                let _ = forward.unbounded_send(event);
            }
        });
        let broken = worker.clone();
        let on_error = EventListener::new(&worker, "error", move |event| {
            // After a panic nothing in the worker can be relied on.
            broken.terminate();
            found.take();
            let _ = events.unbounded_send(ClientEvent::EngineFailed(js::worker_error(event)));
        });
        let link = Self {
            worker,
            _listeners: [on_message, on_error],
        };
        Ok((link, in_worker))
    }

    /// Sends a message that comes alone.
    pub(crate) fn send(&self, message: &ToEngine) -> Result<(), Exception> {
        Ok(self
            .worker
            .post_message(&protocol::encode(message, &Array::new()))?)
    }

    /// Sends a message with an object, which belongs to the engine afterwards.
    pub(crate) fn send_with(&self, message: &ToEngine, object: &JsValue) -> Result<(), Exception> {
        let objects = Array::of1(object);
        Ok(self
            .worker
            .post_message_with_transfer(&protocol::encode(message, &objects), &objects)?)
    }
}

impl Drop for EngineLink {
    fn drop(&mut self) {
        // It fails only when the worker is gone already.
        let _ = self.send(&ToEngine::Leave);
    }
}
