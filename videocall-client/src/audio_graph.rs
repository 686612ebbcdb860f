//! The page's audio graph: a 48 kHz context, the playout worklet and what captures a microphone.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::mpsc::UnboundedSender;
use gloo::events::EventListener;
use gloo::timers::callback::{Interval, Timeout};
use js_sys::{Array, WebAssembly};
use serde_json::json;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    AudioContext, AudioContextState, AudioNode, AudioWorkletNode, MediaStream,
    MediaStreamAudioSourceNode, MediaStreamTrack, MessageChannel, MessagePort,
};

use crate::audio_output::ElementOutput;
use crate::client::ClientEvent;
use crate::engine_link::EngineLink;
use crate::error::{ClientError, Exception};
use crate::protocol::ToEngine;
use crate::{assets, js, support};

/// A context that has not started after this time waits for the person, in milliseconds.
const START_MS: u32 = 1000;
/// How often the engine is told which moment of the context is heard, in milliseconds.
const CLOCK_MS: u32 = 1000;

/// Plays what the engine decodes, until it is dropped.
#[derive(Debug)]
pub(crate) struct AudioGraph {
    context: Context,
    playout: AudioWorkletNode,
    /// Where sound goes instead of the context's destination.
    element: RefCell<Option<ElementOutput>>,
    _watch: (EventListener, Timeout),
    _clock: Interval,
}

impl AudioGraph {
    /// Starts playing, and connects the engine to the playout worklet.
    pub(crate) async fn start(
        engine: &Rc<EngineLink>,
        events: UnboundedSender<ClientEvent>,
    ) -> Result<Self, ClientError> {
        let script = assets::url(assets::WORKLET_JS)?;
        let module = assets::url(assets::WORKLET_WASM)?;
        let context = js::object(&json!({ "sampleRate": 48_000, "latencyHint": "interactive" }))
            .and_then(|options| Ok(Context(AudioContext::new_with_context_options(&options)?)))
            .map_err(ClientError::Audio)?;
        let watch = watch(&context.0, events);
        let playout = async {
            let loaded = JsFuture::from(context.0.audio_worklet()?.add_module(&script)?);
            let module = JsFuture::from(WebAssembly::compile_streaming(&fetch(&module)?)).await?;
            loaded.await?;
            connect_playout(&context.0, &module, engine)
        };
        let playout = playout.await.map_err(ClientError::Audio)?;
        let graph = Self {
            _clock: tell_clock(&context.0, engine),
            context,
            playout,
            element: RefCell::default(),
            _watch: watch,
        };
        graph.resume();
        Ok(graph)
    }

    /// Starts the context, which browsers allow only after the person has touched the page.
    pub(crate) fn resume(&self) {
        if let Ok(promise) = self.context.0.resume() {
            js::ignore(promise.unchecked_into());
        }
        if let Some(element) = self.element.borrow().as_ref() {
            element.play();
        }
    }

    /// Plays through this device from now on, where the browser can choose; empty: the browser's choice.
    pub(crate) fn set_speaker(&self, id: &str) {
        if support::contexts_choose_speaker() {
            // A device that is gone leaves the sound where it was.
            js::ignore(self.context.0.set_sink_id_with_str(id).unchecked_into());
        } else if support::can_choose_speaker()
            && let Err(error) = self.play_by_element(id)
        {
            tracing::warn!(%error, "the speaker can't be chosen");
        }
    }

    fn play_by_element(&self, id: &str) -> Result<(), Exception> {
        let mut element = self.element.borrow_mut();
        if id.is_empty() {
            if element.take().is_some() {
                self.lead_playout_to(&self.context.0.destination())?;
            }
            return Ok(());
        }
        match element.as_ref() {
            Some(element) => element.choose(id),
            None => {
                let output = element.insert(ElementOutput::new(&self.context.0)?);
                self.lead_playout_to(output.input())?;
                output.choose(id)
            }
        }
    }

    fn lead_playout_to(&self, node: &AudioNode) -> Result<(), Exception> {
        self.playout.disconnect()?;
        self.playout.connect_with_audio_node(node)?;
        Ok(())
    }

    /// Ends all sound.
    pub(crate) fn close(&self) {
        self.element.take();
        self.context.close();
    }

    /// Cuts `source` into frames, which come out of the port; soon after that without noise, if it is to be taken out.
    pub(crate) fn capture(
        &self,
        source: &MediaStreamTrack,
        denoise: bool,
    ) -> Result<(CaptureNodes, MessagePort), Exception> {
        let stream = MediaStream::new_with_tracks(&Array::of1(source))?;
        let source = self.context.0.create_media_stream_source(&stream)?;
        let options = js::object(&json!({ "channelCount": 1, "channelCountMode": "explicit" }))?;
        let worklet =
            AudioWorkletNode::new_with_options(&self.context.0, "videocall-capture", &options)?;
        source.connect_with_audio_node(&worklet)?;
        // It puts out silence; some browsers run only nodes that lead somewhere.
        worklet.connect_with_audio_node(&self.context.0.destination())?;
        let port = hand_port(&worklet)?;
        if denoise {
            let worklet = worklet.clone();
            spawn_local(async move {
                if let Err(error) = load_denoiser(&worklet).await {
                    tracing::warn!(%error, "noise can't be taken out");
                }
            });
        }
        Ok((CaptureNodes { source, worklet }, port))
    }
}

/// A context that is closed when dropped.
#[derive(Debug)]
struct Context(AudioContext);

impl Context {
    fn close(&self) {
        if self.0.state() != AudioContextState::Closed
            && let Ok(promise) = self.0.close()
        {
            js::ignore(promise.unchecked_into());
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        self.close();
    }
}

/// The nodes of a captured microphone, taken out of the graph when dropped.
#[derive(Debug)]
pub(crate) struct CaptureNodes {
    source: MediaStreamAudioSourceNode,
    worklet: AudioWorkletNode,
}

impl Drop for CaptureNodes {
    fn drop(&mut self) {
        // Disconnecting a node that is not connected fails, which leaves what is wanted.
        let _ = self.source.disconnect();
        let _ = self.worklet.disconnect();
        if let Err(error) = stop(&self.worklet) {
            tracing::warn!(%error, "the capture processor runs on");
        }
    }
}

async fn load_denoiser(worklet: &AudioWorkletNode) -> Result<(), Exception> {
    let url = assets::url(assets::DENOISER_WASM).map_err(|_| JsValue::UNDEFINED)?;
    let module = JsFuture::from(WebAssembly::compile_streaming(&fetch(&url)?)).await?;
    let message = js_sys::Object::new();
    js::set(&message, "denoiser", &module)?;
    Ok(worklet.port()?.post_message(&message)?)
}

/// Lets a worklet's processor end.
fn stop(worklet: &AudioWorkletNode) -> Result<(), Exception> {
    let message = js_sys::Object::new();
    js::set(&message, "stop", &JsValue::TRUE)?;
    Ok(worklet.port()?.post_message(&message)?)
}

/// Tells when the person must click before sound plays, and when it does. Some browsers start late, or pause while there
/// is a phone call.
fn watch(context: &AudioContext, events: UnboundedSender<ClientEvent>) -> (EventListener, Timeout) {
    let watched = context.clone();
    let report = move || {
        let blocked = !matches!(
            watched.state(),
            AudioContextState::Running | AudioContextState::Closed
        );
        let _ = events.unbounded_send(ClientEvent::AudioBlocked(blocked));
    };
    let later = report.clone();
    (
        EventListener::new(context, "statechange", move |_| report()),
        Timeout::new(START_MS, later),
    )
}

/// Keeps telling the engine which moment of the context is heard, so that pictures are shown with their sound.
fn tell_clock(context: &AudioContext, engine: &Rc<EngineLink>) -> Interval {
    let (context, engine) = (context.clone(), engine.clone());
    Interval::new(CLOCK_MS, move || {
        if let Some(offset_us) = clock_offset(&context) {
            let _ = engine.send(&ToEngine::SoundClock { offset_us });
        }
    })
}

/// `None` before anything is heard, and where the browser does not tell.
fn clock_offset(context: &AudioContext) -> Option<f64> {
    let heard = context
        .unchecked_ref::<OutputClock>()
        .get_output_timestamp()
        .ok()?;
    let context_s = js::get(&heard, "contextTime").as_f64()?;
    let page_ms = js::get(&heard, "performanceTime").as_f64()?;
    let origin_ms = web_sys::window()?.performance()?.time_origin();
    (context_s > 0.0).then_some((origin_ms + page_ms) * 1e3 - context_s * 1e6)
}

#[wasm_bindgen]
extern "C" {
    /// What web-sys lacks of `AudioContext`.
    type OutputClock;

    #[wasm_bindgen(method, catch, js_name = getOutputTimestamp)]
    fn get_output_timestamp(this: &OutputClock) -> Result<JsValue, JsValue>;
}

fn connect_playout(
    context: &AudioContext,
    module: &JsValue,
    engine: &EngineLink,
) -> Result<AudioWorkletNode, Exception> {
    let options: web_sys::AudioWorkletNodeOptions = js::object(
        &json!({ "numberOfInputs": 0, "outputChannelCount": [2], "processorOptions": {} }),
    )?;
    js::set(&js::get(&options, "processorOptions"), "module", module)?;
    let playout = AudioWorkletNode::new_with_options(context, "videocall-playout", &options)?;
    playout.connect_with_audio_node(&context.destination())?;
    let port = hand_port(&playout)?;
    engine.send_with(&ToEngine::Playout, &port)?;
    Ok(playout)
}

/// Gives a worklet one end of a new channel, so that the engine talks to it without the page. The other end is returned.
fn hand_port(worklet: &AudioWorkletNode) -> Result<MessagePort, Exception> {
    let channel = MessageChannel::new()?;
    let message = js_sys::Object::new();
    js::set(&message, "port", &channel.port1())?;
    let own = worklet.port()?;
    own.post_message_with_transferable(&message, &Array::of1(&channel.port1()))?;
    // What the worklet tells the page is for tests; a port that is not started would collect it.
    own.start();
    Ok(channel.port2())
}

fn fetch(url: &str) -> Result<js_sys::Promise, Exception> {
    let window = web_sys::window().ok_or(JsValue::UNDEFINED)?;
    Ok(window.fetch_with_str(url).unchecked_into())
}
