//! The engine worker: network, codecs and lip sync around a [`Call`](media_core::call::Call).
//!
//! Callbacks of the browser put [`work::Work`] into one queue; [`driver::Driver`] takes it out and alone owns everything.
//! The edges decide nothing: what they do follows from commands and from what `media_core::capture` says.

mod clock;
mod decode;
mod driver;
mod encode;
mod intake;
mod page;
mod playout;
mod reader;
mod render;
mod sources;
mod transport;
mod work;

use futures_channel::mpsc::{UnboundedReceiver, unbounded};
use futures_util::StreamExt as _;
use gloo::events::EventListener;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::spawn_local;
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

use crate::protocol::{self, ToEngine};
use crate::support;
use driver::Driver;
use encode::Support;
use page::Page;
use work::{Queue, Work};

/// Starts the engine in this dedicated Worker. It ends when the page leaves the call.
///
/// Must be called before the module's start returns: messages are listened to from then on.
pub fn run() {
    let (sender, work) = unbounded();
    let queue = Queue::new(sender);
    let page = queue.clone();
    let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
    EventListener::new(&scope, "message", move |event| {
        if let Some((message, object)) =
            protocol::decode(&event.unchecked_ref::<MessageEvent>().data())
        {
            page.push(Work::Page(message, object));
        }
    })
    .forget();
    spawn_local(serve(queue, work));
}

async fn serve(queue: Queue, mut work: UnboundedReceiver<Work>) {
    let page = Page::new();
    page.ready(support::in_worker());
    let support = Support::probe().await;
    if let Some(Work::Page(ToEngine::Start(start), painter)) = work.next().await {
        Driver::new(*start, painter.unchecked_into(), support, queue)
            .run(work)
            .await;
    }
    // Or nobody has joined.
    page.close();
}
