//! The numbers of a call, past the page's state: they come every second, and only what shows them follows.

use std::cell::{Cell, Ref, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use media_core::event::Stats;
use yew::Callback;

use crate::state::diagnostics::history::History;

/// The history of one call. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Numbers(Rc<Inner>);

#[derive(Default)]
struct Inner {
    history: RefCell<History>,
    watchers: RefCell<BTreeMap<u32, Callback<()>>>,
    next: Cell<u32>,
}

impl Numbers {
    /// Takes in the numbers of the last second and tells who watches.
    pub(crate) fn push(&self, stats: Stats) {
        let now = gloo::utils::window()
            .performance()
            .map_or(0.0, |clock| clock.now());
        self.0.history.borrow_mut().push(stats, now);
        // Who is told may begin or stop to watch.
        let watchers: Vec<_> = self.0.watchers.borrow().values().cloned().collect();
        watchers.iter().for_each(|changed| changed.emit(()));
    }

    /// What is known at present.
    pub(crate) fn history(&self) -> Ref<'_, History> {
        self.0.history.borrow()
    }

    /// Calls `changed` with every new second until the result is dropped.
    pub(crate) fn watch(&self, changed: Callback<()>) -> Watching {
        let id = self.0.next.get();
        self.0.next.set(id.wrapping_add(1));
        self.0.watchers.borrow_mut().insert(id, changed);
        Watching {
            numbers: self.clone(),
            id,
        }
    }
}

impl PartialEq for Numbers {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// Somebody who watches.
pub(crate) struct Watching {
    numbers: Numbers,
    id: u32,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.numbers.0.watchers.borrow_mut().remove(&self.id);
    }
}
