//! The engine's end of the playout worklet. `audio-worklet/processor.js` defines the messages.

use gloo::events::EventListener;
use js_sys::{Array, BigInt, Float32Array, Object};
use media_core::outputs;
use videocall_types::{SessionId, Track};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{MessageEvent, MessagePort};

use super::decode::Place;
use super::work::{Queue, Work};
use crate::error::Exception;
use crate::js;
use crate::protocol::Level;

/// Plays decoded sound.
pub(super) struct Playout {
    port: MessagePort,
    _statistics: EventListener,
}

/// How a track is played at a moment.
pub(super) struct Played {
    pub(super) level: Level,
    pub(super) playout: outputs::Playout,
    /// What was captured at the first time, in microseconds on the sender's clock, is rendered at the second, in microseconds
    /// of the context; `None` while nothing is played.
    pub(super) rendered: Option<(u64, f64)>,
}

impl Playout {
    pub(super) fn new(port: MessagePort, queue: Queue) -> Self {
        let statistics = EventListener::new(&port, "message", move |event| {
            let entries: Array = event
                .unchecked_ref::<MessageEvent>()
                .data()
                .unchecked_into();
            queue.push(Work::Played(
                entries.iter().filter_map(|entry| played(&entry)).collect(),
            ));
        });
        port.start();
        Self {
            port,
            _statistics: statistics,
        }
    }

    /// Plays one decoded packet.
    pub(super) fn play(
        &self,
        session: SessionId,
        track: Track,
        place: Place,
        samples: &Float32Array,
    ) -> Result<(), Exception> {
        let message = stream(session, track)?;
        js::set(&message, "sequence", &BigInt::from(place.sequence))?;
        js::set(&message, "time", &(place.capture_time_us as f64).into())?;
        js::set(&message, "repeats", &(place.repeats as f64).into())?;
        js::set(&message, "samples", samples)?;
        Ok(self
            .port
            .post_message_with_transferable(&message, &Array::of1(&samples.buffer()))?)
    }

    /// Forgets a track.
    pub(super) fn remove(&self, session: SessionId, track: Track) -> Result<(), Exception> {
        let message = Object::new();
        let removed = stream(session, track)?;
        js::set(&message, "remove", &removed)?;
        Ok(self.port.post_message(&message)?)
    }
}

impl Drop for Playout {
    fn drop(&mut self) {
        self.port.close();
    }
}

fn stream(session: SessionId, track: Track) -> Result<Object, Exception> {
    let stream = Object::new();
    js::set(&stream, "session", &BigInt::from(session.get()))?;
    js::set(&stream, "track", &(track.to_wire() as i32).into())?;
    Ok(stream)
}

fn played(entry: &JsValue) -> Option<Played> {
    let number = |name| js::get(entry, name).as_f64();
    let session = u64::try_from(js::get(entry, "session").dyn_into::<BigInt>().ok()?).ok()?;
    let track = number("track")?;
    let track = Track::ALL
        .into_iter()
        .find(|candidate| f64::from(candidate.to_wire() as i32) == track)?;
    Some(Played {
        level: Level {
            session: SessionId::new(session)?,
            track,
            level: number("level")? as f32,
        },
        playout: outputs::Playout {
            delay_ms: number("delayMs")?,
            late: number("late")? as u64,
            dropped: number("dropped")? as u64,
        },
        rendered: number("heardUs")
            .filter(|captured| captured.is_finite())
            .map(|captured| captured as u64)
            .zip(number("atUs")),
    })
}
