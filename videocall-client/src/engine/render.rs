//! Has decoded pictures drawn by the painter (`painter/painter.js`), a Worker of its own.

use std::collections::BTreeMap;

use gloo::events::EventListener;
use js_sys::Array;
use serde_json::json;
use videocall_types::{SessionId, Track};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{MessageEvent, OffscreenCanvas, VideoFrame, Worker, WorkerOptions};

use super::work::{Queue, Work};
use crate::error::Exception;
use crate::js;

/// The painter, and what it is busy with. It ends with the engine.
pub(super) struct Renderer {
    painter: Worker,
    busy: BTreeMap<(SessionId, Track), Busy>,
    _listeners: [EventListener; 2],
}

/// A track of which a picture is being drawn, and the one to draw after that.
#[derive(Default)]
struct Busy {
    next: Option<VideoFrame>,
}

impl Renderer {
    /// Starts the painter, whose script is at `url`.
    pub(super) fn new(url: &str, queue: Queue) -> Result<Self, Exception> {
        let options: WorkerOptions = js::object(&json!({ "name": "painter" }))?;
        let painter = Worker::new_with_options(url, &options)?;
        let on_message = EventListener::new(&painter, "message", move |event| {
            let data = event.unchecked_ref::<MessageEvent>().data().as_string();
            if let Some((session, track)) = data.and_then(|key| serde_json::from_str(&key).ok()) {
                queue.push(Work::Drawn { session, track });
            }
        });
        let on_error = EventListener::new(&painter, "error", |_| {
            // Nothing would ever be seen: the page hears of it as a failure of the engine.
            wasm_bindgen::throw_str("the painter could not be loaded");
        });
        Ok(Self {
            painter,
            busy: BTreeMap::new(),
            _listeners: [on_message, on_error],
        })
    }

    pub(super) fn attach(
        &self,
        session: SessionId,
        track: Track,
        canvas: &OffscreenCanvas,
    ) -> Result<(), Exception> {
        self.tell("attach", session, track, canvas)
    }

    /// Takes away the oldest canvas: a page may show a track at its new place before it removes the old one.
    pub(super) fn detach(&self, session: SessionId, track: Track) -> Result<(), Exception> {
        self.tell("detach", session, track, &JsValue::UNDEFINED)
    }

    /// Draws a picture, or keeps it for a canvas that comes later. While an earlier one is being drawn, the newest waits.
    pub(super) fn draw(
        &mut self,
        session: SessionId,
        track: Track,
        frame: VideoFrame,
    ) -> Result<(), Exception> {
        match self.busy.get_mut(&(session, track)) {
            Some(busy) => {
                busy.replace(Some(frame));
                Ok(())
            }
            None => self.start(session, track, &frame),
        }
    }

    /// The painter has drawn the track's picture.
    pub(super) fn drawn(&mut self, session: SessionId, track: Track) -> Result<(), Exception> {
        let busy = self.busy.remove(&(session, track));
        match busy.and_then(|busy| busy.next) {
            Some(frame) => self.start(session, track, &frame),
            None => Ok(()),
        }
    }

    /// Removes a track's picture. Its canvas stays, empty.
    pub(super) fn clear(&mut self, session: SessionId, track: Track) -> Result<(), Exception> {
        if let Some(busy) = self.busy.get_mut(&(session, track)) {
            busy.replace(None);
        }
        self.tell("clear", session, track, &JsValue::UNDEFINED)
    }

    fn start(
        &mut self,
        session: SessionId,
        track: Track,
        frame: &VideoFrame,
    ) -> Result<(), Exception> {
        self.tell("draw", session, track, frame)?;
        self.busy.insert((session, track), Busy::default());
        Ok(())
    }

    /// `object` belongs to the painter afterwards.
    fn tell(
        &self,
        action: &str,
        session: SessionId,
        track: Track,
        object: &JsValue,
    ) -> Result<(), Exception> {
        // The painter gives the key back as it is; numbers of JavaScript are too short for sessions.
        let key = json!((session, track)).to_string();
        let message = Array::of3(&action.into(), &key.into(), object);
        if object.is_undefined() {
            self.painter.post_message(&message)?;
        } else {
            self.painter
                .post_message_with_transfer(&message, &Array::of1(object))?;
        }
        Ok(())
    }
}

impl Busy {
    /// Pictures hold memory of the decoder until they are closed.
    fn replace(&mut self, next: Option<VideoFrame>) {
        if let Some(outdated) = std::mem::replace(&mut self.next, next) {
            outdated.close();
        }
    }
}
