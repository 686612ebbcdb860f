//! Plays through a chosen loudspeaker where audio contexts can't choose one: by a media element, which can.

use js_sys::Promise;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{AudioContext, AudioNode, HtmlAudioElement, MediaStreamAudioDestinationNode};

use crate::error::Exception;
use crate::js;

/// An `<audio>` element that is in no document. It plays until it is dropped.
#[derive(Debug)]
pub(crate) struct ElementOutput {
    element: HtmlAudioElement,
    input: MediaStreamAudioDestinationNode,
}

impl ElementOutput {
    pub(crate) fn new(context: &AudioContext) -> Result<Self, Exception> {
        let input = context.create_media_stream_destination()?;
        let element = HtmlAudioElement::new()?;
        element.set_src_object(Some(&input.stream()));
        Ok(Self { element, input })
    }

    /// What is connected to this is played.
    pub(crate) fn input(&self) -> &AudioNode {
        &self.input
    }

    /// Plays through this device from now on.
    pub(crate) fn choose(&self, id: &str) -> Result<(), Exception> {
        let set: js_sys::Function = js::get(&self.element, "setSinkId").dyn_into()?;
        let chosen: Promise = set
            .call1(&self.element, &JsValue::from_str(id))?
            .unchecked_into();
        // A device that is gone leaves the sound where it was.
        js::ignore(chosen);
        self.play();
        Ok(())
    }

    /// Starts, which browsers allow only after the person has touched the page.
    pub(crate) fn play(&self) {
        if let Ok(promise) = self.element.play() {
            js::ignore(promise);
        }
    }
}

impl Drop for ElementOutput {
    fn drop(&mut self) {
        self.element.set_src_object(None);
    }
}
