//! The page's handle of a call.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender};
use gloo::events::EventListener;
use media_core::Event;
use videocall_types::api::ServerConfig;
use videocall_types::{DisplayName, MeetingId, SessionId, Track, UserId, Wishes};
use wasm_bindgen::JsValue;
use web_sys::{HtmlCanvasElement, MediaStreamTrack};

use crate::audio_graph::AudioGraph;
use crate::capture::audio::SoundCapture;
use crate::capture::video::VideoCapture;
use crate::engine_link::{Engine, EngineLink};
use crate::error::{ClientError, Exception};
use crate::painter::PainterLink;
use crate::protocol::{Level, Start, ToEngine};
use crate::support::{self, InWorker};
use crate::{assets, preference};

/// Who joins what, and where. Not `Debug`: the token is a secret.
#[derive(Clone)]
pub struct Options {
    /// The user id.
    pub user: UserId,
    /// The meeting.
    pub meeting: MeetingId,
    /// The name that others see.
    pub name: DisplayName,
    /// What [`fetch_config`] gave.
    pub server: ServerConfig,
    /// A room token where the server asks for one.
    pub token: Option<String>,
}

/// Something that the page shows or reacts to.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientEvent {
    /// From the call.
    Call(Event),
    /// How loud the audible tracks are, several times a second.
    Levels(Vec<Level>),
    /// The engine broke. Joining again helps.
    EngineFailed(String),
    /// True: the browser plays no sound before the person clicks or types; call [`Client::resume_audio`] then. False: it
    /// plays by now, because of that or by itself.
    AudioBlocked(bool),
    /// A published source ended by itself: the device is gone, the browser's own button stopped the sharing, or it
    /// can't be encoded.
    SourceEnded(Track),
}

/// A call, from [`join`](Self::join) until the last clone is dropped or [`leave`](Self::leave).
#[derive(Clone, Debug)]
pub struct Client(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Rc<EngineLink>,
    painter: PainterLink,
    in_worker: InWorker,
    audio: AudioGraph,
    camera: RefCell<Option<VideoCapture>>,
    screen: RefCell<Option<VideoCapture>>,
    microphone: RefCell<Option<SoundCapture>>,
    screen_audio: RefCell<Option<SoundCapture>>,
    events: UnboundedSender<ClientEvent>,
    _page_listeners: [EventListener; 2],
}

impl Client {
    /// Joins with this engine, and starts the sound. What happens then comes out of the receiver.
    ///
    /// # Errors
    /// [`ClientError`]; that the server can't be reached is no error here but an event.
    pub async fn join(
        engine: Engine,
        options: Options,
    ) -> Result<(Self, UnboundedReceiver<ClientEvent>), ClientError> {
        let Engine {
            link,
            in_worker,
            events,
            receiver,
        } = engine;
        let engine = Rc::new(link);
        let start = Start {
            user: options.user,
            meeting: options.meeting,
            name: options.name,
            server: options.server,
            token: options.token,
            prefer: preference::load(),
        };
        let (painter, port) = PainterLink::start(&assets::url(assets::PAINTER)?, events.clone())?;
        engine
            .send_with(&ToEngine::Start(Box::new(start)), &port)
            .map_err(ClientError::Engine)?;
        let inner = Inner {
            audio: AudioGraph::start(&engine, events.clone()).await?,
            _page_listeners: listen_to_page(&engine)?,
            engine,
            painter,
            // An engine that breaks is an event.
            in_worker: in_worker.await.unwrap_or_default(),
            camera: RefCell::default(),
            screen: RefCell::default(),
            microphone: RefCell::default(),
            screen_audio: RefCell::default(),
            events,
        };
        Ok((Self(Rc::new(inner)), receiver))
    }

    /// Draws a track on `canvas` from now on. The painter owns its pixels and its size afterwards, so that an element can
    /// be given only once.
    pub fn show(&self, session: SessionId, track: Track, canvas: HtmlCanvasElement) {
        let shown = canvas
            .transfer_control_to_offscreen()
            .map_err(Exception::from)
            .and_then(|offscreen| self.0.painter.attach(session, track, &offscreen));
        if let Err(error) = shown {
            tracing::warn!(%error, "canvas can't be handed over");
        }
    }

    /// Draws a track no longer on the canvas that has shown it for the longest time.
    pub fn hide(&self, session: SessionId, track: Track) {
        if let Err(error) = self.0.painter.detach(session, track) {
            tracing::warn!(%error, "canvas can't be taken away");
        }
    }

    /// Receives only these video tracks from now on, as large as they are shown. At first all are received.
    pub fn wish(&self, wishes: &Wishes) {
        let shown = wishes.shown.iter();
        self.tell(&ToEngine::Wishes {
            shown: shown
                .map(|((session, track), height)| (*session, *track, *height))
                .collect(),
            others: wishes.others,
        });
    }

    /// Publishes a camera; `None`: off. The track stays the caller's, who stops it.
    ///
    /// # Errors
    /// [`ClientError::Capture`]
    pub fn publish_camera(&self, source: Option<MediaStreamTrack>) -> Result<(), ClientError> {
        self.publish_video(&self.0.camera, Track::Camera, source)
    }

    /// Publishes a screen; `None`: off. The track stays the caller's, who stops it.
    ///
    /// # Errors
    /// [`ClientError::Capture`]
    pub fn publish_screen(&self, source: Option<MediaStreamTrack>) -> Result<(), ClientError> {
        self.publish_video(&self.0.screen, Track::Screen, source)
    }

    /// Publishes a microphone, without noise where `denoise`; `None`: muted, nothing is sent. The track stays the caller's, who stops it.
    ///
    /// # Errors
    /// [`ClientError::Capture`]
    pub fn publish_microphone(
        &self,
        source: Option<MediaStreamTrack>,
        denoise: bool,
    ) -> Result<(), ClientError> {
        self.publish_sound(&self.0.microphone, Track::Microphone, source, denoise)
    }

    /// Publishes the sound of the shared screen; `None`: off. The track stays the caller's, who stops it.
    ///
    /// # Errors
    /// [`ClientError::Capture`]
    pub fn publish_screen_audio(
        &self,
        source: Option<MediaStreamTrack>,
    ) -> Result<(), ClientError> {
        self.publish_sound(&self.0.screen_audio, Track::ScreenAudio, source, false)
    }

    /// What a bug report tells of this browser: whether it has what a call needs or may use, by name.
    pub async fn features(&self) -> BTreeMap<String, bool> {
        support::probe(self.0.in_worker).await
    }

    /// Lets sound play after [`ClientEvent::AudioBlocked`]; call it while handling a click or key.
    pub fn resume_audio(&self) {
        self.0.audio.resume();
    }

    /// Plays through this speaker from now on, where [`can_choose_speaker`](crate::support::can_choose_speaker).
    pub fn set_speaker(&self, id: &str) {
        self.0.audio.set_speaker(id);
    }

    /// Leaves the meeting for good. Closing the page and dropping the last clone do that, too.
    pub fn leave(&self) {
        self.0.camera.take();
        self.0.screen.take();
        self.0.microphone.take();
        self.0.screen_audio.take();
        self.0.audio.close();
        self.tell(&ToEngine::Leave);
    }

    fn publish_video(
        &self,
        slot: &RefCell<Option<VideoCapture>>,
        track: Track,
        source: Option<MediaStreamTrack>,
    ) -> Result<(), ClientError> {
        let capture = match source {
            Some(source) => Some(
                VideoCapture::start(
                    &self.0.engine,
                    self.0.in_worker,
                    track,
                    &source,
                    self.0.events.clone(),
                )
                .map_err(ClientError::Capture)?,
            ),
            None => {
                self.tell(&ToEngine::VideoOff { track });
                None
            }
        };
        slot.replace(capture);
        Ok(())
    }

    fn publish_sound(
        &self,
        slot: &RefCell<Option<SoundCapture>>,
        track: Track,
        source: Option<MediaStreamTrack>,
        denoise: bool,
    ) -> Result<(), ClientError> {
        let inner = &self.0;
        let capture = match source {
            Some(source) => Some(
                SoundCapture::start(
                    &inner.engine,
                    &inner.audio,
                    track,
                    &source,
                    denoise,
                    inner.events.clone(),
                )
                .map_err(ClientError::Capture)?,
            ),
            None => {
                self.tell(&ToEngine::SoundOff { track });
                None
            }
        };
        slot.replace(capture);
        Ok(())
    }

    fn tell(&self, message: &ToEngine) {
        if let Err(error) = self.0.engine.send(message) {
            tracing::warn!(%error, "engine can't be told");
        }
    }
}

impl PartialEq for Client {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// Passes on what the page alone learns.
fn listen_to_page(engine: &Rc<EngineLink>) -> Result<[EventListener; 2], ClientError> {
    let window = web_sys::window()
        .ok_or_else(|| ClientError::Engine(JsValue::from_str("no window").into()))?;
    let forward = |event, message: fn() -> ToEngine| {
        let engine = engine.clone();
        EventListener::new(&window, event, move |_| {
            let _ = engine.send(&message());
        })
    };
    Ok([
        forward("online", || ToEngine::NetworkBack),
        forward("pagehide", || ToEngine::Leave),
    ])
}
