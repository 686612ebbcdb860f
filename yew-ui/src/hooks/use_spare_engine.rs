//! The engine of a call to come, which starts while the person looks at the page before it.

use std::cell::RefCell;
use std::rc::Rc;

use videocall_client::{ClientError, Engine};
use yew::prelude::*;

/// For whoever joins first.
#[derive(Clone, Default)]
pub(crate) struct SpareEngine(Rc<RefCell<Option<Engine>>>);

impl SpareEngine {
    /// The engine, or another one if it is in use.
    pub(crate) fn take(&self) -> Result<Engine, ClientError> {
        match self.0.take() {
            Some(engine) => Ok(engine),
            None => Engine::start(),
        }
    }
}

impl PartialEq for SpareEngine {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// Starts an engine when the component is there.
#[hook]
pub(crate) fn use_spare_engine() -> SpareEngine {
    let spare = (*use_memo((), |()| SpareEngine::default())).clone();
    use_effect_with(spare.clone(), |spare| {
        // Whoever joins tries again, and says why it fails.
        spare.0.replace(Engine::start().ok());
    });
    spare
}
