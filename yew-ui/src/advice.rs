//! What people can do when a device can't be used.

use videocall_client::CaptureError;

/// What is wrong with `device` and what helps. `retry` is how to try again: "press Try again".
pub(crate) fn about(device: &str, error: &CaptureError, retry: &str) -> String {
    match error {
        CaptureError::PermissionDenied | CaptureError::Cancelled => {
            format!(
                "The browser may not use your {device}. Allow it in the address bar, then {retry}."
            )
        }
        CaptureError::NotFound => {
            format!("No {device} found. Connect one, then {retry}, or go on without.")
        }
        CaptureError::InUse => {
            format!(
                "Your {device} can't be started. Close other programs that use it, then {retry}."
            )
        }
        CaptureError::Insecure => {
            format!(
                "Browsers open your {device} only for pages on https or localhost. Open this page that way."
            )
        }
        CaptureError::Other(exception) => {
            format!("Your {device} can't be used ({exception}). To try again, {retry}.")
        }
    }
}
