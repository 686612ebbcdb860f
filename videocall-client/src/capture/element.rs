//! Takes the pictures of a track off a `<video>` element.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo::events::EventListener;
use js_sys::{Array, Function};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Document, HtmlVideoElement, MediaStream, MediaStreamTrack, MessageChannel, MessagePort,
    VideoFrame, VideoFrameInit,
};

use crate::error::Exception;
use crate::js;

/// Sends pictures into a port, until it is dropped.
///
/// They are taken when the element presents them. While the page is hidden, browsers hardly present any, though the
/// element has them; they are taken then whenever something comes out of the port, because the page's own timers are slow.
#[derive(Debug)]
pub(super) struct ElementSource {
    element: HtmlVideoElement,
    pending: Rc<Cell<u32>>,
    callback: Rc<Callback>,
    _ticks: EventListener,
}

/// Refers to itself to be called again, until it is taken out.
type Callback = RefCell<Option<Closure<dyn FnMut(f64, JsValue)>>>;

impl ElementSource {
    /// Also returns the other end of the port.
    pub(super) fn start(source: &MediaStreamTrack) -> Result<(Self, MessagePort), Exception> {
        let window = web_sys::window().ok_or(JsValue::UNDEFINED)?;
        let document = window.document().ok_or(JsValue::UNDEFINED)?;
        let element: HtmlVideoElement = document.create_element("video")?.unchecked_into();
        element.set_muted(true);
        element.set_src_object(Some(&MediaStream::new_with_tracks(&Array::of1(source))?));
        let playing = element.play()?;
        spawn_local(async move {
            // Rejected when the capture stops before it has begun, which needs no reaction.
            let _ = JsFuture::from(playing).await;
        });
        let channel = MessageChannel::new()?;
        let this = Self {
            pending: Rc::default(),
            callback: Rc::default(),
            _ticks: grab_on_tick(&element, &document, &channel.port1()),
            element,
        };
        this.grab_presented(document, channel.port1());
        Ok((this, channel.port2()))
    }

    fn grab_presented(&self, document: Document, port: MessagePort) {
        let (element, pending, callback) = (
            self.element.clone(),
            self.pending.clone(),
            self.callback.clone(),
        );
        *self.callback.borrow_mut() = Some(Closure::new(move |now: f64, about: JsValue| {
            if !document.hidden() {
                let captured = js::get(&about, "captureTime").as_f64();
                grab(&element, captured.unwrap_or(now), &port);
            }
            request(&element, &pending, &callback);
        }));
        request(&self.element, &self.pending, &self.callback);
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

fn grab_on_tick(
    element: &HtmlVideoElement,
    document: &Document,
    port: &MessagePort,
) -> EventListener {
    let (element, document, pictures) = (element.clone(), document.clone(), port.clone());
    let listener = EventListener::new(port, "message", move |_| {
        let performance = web_sys::window().and_then(|window| window.performance());
        if document.hidden()
            && let Some(performance) = performance
        {
            grab(&element, performance.now(), &pictures);
        }
    });
    port.start();
    listener
}

/// Asks for one call of `callback` with the next picture.
fn request(element: &HtmlVideoElement, pending: &Cell<u32>, callback: &Callback) {
    if let Some(callback) = callback.borrow().as_ref() {
        let source = element.unchecked_ref::<VideoFrameSource>();
        pending.set(source.request_video_frame_callback(callback.as_ref().unchecked_ref()));
    }
}

/// Sends the present picture, captured at `time` in milliseconds. Elements give pictures no usable time of their own.
fn grab(element: &HtmlVideoElement, time: f64, port: &MessagePort) {
    let init = VideoFrameInit::new();
    init.set_timestamp_f64((time * 1000.0).round());
    // There is no picture before the first one, which needs no reaction.
    let frame = VideoFrame::new_with_html_video_element_and_video_frame_init(element, &init);
    if let Ok(frame) = frame
        && port
            .post_message_with_transferable(&frame, &Array::of1(&frame))
            .is_err()
    {
        frame.close();
    }
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
