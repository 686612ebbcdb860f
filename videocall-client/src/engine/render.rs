//! Has decoded pictures drawn by the painter, a Worker of its own.

use std::collections::BTreeMap;

use gloo::events::EventListener;
use js_sys::Array;
use media_core::outputs::drawn_size;
use videocall_types::{SessionId, Track};
use wasm_bindgen::JsCast as _;
use web_sys::{MessageEvent, MessagePort, VideoFrame};

use super::work::{Queue, Work};
use crate::error::Exception;
use crate::painter::{message, track_of};

/// The painter, and what it is busy with.
pub(super) struct Renderer {
    painter: MessagePort,
    busy: BTreeMap<(SessionId, Track), Busy>,
    _on_message: EventListener,
}

/// A track of which a picture is being drawn, and the one to draw after that.
#[derive(Default)]
struct Busy {
    next: Option<VideoFrame>,
}

impl Renderer {
    pub(super) fn new(painter: MessagePort, queue: Queue) -> Self {
        let on_message = EventListener::new(&painter, "message", move |event| {
            let key = event.unchecked_ref::<MessageEvent>().data();
            if let Some((session, track)) = track_of(&key) {
                queue.push(Work::Drawn { session, track });
            }
        });
        painter.start();
        Self {
            painter,
            busy: BTreeMap::new(),
            _on_message: on_message,
        }
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
        self.painter
            .post_message_with_transferable(&message, &Array::of1(frame))?;
        self.busy.insert((session, track), Busy::default());
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
