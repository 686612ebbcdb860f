//! Tells during a call when a device can't be opened or is gone.

use yew::prelude::*;

use super::use_source::{Source, SourceStatus};
use crate::advice;

/// Calls `notify` when `source` fails or is lost from now on. What failed earlier was said on the pre-join page.
#[hook]
pub(crate) fn use_failure_notice(source: &Source, notify: Callback<String>) {
    let known = use_mut_ref(|| source.status.clone());
    use_effect_with(
        (source.kind, source.status.clone()),
        move |(kind, status)| {
            let before = known.replace(status.clone());
            if before == *status {
                return;
            }
            match status {
                SourceStatus::Failed(error) => {
                    notify.emit(advice::about(kind.name(), error, "switch it on again"));
                }
                SourceStatus::Lost => notify.emit(format!(
                    "Your {} was disconnected: nobody gets it any more. Switch it on again to use another one.",
                    kind.name()
                )),
                _ => {}
            }
        },
    );
}
