//! A camera or a microphone, open for as long as it is wanted.

use std::cell::Cell;
use std::rc::Rc;

use gloo::events::EventListener;
use videocall_client::CaptureError;
use videocall_client::devices::{self, AudioProcessing, Definition};
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::spawn_local;
use web_sys::MediaStreamTrack;
use yew::prelude::*;

use crate::services::profile::Profile;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceKind {
    Camera,
    Microphone,
}

impl SourceKind {
    /// In the middle of a sentence.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Microphone => "microphone",
        }
    }
}

/// What is asked of a device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Settings {
    Camera(Definition),
    Microphone(AudioProcessing),
}

impl Settings {
    fn kind(self) -> SourceKind {
        match self {
            Self::Camera(_) => SourceKind::Camera,
            Self::Microphone(_) => SourceKind::Microphone,
        }
    }
}

/// How far a source is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SourceStatus {
    Closed,
    Opening,
    Open(MediaStreamTrack),
    Failed(CaptureError),
    /// The device went away.
    Lost,
}

impl SourceStatus {
    fn broken(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Lost)
    }
}

/// A camera or a microphone, and what the person may do with it.
#[derive(Clone, PartialEq)]
pub(crate) struct Source {
    pub(crate) kind: SourceKind,
    /// What the person wants.
    pub(crate) on: bool,
    pub(crate) status: SourceStatus,
    /// The chosen device; `None`: the browser's choice.
    pub(crate) device: Option<String>,
    /// Switches it off, or on again; one that is broken is tried again.
    pub(crate) toggle: Callback<()>,
    pub(crate) retry: Callback<()>,
    pub(crate) choose: Callback<String>,
}

impl Source {
    /// Whether it is on, or will be as soon as the browser has opened it.
    pub(crate) fn works(&self) -> bool {
        self.on && !self.broken()
    }

    /// Whether it can't be used.
    pub(crate) fn broken(&self) -> bool {
        self.status.broken()
    }

    /// The track that others may have: none while the person has switched it off.
    pub(crate) fn published(&self) -> Option<&MediaStreamTrack> {
        self.track().filter(|_| self.on)
    }

    /// The track as long as the device is open, a muted microphone included.
    pub(crate) fn track(&self) -> Option<&MediaStreamTrack> {
        match &self.status {
            SourceStatus::Open(track) => Some(track),
            _ => None,
        }
    }
}

/// Opens a device while `active`, and again when its `settings` change. A camera that is switched off is closed, so that its light goes out; a muted microphone stays open, so that unmuting loses
/// no word.
#[hook]
pub(crate) fn use_source(settings: Settings, active: bool) -> Source {
    let kind = settings.kind();
    let on = use_state(|| true);
    let status = use_state(|| SourceStatus::Closed);
    let device = use_state(|| remembered(kind));
    let attempt = use_state(|| 0_u32);

    let wanted = active && (*on || kind == SourceKind::Microphone);
    {
        let status = status.setter();
        use_effect_with(
            (wanted, (*device).clone(), settings, *attempt),
            move |(wanted, device, settings, _)| {
                let opening = wanted.then(|| Opening::start(*settings, device.clone(), status));
                move || drop(opening)
            },
        );
    }
    use_effect_with(((*status).clone(), *on), move |(status, on)| {
        if let SourceStatus::Open(track) = status {
            track.set_enabled(*on);
        }
    });

    let retry = use_callback(
        (on.setter(), attempt.setter(), *attempt),
        |(), (set_on, set, attempt)| {
            set_on.set(true);
            set.set(attempt + 1);
        },
    );
    let broken = status.broken();
    let toggle = use_callback(
        (on.setter(), *on, broken, retry.clone()),
        |(), (set, on, broken, retry)| {
            if *broken {
                retry.emit(())
            } else {
                set.set(!on)
            }
        },
    );
    let choose = use_callback(device.setter(), move |id: String, set| {
        remember(kind, &id);
        set.set(Some(id));
    });
    Source {
        kind,
        on: *on,
        status: (*status).clone(),
        device: (*device).clone(),
        toggle,
        retry,
        choose,
    }
}

/// A device that is being opened or is open. Dropping it closes the device.
struct Opening {
    status: UseStateSetter<SourceStatus>,
    over: Rc<Cell<bool>>,
    held: Rc<Cell<Option<Held>>>,
}

struct Held {
    track: MediaStreamTrack,
    _ended: EventListener,
}

impl Opening {
    fn start(
        settings: Settings,
        device: Option<String>,
        status: UseStateSetter<SourceStatus>,
    ) -> Self {
        let opening = Self {
            status: status.clone(),
            over: Rc::default(),
            held: Rc::default(),
        };
        let (over, held) = (opening.over.clone(), opening.held.clone());
        status.set(SourceStatus::Opening);
        spawn_local(async move {
            let opened = open(settings, device.as_deref()).await;
            match opened {
                Ok(track) if over.get() => track.stop(),
                Ok(track) => {
                    let lost = status.clone();
                    let ended =
                        EventListener::once(&track, "ended", move |_| lost.set(SourceStatus::Lost));
                    held.set(Some(Held {
                        // `track.clone()` is the browser's: a second track, which keeps the device open.
                        track: Clone::clone(&track),
                        _ended: ended,
                    }));
                    status.set(SourceStatus::Open(track));
                }
                Err(_) if over.get() => {}
                Err(error) => status.set(SourceStatus::Failed(error)),
            }
        });
        opening
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.over.set(true);
        if let Some(held) = self.held.take() {
            held.track.stop();
        }
        self.status.set(SourceStatus::Closed);
    }
}

/// Opens `device`; if it is gone, whichever the browser offers.
async fn open(settings: Settings, device: Option<&str>) -> Result<MediaStreamTrack, CaptureError> {
    match open_exactly(settings, device).await {
        Err(CaptureError::NotFound) if device.is_some() => open_exactly(settings, None).await,
        opened => opened,
    }
}

async fn open_exactly(
    settings: Settings,
    device: Option<&str>,
) -> Result<MediaStreamTrack, CaptureError> {
    let stream = match settings {
        Settings::Camera(definition) => devices::open_camera(device, definition).await?,
        Settings::Microphone(processing) => devices::open_microphone(device, processing).await?,
    };
    stream
        .get_tracks()
        .get(0)
        .dyn_into()
        .map_err(|_| CaptureError::NotFound)
}

fn remembered(kind: SourceKind) -> Option<String> {
    let profile = Profile::load();
    match kind {
        SourceKind::Camera => profile.camera,
        SourceKind::Microphone => profile.microphone,
    }
}

fn remember(kind: SourceKind, id: &str) {
    Profile::update(|profile| match kind {
        SourceKind::Camera => profile.camera = Some(id.to_owned()),
        SourceKind::Microphone => profile.microphone = Some(id.to_owned()),
    });
}
