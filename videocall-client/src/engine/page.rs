//! What the engine tells the page.

use js_sys::Array;
use media_core::Event;
use videocall_types::Track;
use wasm_bindgen::JsCast as _;
use web_sys::DedicatedWorkerGlobalScope;

use crate::error::Exception;
use crate::protocol::{self, FromEngine, Level};
use crate::support::InWorker;

pub(super) struct Page(DedicatedWorkerGlobalScope);

impl Page {
    pub(super) fn new() -> Self {
        Self(js_sys::global().unchecked_into())
    }

    pub(super) fn ready(&self, in_worker: InWorker) {
        self.post(&FromEngine::Ready(in_worker));
    }

    pub(super) fn event(&self, event: Event) {
        self.post(&FromEngine::Event(event));
    }

    pub(super) fn levels(&self, levels: Vec<Level>) {
        self.post(&FromEngine::Levels(levels));
    }

    pub(super) fn source_failed(&self, track: Track) {
        self.post(&FromEngine::SourceFailed(track));
    }

    /// Ends the worker.
    pub(super) fn close(&self) {
        self.0.close();
    }

    fn post(&self, message: &FromEngine) {
        if let Err(error) = self
            .0
            .post_message(&protocol::encode(message, &Array::new()))
        {
            tracing::error!(error = %Exception::from(error), "page can't be told");
        }
    }
}
