// Starts the app in the page. A script of its own because the content security policy allows no inline scripts.
import init from "./app.js";

try {
  await init({ module_or_path: new URL("./app.wasm", import.meta.url) });
} catch (error) {
  console.error("the app could not start", error);
  document.getElementById("boot-error")?.removeAttribute("hidden");
}
