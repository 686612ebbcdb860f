//! Has decoded pictures drawn by the painter (`painter/painter.js`), a Worker of its own.

use std::collections::BTreeMap;

use gloo::events::EventListener;
use js_sys::Array;
use media_core::outputs::drawn_size;
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
        let message = message("attach", session, track);
        message.push(canvas);
        self.hand_over(&message, canvas)
    }

    /// Takes away the oldest canvas: a page may show a track at its new place before it removes the old one.
    pub(super) fn detach(&self, session: SessionId, track: Track) -> Result<(), Exception> {
        Ok(self
            .painter
            .post_message(&message("detach", session, track))?)
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
        Ok(self
            .painter
            .post_message(&message("clear", session, track))?)
    }

    fn start(
        &mut self,
        session: SessionId,
        track: Track,
        frame: &VideoFrame,
    ) -> Result<(), Exception> {
        let (width, height) = drawn_size((frame.display_width(), frame.display_height()));
        let message = message("draw", session, track);
        message.push(frame);
        message.push(&Array::of2(&width.into(), &height.into()));
        self.hand_over(&message, frame)?;
        self.busy.insert((session, track), Busy::default());
        Ok(())
    }

    /// `object` belongs to the painter afterwards.
    fn hand_over(&self, message: &Array, object: &JsValue) -> Result<(), Exception> {
        Ok(self
            .painter
            .post_message_with_transfer(message, &Array::of1(object))?)
    }
}

fn message(action: &str, session: SessionId, track: Track) -> Array {
    // The painter gives the key back as it is; numbers of JavaScript are too short for sessions.
    let key = json!((session, track)).to_string();
    Array::of2(&action.into(), &key.into())
}

impl Busy {
    /// Pictures hold memory of the decoder until they are closed.
    fn replace(&mut self, next: Option<VideoFrame>) {
        if let Some(outdated) = std::mem::replace(&mut self.next, next) {
            outdated.close();
        }
    }
}
