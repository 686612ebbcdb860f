//! Drawing decoded pictures.

use std::collections::BTreeMap;

use media_core::outputs::drawn_size;
use serde_json::json;
use videocall_types::{SessionId, Track};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{OffscreenCanvas, OffscreenCanvasRenderingContext2d, VideoFrame};

use crate::error::Exception;
use crate::js;

/// Where the tracks are drawn.
#[derive(Default)]
pub(super) struct Renderer {
    surfaces: BTreeMap<(SessionId, Track), Surface>,
}

/// A track's canvases, oldest first, and its newest picture for a canvas that comes later.
#[derive(Default)]
struct Surface {
    canvases: Vec<Canvas>,
    newest: Option<VideoFrame>,
}

impl Renderer {
    pub(super) fn attach(
        &mut self,
        session: SessionId,
        track: Track,
        canvas: OffscreenCanvas,
    ) -> Result<(), Exception> {
        let surface = self.surfaces.entry((session, track)).or_default();
        let canvas = Canvas::new(canvas)?;
        if let Some(frame) = &surface.newest {
            canvas.draw(frame)?;
        }
        surface.canvases.push(canvas);
        Ok(())
    }

    /// Takes away the oldest canvas: a page may show a track at its new place before it removes the old one.
    pub(super) fn detach(&mut self, session: SessionId, track: Track) {
        if let Some(surface) = self.surfaces.get_mut(&(session, track)) {
            drop(surface.canvases.drain(..1.min(surface.canvases.len())));
            self.forget_unused(session, track);
        }
    }

    /// Draws a picture, or keeps it for a canvas that comes later.
    pub(super) fn draw(
        &mut self,
        session: SessionId,
        track: Track,
        frame: VideoFrame,
    ) -> Result<(), Exception> {
        let surface = self.surfaces.entry((session, track)).or_default();
        let drawn = surface
            .canvases
            .iter()
            .try_for_each(|canvas| canvas.draw(&frame));
        surface.keep(Some(frame));
        drawn
    }

    /// Removes a track's picture. Its canvas stays, empty.
    pub(super) fn clear(&mut self, session: SessionId, track: Track) {
        if let Some(surface) = self.surfaces.get_mut(&(session, track)) {
            surface.keep(None);
            surface.canvases.iter().for_each(Canvas::clear);
            self.forget_unused(session, track);
        }
    }

    fn forget_unused(&mut self, session: SessionId, track: Track) {
        let surface = self.surfaces.get(&(session, track));
        if surface.is_some_and(|surface| surface.canvases.is_empty() && surface.newest.is_none()) {
            self.surfaces.remove(&(session, track));
        }
    }
}

impl Surface {
    /// Pictures hold memory of the decoder until they are closed.
    fn keep(&mut self, frame: Option<VideoFrame>) {
        if let Some(old) = std::mem::replace(&mut self.newest, frame) {
            old.close();
        }
    }
}

struct Canvas {
    canvas: OffscreenCanvas,
    context: OffscreenCanvasRenderingContext2d,
}

impl Canvas {
    fn new(canvas: OffscreenCanvas) -> Result<Self, Exception> {
        let options: JsValue = js::object(&json!({ "alpha": false }))?;
        let context = canvas
            .get_context_with_context_options("2d", &options)?
            .ok_or(JsValue::NULL)?;
        Ok(Self {
            canvas,
            context: context.unchecked_into(),
        })
    }

    /// The canvas takes the picture's size, unless that is huge; the page's style sheet scales it.
    fn draw(&self, frame: &VideoFrame) -> Result<(), Exception> {
        let (width, height) = drawn_size((frame.display_width(), frame.display_height()));
        // Setting a size clears the canvas and its buffers, even if it is the same.
        if (self.canvas.width(), self.canvas.height()) != (width, height) {
            self.canvas.set_width(width);
            self.canvas.set_height(height);
        }
        Ok(self.context.draw_image_with_video_frame_and_dw_and_dh(
            frame,
            0.0,
            0.0,
            width.into(),
            height.into(),
        )?)
    }

    fn clear(&self) {
        self.context.clear_rect(
            0.0,
            0.0,
            self.canvas.width().into(),
            self.canvas.height().into(),
        );
    }
}
