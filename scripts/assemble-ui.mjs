// Last step of scripts/build-ui.sh: names every file after its content and writes the page that refers to them.
//   node scripts/assemble-ui.mjs <built files> <dist> [--compress]
// `/assets/*` never changes under its name and may be cached for ever; index.html must never be cached.
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [built, dist, compress] = process.argv.slice(2);
const assets = join(dist, "assets");
rmSync(dist, { recursive: true, force: true });
mkdirSync(assets, { recursive: true });

const names = {};
/** Writes `content` under a name with its hash, and remembers the name as `key`. */
function emit(key, stem, extension, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 16);
  names[key] = `${stem}-${hash}.${extension}`;
  writeFileSync(join(assets, names[key]), content);
}

/** The text of a module with the plain names of its neighbours replaced by the hashed ones. */
function linked(path, references) {
  let text = readFileSync(path, "utf8");
  for (const [plain, key] of Object.entries(references)) {
    if (!text.includes(`"./${plain}"`)) throw new Error(`${path} does not mention "./${plain}"`);
    text = text.replaceAll(`"./${plain}"`, `"./${names[key]}"`);
  }
  return text;
}

emit("app_wasm", "app", "wasm", readFileSync(join(built, "app_bg.wasm")));
// The generated module knows a default address of its WebAssembly; nobody uses it, but it should not be a wrong one.
emit("app_js", "app", "js", readFileSync(join(built, "app.js"), "utf8").replaceAll("app_bg.wasm", names.app_wasm));
emit("css", "app", "css", readFileSync(join(built, "app.css")));
emit("worklet_wasm", "audio-worklet", "wasm", readFileSync(join(built, "audio_worklet.wasm")));
emit("denoiser_wasm", "denoiser", "wasm", readFileSync(join(built, "denoiser.wasm")));
emit("worklet_js", "audio-worklet", "js", readFileSync("videocall-client/audio-worklet/processor.js"));
emit("painter", "painter", "js", readFileSync("videocall-client/painter/painter.js"));
emit("opus_wasm", "opus", "wasm", readFileSync(join(built, "opus_codec.wasm")));
emit("webcodecs", "webcodecs", "js", readFileSync("videocall-client/opus/webcodecs.js"));
const app = { "app.js": "app_js", "app.wasm": "app_wasm" };
emit("boot", "boot", "js", linked("yew-ui/web/boot.js", app));
const opus = { "webcodecs.js": "webcodecs", "opus.wasm": "opus_wasm" };
emit("engine", "engine", "js", linked("yew-ui/web/engine.js", { ...app, ...opus }));
// JavaScript that crates bring along; the generated module imports it by relative paths that already carry a hash.
const snippets = join(built, "snippets");
if (existsSync(snippets)) cpSync(snippets, join(assets, "snippets"), { recursive: true });
// Files with names that others decide: favicon, robots.txt.
if (existsSync("yew-ui/static")) cpSync("yew-ui/static", dist, { recursive: true });

const page = readFileSync("yew-ui/index.html", "utf8").replace(/\{\{(\w+)\}\}/g, (whole, key) => {
  if (!names[key]) throw new Error(`yew-ui/index.html: ${whole} is none of ${Object.keys(names).join(", ")}`);
  return `/assets/${names[key]}`;
});
writeFileSync(join(dist, "index.html"), page);

if (compress) {
  const compressible = /\.(wasm|js|css|html|svg|json|webmanifest)$/;
  for (const file of readdirSync(dist, { recursive: true })) {
    const path = join(dist, file);
    if (!compressible.test(file) || statSync(path).size < 1024) continue;
    const content = readFileSync(path);
    const options = { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } };
    // Both, because browsers ask for brotli only on secure origins.
    writeFileSync(`${path}.br`, brotliCompressSync(content, options));
    writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
  }
}
