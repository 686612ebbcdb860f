//! The web app. The same WebAssembly runs as the page and, in a dedicated Worker, as the media engine.

fn main() {
    #[cfg(target_arch = "wasm32")]
    yew_ui::run();
}
