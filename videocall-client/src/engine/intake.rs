//! Where the pictures of a captured track come from.

use gloo::events::EventListener;
use gloo::timers::callback::Interval;
use videocall_types::Track;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{
    MediaStreamTrack, MediaStreamTrackProcessor, MediaStreamTrackProcessorInit, MessageEvent,
    MessagePort, ReadableStream,
};

use super::work::{Queue, Work};
use crate::error::Exception;

/// How often the page is told that it is time for a picture, in milliseconds: 30 times a second.
const TICK_MS: u32 = 33;

/// What the page has given for its pictures.
pub(super) enum Intake {
    /// A stream of them.
    Stream(ReadableStream),
    /// The track itself. It would keep the device open after this is dropped, and is therefore stopped.
    Track(MediaStreamTrack),
    /// A port out of which they come. Nothing comes out of it after this is dropped.
    Port {
        port: MessagePort,
        _pictures: EventListener,
        _ticks: Interval,
    },
}

impl Intake {
    /// Takes over what came with `VideoOn`.
    pub(super) fn new(track: Track, object: JsValue, queue: &Queue) -> Self {
        let object = match object.dyn_into::<ReadableStream>() {
            Ok(stream) => return Self::Stream(stream),
            Err(object) => object,
        };
        match object.dyn_into::<MessagePort>() {
            Ok(port) => Self::listen(track, port, queue.clone()),
            Err(object) => Self::Track(object.unchecked_into()),
        }
    }

    /// The pictures as a stream; `None`: they become work by themselves.
    pub(super) fn stream(&self) -> Result<Option<ReadableStream>, Exception> {
        Ok(match self {
            Self::Stream(stream) => Some(stream.clone()),
            Self::Track(track) => {
                let init = MediaStreamTrackProcessorInit::new(track);
                Some(MediaStreamTrackProcessor::new(&init)?.readable())
            }
            Self::Port { .. } => None,
        })
    }

    fn listen(track: Track, port: MessagePort, queue: Queue) -> Self {
        let pictures = EventListener::new(&port, "message", move |event| {
            let frame = event.unchecked_ref::<MessageEvent>().data();
            queue.push(Work::Picture {
                track,
                frame: frame.unchecked_into(),
            });
        });
        port.start();
        let page = port.clone();
        let ticks = Interval::new(TICK_MS, move || {
            // It can't fail: there is nothing in it that can't be copied.
            let _ = page.post_message(&JsValue::NULL);
        });
        Self::Port {
            port,
            _pictures: pictures,
            _ticks: ticks,
        }
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        match self {
            Self::Stream(_) => {}
            Self::Track(track) => track.stop(),
            Self::Port { port, .. } => port.close(),
        }
    }
}
