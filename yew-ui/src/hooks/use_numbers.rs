//! Following the numbers of a call.

use yew::prelude::*;

use crate::services::numbers::Numbers;

/// The numbers of a call that begins with the component.
#[hook]
pub(crate) fn use_new_numbers() -> Numbers {
    (*use_memo((), |()| Numbers::default())).clone()
}

/// Renders the component anew with every second of `numbers`.
#[hook]
pub(crate) fn use_numbers(numbers: &Numbers) {
    let update = use_force_update();
    use_effect_with(numbers.clone(), move |numbers| {
        let watching = numbers.watch(Callback::from(move |()| update.force_update()));
        move || drop(watching)
    });
}
