// What other browsers have or lack, taken away from Chromium.
import assert from "node:assert/strict";

import { test } from "../harness/stage.mjs";
import { until } from "../harness/until.mjs";

test("a browser without MediaStreamTrackProcessor takes pictures off a video element", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  await alice.page.addInitScript(withoutTrackProcessor);
  await alice.join(server);
  const bob = await stage.join("bob", server);
  await bob.sees(alice);
  await alice.press(/^Turn camera off/);
  await bob.shows(alice, { camera: "false" });
  await alice.press(/^Turn camera on/);
  await bob.sees(alice);
});

test("a track that can't go to the Worker is captured on the page", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  await alice.page.addInitScript(withoutTrackProcessor);
  const prepared = await alice.prepareEngine(() => {
    globalThis.MediaStreamTrackProcessor = class {};
  });
  await alice.join(server);
  const bob = await stage.join("bob", server);
  await bob.sees(alice);
  assert.equal(prepared(), 1);
});

test("a browser that encodes H.264 alone and one that encodes VP9 see each other", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  const prepared = await alice.prepareEngine(() => {
    const configure = VideoEncoder.prototype.configure;
    VideoEncoder.prototype.configure = function (config) {
      if (!config.codec.startsWith("avc1")) throw new DOMException("not here", "NotSupportedError");
      configure.call(this, config);
    };
    VideoEncoder.isConfigSupported = async (config) => ({ supported: config.codec.startsWith("avc1"), config });
  });
  await alice.join(server);
  const bob = await stage.join("bob", server);
  await alice.sees(bob);
  await bob.sees(alice);
  assert.equal(prepared(), 1);
});

for (const person of ["alice", "frida"]) {
  test(`without AudioContext.setSinkId the chosen speaker plays, for ${person}`, async (stage) => {
    const server = await stage.start();
    const one = await stage.person(person);
    await one.page.addInitScript(noteSpeakers);
    await one.join(server);
    const bob = await stage.join("bob", server);
    await one.hears(bob);

    await one.page.evaluate(() => (globalThis.speakerTaps = []));
    await one.press("Settings");
    const speakers = one.page.getByLabel("Speaker");
    const chosen = await speakers.locator("option").last().getAttribute("value");
    await speakers.selectOption(chosen);
    await one.press("Done");
    await one.hears(bob);
    await until("the speaker plays", 5000, async () => {
      const seen = await one.page.evaluate(() => {
        const element = globalThis.speakers.at(-1);
        return element && { speaker: element.sinkId, paused: element.paused, seconds: element.currentTime };
      });
      return { ok: seen?.speaker === chosen && !seen.paused && seen.seconds > 0.2, seen };
    });
  });
}

test("a browser without Opus gets one, and others don't load it", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  await alice.page.addInitScript(withoutSound);
  const prepared = await alice.prepareEngine(withoutSound);
  await alice.join(server);
  const bob = await stage.person("bob");
  const loaded = [];
  bob.page.on("request", (request) => loaded.push(new URL(request.url()).pathname));
  await bob.join(server);
  await bob.hears(alice);
  await alice.hears(bob);
  assert.equal(prepared(), 1);
  assert.ok(loaded.some((path) => path.startsWith("/assets/app-")), String(loaded));
  assert.ok(!loaded.some((path) => path.startsWith("/assets/opus-")), String(loaded));

  await alice.press(/^Mute/);
  await bob.hearsNothingOf(alice);
  await alice.press("Diagnostics");
  await alice.page.locator('[data-feature="opus_in_wasm"]').getByText("yes").waitFor();
});

test("who must click to hear is told so until there is sound", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  await alice.page.addInitScript(() => {
    globalThis.AudioContext = class extends AudioContext {
      constructor(options) {
        super(options);
        globalThis.context = this;
      }
    };
  });
  await alice.join(server);
  const notice = alice.page.getByText("The browser plays no sound until you say so.");
  await alice.page.evaluate(() => globalThis.context.suspend());
  await notice.waitFor();
  await alice.page.evaluate(() => globalThis.context.resume());
  await notice.waitFor({ state: "detached" });
});

function withoutSound() {
  for (const name of ["AudioEncoder", "AudioDecoder", "AudioData", "EncodedAudioChunk"]) delete globalThis[name];
}

function withoutTrackProcessor() {
  delete globalThis.MediaStreamTrackProcessor;
}

/** Run before the app: keeps the media elements whose speaker was chosen. Contexts can't choose. */
function noteSpeakers() {
  delete AudioContext.prototype.setSinkId;
  globalThis.speakers = [];
  const choose = HTMLMediaElement.prototype.setSinkId;
  HTMLMediaElement.prototype.setSinkId = function (id) {
    globalThis.speakers.push(this);
    return choose.call(this, id);
  };
}
