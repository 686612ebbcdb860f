//! What this browser remembers of the person who uses it.

use gloo::storage::{LocalStorage, Storage as _};
use serde::{Deserialize, Serialize};
use videocall_client::devices::{AudioProcessing, Definition};
use videocall_types::UserId;

const KEY: &str = "videocall.profile";

/// The person and their devices. Every part may be missing: the storage can be empty or forbidden.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Profile {
    /// The name typed last.
    pub(crate) name: String,
    /// The user id made from it.
    pub(crate) user: Option<UserId>,
    /// The camera chosen last.
    pub(crate) camera: Option<String>,
    /// The microphone chosen last.
    pub(crate) microphone: Option<String>,
    /// The speaker chosen last.
    pub(crate) speaker: Option<String>,
    /// How large the camera's pictures shall be.
    pub(crate) definition: Definition,
    /// What the browser shall do to the sound of the microphone.
    pub(crate) processing: AudioProcessing,
}

impl Profile {
    /// What is remembered.
    pub(crate) fn load() -> Self {
        LocalStorage::get(KEY).unwrap_or_default()
    }

    /// Changes what is remembered. A storage that is full or forbidden only means that nothing is.
    pub(crate) fn update(change: impl FnOnce(&mut Self)) {
        let mut profile = Self::load();
        change(&mut profile);
        if let Err(error) = LocalStorage::set(KEY, profile) {
            tracing::debug!(%error, "profile not stored");
        }
    }
}
