//! Cameras, microphones, speakers and screens.

use gloo::events::EventListener;
use js_sys::{Array, Function};
use serde::{Deserialize, Serialize};
use serde_json::json;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{MediaDeviceInfo, MediaDeviceKind, MediaDevices, MediaStream, MediaStreamTrack};

use crate::error::{CaptureError, Exception};
use crate::js;

/// What can be chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// Video inputs.
    pub cameras: Vec<Device>,
    /// Audio inputs.
    pub microphones: Vec<Device>,
    /// Audio outputs. Some browsers list none.
    pub speakers: Vec<Device>,
}

/// One device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// To open it by; empty before the person gave permission.
    pub id: String,
    /// Its name; empty before the person gave permission.
    pub label: String,
}

/// What is done to the sound of a microphone: by default all that the browser does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AudioProcessing {
    /// Takes out what comes from the loudspeaker.
    pub echo_cancellation: bool,
    /// Takes out steady noise, such as a fan's.
    pub noise_suppression: bool,
    /// Makes quiet voices louder.
    pub auto_gain_control: bool,
    /// Takes out whatever is no voice. We do that, whatever the browser can do.
    pub strong_noise_suppression: bool,
}

impl Default for AudioProcessing {
    fn default() -> Self {
        Self {
            echo_cancellation: true,
            noise_suppression: true,
            auto_gain_control: true,
            strong_noise_suppression: false,
        }
    }
}

impl AudioProcessing {
    /// What people can choose in this browser.
    #[must_use]
    pub fn supported() -> Self {
        let supported = media_devices().map(|devices| devices.get_supported_constraints());
        let has = |name| {
            supported
                .as_ref()
                .is_ok_and(|supported| js::get(supported, name).is_truthy())
        };
        Self {
            echo_cancellation: has("echoCancellation"),
            noise_suppression: has("noiseSuppression"),
            auto_gain_control: has("autoGainControl"),
            strong_noise_suppression: true,
        }
    }
}

/// How large the pictures of a camera shall be. Smaller ones are made of them for whoever shows less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Definition {
    /// 1280 by 720.
    #[default]
    High,
    /// 1920 by 1080: twice the bits and the computing.
    Full,
}

impl Definition {
    const fn size(self) -> (u32, u32) {
        match self {
            Self::High => (1280, 720),
            Self::Full => (1920, 1080),
        }
    }

    /// Whether the camera behind `track` may have such pictures; `false` only where the browser says that it hasn't.
    #[must_use]
    pub fn is_offered_by(self, track: &MediaStreamTrack) -> bool {
        let (_, height) = self.size();
        let capabilities = js::get(track, "getCapabilities")
            .dyn_ref::<Function>()
            .and_then(|capabilities| capabilities.call0(track).ok());
        let most = capabilities.and_then(|all| js::get(&js::get(&all, "height"), "max").as_f64());
        most.is_none_or(|most| most >= height.into())
    }
}

/// The devices at present; none where the browser shows none.
pub async fn list() -> Devices {
    enumerate().await.unwrap_or_default()
}

/// Opens a camera; `None`: the browser's choice. A camera that hasn't the `definition` gives what is nearest to it.
///
/// # Errors
/// [`CaptureError`]
pub async fn open_camera(
    id: Option<&str>,
    definition: Definition,
) -> Result<MediaStream, CaptureError> {
    let (width, height) = definition.size();
    let mut video = json!({ "width": { "ideal": width }, "height": { "ideal": height }, "frameRate": { "ideal": 30 } });
    choose(&mut video, id);
    open(&json!({ "video": video })).await
}

/// Opens a microphone; `None`: the browser's choice. `processing` is a wish: what the device or the browser can't do is
/// left out.
///
/// # Errors
/// [`CaptureError`]
pub async fn open_microphone(
    id: Option<&str>,
    processing: AudioProcessing,
) -> Result<MediaStream, CaptureError> {
    let mut audio = json!({
        "echoCancellation": processing.echo_cancellation,
        "noiseSuppression": processing.noise_suppression,
        "autoGainControl": processing.auto_gain_control,
        "channelCount": { "ideal": 1 },
    });
    choose(&mut audio, id);
    open(&json!({ "audio": audio })).await
}

/// Lets the person choose a screen, window or tab, with its sound where the browser has it and the person wants it.
///
/// # Errors
/// [`CaptureError`]; a refusal is [`CaptureError::Cancelled`].
pub async fn open_screen() -> Result<MediaStream, CaptureError> {
    let devices = media_devices()?;
    // The sound of a whole system has the call in it, unless the browser takes that out.
    let own_sound_is_left_out = js::get(&devices.get_supported_constraints(), "restrictOwnAudio");
    let system_audio = if own_sound_is_left_out.is_truthy() {
        "include"
    } else {
        "exclude"
    };
    let constraints = js::object(&json!({
        "video": { "frameRate": { "ideal": 30 } },
        "audio": {
            "echoCancellation": false, "noiseSuppression": false, "autoGainControl": false, "restrictOwnAudio": true,
        },
        "systemAudio": system_audio,
    }))?;
    let opened = match devices.get_display_media_with_constraints(&constraints) {
        Ok(promise) => JsFuture::from(promise).await,
        Err(error) => Err(error),
    };
    // Browsers report a closed dialog and a refusal by policy alike.
    opened.map(JsCast::unchecked_into).map_err(|error| {
        match CaptureError::from(Exception::from(error)) {
            CaptureError::PermissionDenied => CaptureError::Cancelled,
            other => other,
        }
    })
}

/// Watches for devices that come and go; stops when dropped.
#[derive(Debug)]
pub struct ChangeListener {
    _listener: EventListener,
}

/// Calls `changed` whenever a device comes or goes. `None` where the browser shows no devices.
pub fn on_change(mut changed: impl FnMut() + 'static) -> Option<ChangeListener> {
    let devices = media_devices().ok()?;
    let listener = EventListener::new(&devices, "devicechange", move |_| changed());
    Some(ChangeListener {
        _listener: listener,
    })
}

async fn enumerate() -> Result<Devices, CaptureError> {
    let promise = media_devices()?
        .enumerate_devices()
        .map_err(Exception::from)?;
    let infos = JsFuture::from(promise).await.map_err(Exception::from)?;
    let mut devices = Devices::default();
    for info in infos.unchecked_into::<Array>() {
        let info: MediaDeviceInfo = info.unchecked_into();
        let device = Device {
            id: info.device_id(),
            label: info.label(),
        };
        match info.kind() {
            MediaDeviceKind::Videoinput => devices.cameras.push(device),
            MediaDeviceKind::Audioinput => devices.microphones.push(device),
            MediaDeviceKind::Audiooutput => devices.speakers.push(device),
            _ => {}
        }
    }
    Ok(devices)
}

fn choose(constraints: &mut serde_json::Value, id: Option<&str>) {
    if let (Some(id), Some(constraints)) = (id, constraints.as_object_mut()) {
        constraints.insert("deviceId".to_owned(), json!({ "exact": id }));
    }
}

async fn open(constraints: &serde_json::Value) -> Result<MediaStream, CaptureError> {
    let constraints = js::object(constraints)?;
    let promise = media_devices()?
        .get_user_media_with_constraints(&constraints)
        .map_err(Exception::from)?;
    Ok(JsFuture::from(promise)
        .await
        .map_err(Exception::from)?
        .unchecked_into())
}

fn media_devices() -> Result<MediaDevices, CaptureError> {
    let devices = web_sys::window().and_then(|window| window.navigator().media_devices().ok());
    devices
        .filter(|devices| !devices.is_undefined())
        .ok_or(CaptureError::Insecure)
}
