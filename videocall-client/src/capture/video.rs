//! Captures a camera or screen.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::mpsc::UnboundedSender;
use gloo::events::EventListener;
use js_sys::{Array, Function};
use videocall_types::Track;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    HtmlVideoElement, MediaStream, MediaStreamTrack, MediaStreamTrackProcessor,
    MediaStreamTrackProcessorInit, VideoFrame, VideoFrameInit,
};

use crate::client::ClientEvent;
use crate::engine_link::EngineLink;
use crate::error::Exception;
use crate::protocol::ToEngine;
use crate::support;

/// What the page holds of a captured video track.
#[derive(Debug)]
pub(crate) struct VideoCapture {
    _element: Option<ElementSource>,
    _ended: EventListener,
}

impl VideoCapture {
    /// Captures `source` as `track`, in place of what was captured as that before.
    pub(crate) fn start(
        engine: &Rc<EngineLink>,
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
        } else {
            engine.send(&on)?;
            Some(ElementSource::start(engine.clone(), track, source)?)
        };
        let ended = super::report_end(source, track, events);
        Ok(Self {
            _element: element,
            _ended: ended,
        })
    }
}

/// Takes pictures off a `<video>` element that is in no document.
#[derive(Debug)]
struct ElementSource {
    element: HtmlVideoElement,
    pending: Rc<Cell<u32>>,
    callback: Rc<Callback>,
}

/// Refers to itself to be called again, until it is taken out.
type Callback = RefCell<Option<Closure<dyn FnMut()>>>;

impl ElementSource {
    fn start(
        engine: Rc<EngineLink>,
        track: Track,
        source: &MediaStreamTrack,
    ) -> Result<Self, Exception> {
        let document = web_sys::window()
            .and_then(|window| window.document())
            .ok_or(JsValue::UNDEFINED)?;
        let element: HtmlVideoElement = document.create_element("video")?.unchecked_into();
        element.set_muted(true);
        element.set_src_object(Some(&MediaStream::new_with_tracks(&Array::of1(source))?));
        let playing = element.play()?;
        spawn_local(async move {
            // Rejected when the capture stops before it has begun, which needs no reaction.
            let _ = JsFuture::from(playing).await;
        });
        let this = Self {
            element,
            pending: Rc::default(),
            callback: Rc::default(),
        };
        let (element, pending, callback) = (
            this.element.clone(),
            this.pending.clone(),
            this.callback.clone(),
        );
        *this.callback.borrow_mut() = Some(Closure::new(move || {
            if let Ok(frame) = grab(&element)
                && engine
                    .send_with(&ToEngine::VideoFrame { track }, &frame)
                    .is_err()
            {
                frame.close();
            }
            request(&element, &pending, &callback);
        }));
        request(&this.element, &this.pending, &this.callback);
        Ok(this)
    }
}

impl Drop for ElementSource {
    fn drop(&mut self) {
        self.element
            .unchecked_ref::<VideoFrameSource>()
            .cancel_video_frame_callback(self.pending.get());
        self.callback.take();
        self.element.set_src_object(None);
    }
}

/// Asks for one call of `callback` with the next picture.
fn request(
    element: &HtmlVideoElement,
    pending: &Cell<u32>,
    callback: &RefCell<Option<Closure<dyn FnMut()>>>,
) {
    if let Some(callback) = callback.borrow().as_ref() {
        let source = element.unchecked_ref::<VideoFrameSource>();
        pending.set(source.request_video_frame_callback(callback.as_ref().unchecked_ref()));
    }
}

fn grab(element: &HtmlVideoElement) -> Result<VideoFrame, Exception> {
    let init = VideoFrameInit::new();
    // Elements give pictures no usable time of their own.
    let performance = web_sys::window()
        .and_then(|window| window.performance())
        .ok_or(JsValue::UNDEFINED)?;
    init.set_timestamp_f64((performance.now() * 1000.0).round());
    Ok(VideoFrame::new_with_html_video_element_and_video_frame_init(element, &init)?)
}

#[wasm_bindgen]
extern "C" {
    /// What web-sys lacks of `HTMLVideoElement`.
    type VideoFrameSource;

    #[wasm_bindgen(method, js_name = requestVideoFrameCallback)]
    fn request_video_frame_callback(this: &VideoFrameSource, callback: &Function) -> u32;

    #[wasm_bindgen(method, js_name = cancelVideoFrameCallback)]
    fn cancel_video_frame_callback(this: &VideoFrameSource, handle: u32);
}
