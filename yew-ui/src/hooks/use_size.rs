//! The size of an element.

use wasm_bindgen::prelude::*;
use web_sys::{Element, ResizeObserver};
use yew::prelude::*;

use crate::state::layout::Size;

/// The inner size of the element that `node` stands for; zero until it is known.
#[hook]
pub(crate) fn use_size(node: NodeRef) -> Size {
    let size = use_state_eq(Size::default);
    use_effect_with(node, {
        let size = size.setter();
        move |node| {
            let watching = node
                .cast::<Element>()
                .and_then(|element| watch(element, size));
            move || {
                if let Some((observer, _callback)) = watching {
                    observer.disconnect();
                }
            }
        }
    });
    *size
}

/// `None` in a browser that can't observe sizes.
fn watch(
    element: Element,
    size: UseStateSetter<Size>,
) -> Option<(ResizeObserver, Closure<dyn FnMut()>)> {
    let measured = element.clone();
    let callback = Closure::<dyn FnMut()>::new(move || {
        size.set(Size {
            width: measured.client_width().into(),
            height: measured.client_height().into(),
        });
    });
    let observer = ResizeObserver::new(callback.as_ref().unchecked_ref()).ok()?;
    observer.observe(&element);
    Some((observer, callback))
}
