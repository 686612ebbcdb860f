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
  await bringOpus();
  await init({ module_or_path: new URL("./app.wasm", import.meta.url) });
} finally {
  self.removeEventListener("message", keep);
}
for (const { data, ports } of early) {
  self.dispatchEvent(new MessageEvent("message", { data, ports: [...ports] }));
}

// Only browsers without Opus load it.
async function bringOpus() {
  const config = { codec: "opus", sampleRate: 48_000, numberOfChannels: 1 };
  const lacking = [];
  for (const name of ["AudioEncoder", "AudioDecoder"]) {
    const answer = await self[name]?.isConfigSupported(config);
    if (!answer?.supported) lacking.push(name);
  }
  if (lacking.length === 0) return;
  const [{ install }, module] = await Promise.all([
    import("./webcodecs.js"),
    WebAssembly.compileStreaming(fetch(new URL("./opus.wasm", import.meta.url))),
  ]);
  install(module, lacking);
}
