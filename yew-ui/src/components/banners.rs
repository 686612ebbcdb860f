//! What people must know above the tiles.

use media_core::event::Connection;
use videocall_types::MeetingId;
use yew::prelude::*;

use super::copy_link::CopyLink;
use super::icon::{Icon, Symbol};

#[derive(Properties, PartialEq)]
pub(crate) struct ConnectionBannerProps {
    pub(crate) connection: Connection,
}

/// Says that the connection is not there; nothing while it is.
#[component]
pub(crate) fn ConnectionBanner(props: &ConnectionBannerProps) -> Html {
    let text = match &props.connection {
        Connection::Connected { .. } | Connection::Ended { .. } => return Html::default(),
        Connection::Connecting => "Connecting…".to_owned(),
        Connection::Reconnecting { attempt: 1, .. } => "Connection lost. Reconnecting…".to_owned(),
        Connection::Reconnecting { attempt, .. } => {
            format!("Connection lost. Reconnecting, attempt {attempt}…")
        }
    };
    html! {
        <div class="notice notice-warning" role="status">
            <span class="spinner" aria-hidden="true"></span><p class="grow">{ text }</p>
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct SoundBannerProps {
    pub(crate) on_resume: Callback<()>,
}

/// Asks for the click that the browser wants before it plays sound.
#[component]
pub(crate) fn SoundBanner(props: &SoundBannerProps) -> Html {
    html! {
        <div class="notice notice-warning" role="alert">
            <Symbol icon={Icon::Sound} />
            <p class="grow">{ "The browser plays no sound until you say so." }</p>
            <button type="button" class="button button-quiet" onclick={props.on_resume.reform(|_: MouseEvent| ())}>
                { "Turn on sound" }
            </button>
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct SharingBannerProps {
    pub(crate) on_stop: Callback<()>,
}

/// Reminds people that others see their screen.
#[component]
pub(crate) fn SharingBanner(props: &SharingBannerProps) -> Html {
    html! {
        <div class="notice" role="status">
            <Symbol icon={Icon::Screen} />
            <p class="grow">{ "Everybody here sees your screen." }</p>
            <button type="button" class="button button-quiet" onclick={props.on_stop.reform(|_: MouseEvent| ())}>{ "Stop" }</button>
        </div>
    }
}

#[derive(Properties, PartialEq)]
pub(crate) struct AloneBannerProps {
    pub(crate) meeting: MeetingId,
}

/// Helps to get others in.
#[component]
pub(crate) fn AloneBanner(props: &AloneBannerProps) -> Html {
    html! {
        <div class="notice" role="status">
            <Symbol icon={Icon::People} />
            <p class="grow">{ "You're the only one here. Send the link to whoever should join." }</p>
            <CopyLink meeting={props.meeting.clone()} />
        </div>
    }
}
