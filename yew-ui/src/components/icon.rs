//! Every icon, drawn on a grid of 24 by 24.

use yew::prelude::*;

/// What an icon shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    Camera,
    CameraOff,
    Copy,
    Cross,
    Diagnostics,
    Done,
    Fit,
    FullScreen,
    FullScreenOff,
    Leave,
    Logo,
    Microphone,
    MicrophoneOff,
    Next,
    People,
    Pin,
    PinOff,
    Previous,
    Screen,
    ScreenOff,
    Settings,
    Sound,
    Warning,
    Zoom,
}

#[derive(Properties, PartialEq)]
pub(crate) struct Props {
    pub(crate) icon: Icon,
    #[prop_or("size-5".into())]
    pub(crate) class: AttrValue,
}

/// An icon beside a text that says the same: it is hidden from screen readers.
#[component]
pub(crate) fn Symbol(props: &Props) -> Html {
    html! {
        <svg class={classes!("shrink-0", props.class.clone())} viewBox="0 0 24 24" fill="none" stroke="currentColor"
            stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
            <path d={path(props.icon)} />
        </svg>
    }
}

fn path(icon: Icon) -> &'static str {
    match icon {
        Icon::Camera => {
            "M4.5 6.5h8a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2ZM14.5 11l7-3.5v9l-7-3.5"
        }
        Icon::CameraOff => {
            "M3 3l18 18M9.5 6.5h3a2 2 0 0 1 2 2v2.5l7-3.5v9l-3-1.5M14.5 14.5v1a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2h1"
        }
        Icon::Copy => {
            "M9 9h9a1.5 1.5 0 0 1 1.5 1.5v9A1.5 1.5 0 0 1 18 21H9a1.5 1.5 0 0 1-1.5-1.5v-9A1.5 1.5 0 0 1 9 9ZM4.5 15V4.5A1.5 1.5 0 0 1 6 3h9"
        }
        Icon::Cross => "M6 6l12 12M18 6L6 18",
        Icon::Diagnostics => "M3 12.500h4l3-8 4 15 3-7h4",
        Icon::Done => "M5 12.5l4.5 4.5L19 7.5",
        Icon::Fit => {
            "M10.500 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.200 15.200L20.500 20.500M7.500 10.500h6"
        }
        Icon::FullScreen => "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
        Icon::FullScreenOff => "M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5",
        Icon::Leave => {
            "M3 15.5v-2.2c5.3-4.4 12.7-4.4 18 0v2.2a1 1 0 0 1-1.2 1l-3.3-.7a1 1 0 0 1-.8-1v-2a12 12 0 0 0-7.4 0v2a1 1 0 0 1-.8 1l-3.3.7a1 1 0 0 1-1.2-1Z"
        }
        Icon::Logo => {
            "M6 4.5h8A3.5 3.5 0 0 1 17.5 8v4A3.5 3.5 0 0 1 14 15.500H9L5 19v-3.700A3.5 3.5 0 0 1 2.5 12V8A3.5 3.5 0 0 1 6 4.500ZM17.5 10.500l4-2v6l-4-2"
        }
        Icon::Microphone => {
            "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3ZM5.5 11a6.5 6.5 0 0 0 13 0M12 17.500V21M8.5 21h7"
        }
        Icon::MicrophoneOff => {
            "M3 3l18 18M9 9v2a3 3 0 0 0 4.8 2.400M15 10.500V6a3 3 0 0 0-5.8-1M5.5 11a6.5 6.5 0 0 0 10.5 5.100M18.5 11a6.5 6.5 0 0 1-.5 2.500M12 17.500V21M8.5 21h7"
        }
        Icon::Next => "M9.5 6l6 6-6 6",
        Icon::People => {
            "M9 11.500a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 19.500c.5-3.5 3-5.5 6.5-5.500s6 2 6.5 5.500M15.5 4.800a3.5 3.5 0 0 1 0 6.400M18 14.300c2 .7 3.2 2.5 3.5 5.2"
        }
        Icon::Pin => "M9 3.5h6l-1 6 3 3.5v1.500H7V13l3-3.500ZM12 14.500V21",
        Icon::PinOff => {
            "M3 3l18 18M9.3 5.500L9 3.500h6l-1 6 3 3.500M14.500 14.500H7V13l2.500-3M12 14.500V21"
        }
        Icon::Previous => "M14.5 6l-6 6 6 6",
        Icon::Screen => {
            "M4 4.500h16A1.5 1.5 0 0 1 21.5 6v9a1.5 1.5 0 0 1-1.5 1.500H4A1.5 1.5 0 0 1 2.5 15V6A1.5 1.5 0 0 1 4 4.500ZM8.5 20.500h7M12 13.500v-6M9.3 10L12 7.300l2.7 2.7"
        }
        Icon::ScreenOff => {
            "M4 4.500h16A1.5 1.5 0 0 1 21.5 6v9a1.5 1.5 0 0 1-1.5 1.500H4A1.5 1.5 0 0 1 2.5 15V6A1.5 1.5 0 0 1 4 4.500ZM8.5 20.500h7M9.5 8l5 5M14.5 8l-5 5"
        }
        Icon::Settings => {
            "M4 7h9M19 7h1M4 17h1M11 17h9M16 9.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM8 19.500a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z"
        }
        Icon::Sound => {
            "M4 9.500h3.500L12 5.500v13l-4.5-4H4ZM15.5 9a4 4 0 0 1 0 6M18 6.500a7.5 7.5 0 0 1 0 11"
        }
        Icon::Warning => "M12 4l9 15.500H3ZM12 10v4.500M12 17v.01",
        Icon::Zoom => {
            "M10.500 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.200 15.200L20.500 20.500M7.500 10.500h6M10.500 7.500v6"
        }
    }
}
