//! What the page and the engine worker tell each other.
//!
//! A message is a JavaScript array: the JSON of [`ToEngine`] or [`FromEngine`], then the objects that the message's
//! documentation names, transferred.

use js_sys::Array;
use media_core::Event;
use media_core::command::TransportKind;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use videocall_types::api::ServerConfig;
use videocall_types::{DisplayName, MeetingId, SessionId, Track, UserId};
use wasm_bindgen::{JsCast as _, JsValue};

use crate::support::InWorker;

/// From the page to the engine. Not `Debug`: a token is a secret.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ToEngine {
    /// First: join the meeting. With a `MessagePort` to the painter.
    Start(Box<Start>),
    /// The page shows these video tracks, in so many rows of pixels; `others`: and those that it does not name.
    Wishes {
        shown: Vec<(SessionId, Track, u32)>,
        others: bool,
    },
    /// Where sound goes. With a `MessagePort` to the playout worklet.
    Playout,
    /// How much more, in microseconds, the Unix clock reads than the clock of the sound's context when a sound is heard.
    SoundClock { offset_us: f64 },
    /// A video track is captured. With a `ReadableStream` of `VideoFrame`, with the `MediaStreamTrack`, or with a
    /// `MessagePort` out of which `VideoFrame`s come; whatever goes into that means that it is time for one.
    VideoOn { track: Track },
    /// A video track is captured no longer.
    VideoOff { track: Track },
    /// A sound is captured. With a `MessagePort` to the capture worklet.
    SoundOn { track: Track },
    /// A sound is captured no longer.
    SoundOff { track: Track },
    /// The browser says that the network is there again.
    NetworkBack,
    /// Leave the meeting for good; the engine ends itself.
    Leave,
}

/// How to join.
#[derive(Serialize, Deserialize)]
pub(crate) struct Start {
    pub(crate) user: UserId,
    pub(crate) meeting: MeetingId,
    pub(crate) name: DisplayName,
    pub(crate) server: ServerConfig,
    pub(crate) token: Option<String>,
    /// The transport that won the last time.
    pub(crate) prefer: Option<TransportKind>,
}

/// From the engine to the page. All come alone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub(crate) enum FromEngine {
    /// First: the engine listens, and this is what its Worker has.
    Ready(InWorker),
    /// From the call.
    Event(Event),
    /// How loud the audible tracks are.
    Levels(Vec<Level>),
    /// A captured track can't be encoded any more.
    SourceFailed(Track),
}

/// How loud a track is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Whose; our own session for the own microphone.
    pub session: SessionId,
    /// Which track.
    pub track: Track,
    /// From 0 (silence) to 1 (full scale).
    pub level: f32,
}

/// A message with its objects, as one value for `postMessage`.
pub(crate) fn encode(message: &impl Serialize, objects: &Array) -> JsValue {
    // These enums have no maps and no fallible serializers, so that an error can't happen.
    let json = serde_json::to_string(message).unwrap_or_default();
    Array::of1(&json.into()).concat(objects).into()
}

/// The message and its first object (`undefined` if there is none). `None` if it isn't one of ours.
pub(crate) fn decode<T: DeserializeOwned>(data: &JsValue) -> Option<(T, JsValue)> {
    let parts = data.dyn_ref::<Array>()?;
    let message = serde_json::from_str(&parts.get(0).as_string()?).ok()?;
    Some((message, parts.get(1)))
}
