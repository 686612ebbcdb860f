//! One call: owns the client and the state over its events.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::StreamExt as _;
use futures_util::future::{AbortHandle, abortable};
use gloo::timers::callback::Timeout;
use media_core::Event;
use media_core::event::Connection;
use videocall_client::{Client, ClientError, ClientEvent, Options, fetch_config};
use videocall_types::{DisplayName, MeetingId, Track, UserId};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::use_spare_engine::SpareEngine;
use crate::services::levels;
use crate::services::numbers::Numbers;
use crate::state::call::{Action, CallState, Failure};

/// Who was in the meeting before us is known by then, in milliseconds after connecting.
const SETTLING_MS: u32 = 1_500;

/// Who joins what.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Visitor {
    pub(crate) user: UserId,
    pub(crate) name: DisplayName,
    pub(crate) meeting: MeetingId,
}

/// A call.
#[derive(Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) state: UseReducerHandle<CallState>,
    /// There once it has joined.
    pub(crate) client: Option<Client>,
}

impl Reducible for CallState {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        Rc::new(Rc::unwrap_or_clone(self).after(action))
    }
}

/// The state of a call, which [`use_client`] drives.
#[hook]
pub(crate) fn use_call_state() -> UseReducerHandle<CallState> {
    use_reducer(CallState::default)
}

/// Joins when the component appears and leaves when it goes. `numbers` and `on_source_ended` must not change: the one gets
/// the numbers of every second, the other hears of a published source that has ended by itself.
#[hook]
pub(crate) fn use_client(
    visitor: &Visitor,
    engine: SpareEngine,
    state: UseReducerHandle<CallState>,
    numbers: Numbers,
    on_source_ended: Callback<Track>,
) -> Call {
    let client = use_state(|| None::<Client>);
    use_effect_with(visitor.clone(), {
        let (client, dispatcher) = (client.setter(), state.dispatcher());
        move |visitor| {
            let visit = Visit::start(
                visitor.clone(),
                engine,
                client,
                numbers,
                on_source_ended,
                dispatcher,
            );
            move || drop(visit)
        }
    });

    let session = state.session;
    use_effect_with(session, {
        let dispatcher = state.dispatcher();
        move |session| {
            let timer = session
                .map(|_| Timeout::new(SETTLING_MS, move || dispatcher.dispatch(Action::Settled)));
            move || drop(timer)
        }
    });
    Call {
        state,
        client: (*client).clone(),
    }
}

/// A call from joining on. Dropping it leaves the meeting.
struct Visit {
    task: AbortHandle,
    client: Rc<RefCell<Option<Client>>>,
}

impl Visit {
    fn start(
        visitor: Visitor,
        engine: SpareEngine,
        shown: UseStateSetter<Option<Client>>,
        numbers: Numbers,
        on_source_ended: Callback<Track>,
        dispatcher: UseReducerDispatcher<CallState>,
    ) -> Self {
        let client: Rc<RefCell<Option<Client>>> = Rc::default();
        let joined = {
            let client = Rc::clone(&client);
            move |joined: Client| {
                client.replace(Some(joined.clone()));
                shown.set(Some(joined));
            }
        };
        let (visit, task) = abortable(async move {
            if let Err(error) = run(
                visitor,
                engine,
                joined,
                numbers,
                on_source_ended,
                &dispatcher,
            )
            .await
            {
                tracing::error!(%error, "no call");
                dispatcher.dispatch(Action::Failed(match error {
                    ClientError::Unreachable(_) | ClientError::BadConfig(_) => Failure::Unreachable,
                    other => Failure::Engine(other.to_string()),
                }));
            }
        });
        spawn_local(async move {
            // Aborted is how a visit normally ends.
            let _ = visit.await;
        });
        Self { task, client }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(client) = self.client.take() {
            client.leave();
        }
    }
}

async fn run(
    visitor: Visitor,
    engine: SpareEngine,
    joined: impl FnOnce(Client),
    numbers: Numbers,
    on_source_ended: Callback<Track>,
    dispatcher: &UseReducerDispatcher<CallState>,
) -> Result<(), ClientError> {
    let Visitor {
        user,
        name,
        meeting,
    } = visitor;
    let server = fetch_config().await?;
    let options = Options {
        user,
        meeting,
        name,
        server,
        token: None,
    };
    let (client, mut events) = Client::join(engine.take()?, options).await?;
    joined(client);
    let mut session = None;
    while let Some(event) = events.next().await {
        match event {
            ClientEvent::Call(Event::Stats(stats)) => numbers.push(stats),
            ClientEvent::Call(event) => {
                if let Event::Connection(Connection::Connected { session: own, .. }) = &event {
                    session = Some(*own);
                }
                dispatcher.dispatch(Action::Event(event));
            }
            // Many times a second: past the state, straight to the tiles.
            ClientEvent::Levels(levels) => {
                levels.iter().for_each(|level| levels::show(level, session))
            }
            ClientEvent::EngineFailed(why) => {
                dispatcher.dispatch(Action::Failed(Failure::Engine(why)))
            }
            ClientEvent::AudioBlocked(blocked) => {
                dispatcher.dispatch(Action::AudioBlocked(blocked));
            }
            ClientEvent::SourceEnded(track) => on_source_ended.emit(track),
        }
    }
    Ok(())
}
