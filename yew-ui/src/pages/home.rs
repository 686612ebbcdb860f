//! The start page.

use videocall_types::id::IdError;
use videocall_types::limits::{MAX_DISPLAY_NAME_CHARS, MAX_ID_CHARS};
use web_sys::HtmlInputElement;
use yew::prelude::*;
use yew_router::prelude::*;

use crate::app::Route;
use crate::components::icon::{Icon, Symbol};
use crate::hooks::use_title::use_title;
use crate::services::profile::Profile;
use crate::services::random;
use crate::state::names::{meeting_of_input, new_meeting_id};

/// Join a meeting or create one.
#[component]
pub(crate) fn Home() -> Html {
    use_title("Home".into());
    html! {
        <main class="page-centre">
            <div class="grid w-full max-w-md gap-6">
                <header class="grid gap-3">
                    <Symbol icon={Icon::Logo} class="size-11 text-accent" />
                    <h1 class="text-3xl font-semibold tracking-tight">{ "Meet face to face" }</h1>
                    <p class="text-muted">{ "No account, no install. Name a meeting, send its link, and talk." }</p>
                </header>
                <Entrance />
            </div>
        </main>
    }
}

#[component]
fn Entrance() -> Html {
    let name = use_state(|| Profile::load().name);
    let meeting = use_state(String::new);
    let problem = use_state(|| None::<IdError>);
    let navigator = use_navigator();

    let enter = {
        let name = name.clone();
        Callback::from(move |meeting: String| {
            Profile::update(|profile| profile.name.clone_from(&name));
            if let Some(navigator) = &navigator {
                navigator.push(&Route::Meeting { meeting });
            }
        })
    };
    let onsubmit = {
        let (meeting, problem, enter) = (meeting.clone(), problem.setter(), enter.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            match meeting_of_input(&meeting) {
                Ok(id) => enter.emit(id.into()),
                Err(error) => problem.set(Some(error)),
            }
        }
    };
    let create = move |_: MouseEvent| {
        if let Some(id) = new_meeting_id(random::bytes()) {
            enter.emit(id.into());
        }
    };
    let on_meeting = {
        let (meeting, problem) = (meeting.setter(), problem.setter());
        move |event: InputEvent| {
            meeting.set(typed(&event));
            problem.set(None);
        }
    };
    let on_name = {
        let name = name.setter();
        move |event: InputEvent| name.set(typed(&event))
    };
    html! {
        <form class="card grid gap-4 p-5 sm:p-6" novalidate=true {onsubmit}>
            <label class="label">
                { "Your name" }
                <input class="field" autocomplete="name" maxlength={MAX_DISPLAY_NAME_CHARS.to_string()}
                    value={(*name).clone()} oninput={on_name} />
            </label>
            <label class="label">
                { "Meeting name or link" }
                <input class="field" name="meeting" autocomplete="off" autocapitalize="off" spellcheck="false"
                    placeholder="weekly-planning" aria-invalid={problem.is_some().then_some("true")}
                    aria-describedby="meeting-problem" value={(*meeting).clone()} oninput={on_meeting} />
            </label>
            <p id="meeting-problem" role="alert" class="-mt-2 text-sm text-danger empty:hidden">
                { problem.map(explain).unwrap_or_default() }
            </p>
            <button class="button button-main">{ "Join meeting" }</button>
            <div class="rule">{ "or" }</div>
            <button type="button" class="button button-quiet" onclick={create}>{ "Create a meeting" }</button>
        </form>
    }
}

fn typed(event: &InputEvent) -> String {
    event.target_unchecked_into::<HtmlInputElement>().value()
}

fn explain(error: IdError) -> String {
    match error {
        IdError::Empty => "Type the name of a meeting, or create a new one.".to_owned(),
        IdError::TooLong => format!("Meeting names have at most {MAX_ID_CHARS} characters."),
        IdError::Alphabet => "Use only letters a-z, digits, hyphens and underscores.".to_owned(),
    }
}
