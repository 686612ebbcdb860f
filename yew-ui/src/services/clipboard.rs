//! The clipboard.

use wasm_bindgen_futures::JsFuture;

/// Copies `text`. `false` when the browser refuses.
pub(crate) async fn copy(text: &str) -> bool {
    let clipboard = gloo::utils::window().navigator().clipboard();
    JsFuture::from(clipboard.write_text(text)).await.is_ok()
}
