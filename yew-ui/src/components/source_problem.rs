//! What to do when the camera or the microphone can't be used.

use yew::prelude::*;

use super::icon::{Icon, Symbol};
use crate::advice;
use crate::hooks::use_source::{Source, SourceStatus};

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) camera: Source,
    pub(crate) microphone: Source,
}

/// What is wrong with the two and what helps; nothing while all is well. What is wrong with both is said once.
#[component]
pub(crate) fn SourceProblems(props: &Props) -> Html {
    let Props { camera, microphone } = props;
    if camera.broken() && camera.status == microphone.status {
        return problem(
            "camera and microphone",
            &camera.status,
            [camera.retry.clone(), microphone.retry.clone()],
        );
    }
    html! {
        <>
            { problem(camera.kind.name(), &camera.status, [camera.retry.clone()]) }
            { problem(microphone.kind.name(), &microphone.status, [microphone.retry.clone()]) }
        </>
    }
}

fn problem<const N: usize>(
    device: &str,
    status: &SourceStatus,
    retries: [Callback<()>; N],
) -> Html {
    let text = match status {
        SourceStatus::Closed | SourceStatus::Opening | SourceStatus::Open(_) => {
            return Html::default();
        }
        SourceStatus::Lost => {
            format!("Your {device} was disconnected. Plug it in, then press Try again.")
        }
        SourceStatus::Failed(error) => advice::about(device, error, "press Try again"),
    };
    let onclick = move |_: MouseEvent| retries.iter().for_each(|retry| retry.emit(()));
    html! {
        <div class="notice notice-warning" role="alert">
            <Symbol icon={Icon::Warning} />
            <p class="grow">{ text }</p>
            <button type="button" class="button button-quiet" {onclick}>{ "Try again" }</button>
        </div>
    }
}
