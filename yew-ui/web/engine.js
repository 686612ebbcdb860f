// Starts the same WebAssembly module in a dedicated Worker, where its `main` runs the media engine instead of the UI.
import init from "./app.js";

// Messages that arrive before Rust listens would be lost: keep them and deliver them when `main` has returned, by when it
// must have set its handler.
const early = [];
const keep = (event) => {
  event.stopImmediatePropagation();
  early.push(event);
};
self.addEventListener("message", keep);
try {
  await init({ module_or_path: new URL("./app.wasm", import.meta.url) });
} finally {
  self.removeEventListener("message", keep);
}
for (const { data, ports } of early) {
  self.dispatchEvent(new MessageEvent("message", { data, ports: [...ports] }));
}
