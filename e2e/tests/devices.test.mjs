import assert from "node:assert/strict";

import { launchWithLargeCamera, launchWithoutDevices } from "../harness/browser.mjs";
import { test } from "../harness/stage.mjs";
import { until } from "../harness/until.mjs";

const ALL = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

test("what the browser does to the microphone can be switched off during a call and stays off", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  await alice.page.addInitScript(noteTracks);
  await alice.join(server);
  const bob = await stage.join("bob", server);
  await bob.hears(alice);
  await captures(alice, ALL);

  await alice.press("Settings");
  for (const name of [/Echo cancellation/, /Noise suppression/, /Automatic volume/]) {
    assert.equal(await setting(alice, name).isChecked(), true, String(name));
  }
  await setting(alice, /Noise suppression/).uncheck();
  await captures(alice, { ...ALL, noiseSuppression: false });
  await alice.press("Done");
  await bob.hears(alice);

  await alice.page.reload();
  await alice.press(/^Join/);
  await alice.connected();
  await captures(alice, { ...ALL, noiseSuppression: false });
  await alice.press("Settings");
  assert.equal(await setting(alice, /Noise suppression/).isChecked(), false);
  assert.equal(await setting(alice, /Echo cancellation/).isChecked(), true);
});

test("what the browser can't switch has no switch", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  await alice.page.addInitScript(() => {
    const supported = { ...navigator.mediaDevices.getSupportedConstraints(), autoGainControl: undefined };
    navigator.mediaDevices.getSupportedConstraints = () => supported;
  });
  await alice.join(server);
  await alice.press("Settings");
  await setting(alice, /Echo cancellation/).waitFor();
  assert.equal(await alice.page.getByRole("switch").count(), 3);
  assert.equal(await setting(alice, /Automatic volume/).count(), 0);
});

test("strong noise suppression is loaded when it is switched on and takes a fan out", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  await alice.page.addInitScript(hearFan);
  let loaded = 0;
  alice.page.on("request", (request) => (loaded += /denoiser-\w+\.wasm/.test(request.url())));
  await alice.join(server);
  const becomes = (what, isIt) => until(what, 10_000, async () => {
    const level = Number((await alice.self()).level);
    return { ok: isIt(level), seen: level };
  });
  await becomes("a fan is heard", (level) => level > 0.015);
  assert.equal(loaded, 0);

  await alice.press("Settings");
  await setting(alice, /Strong noise suppression/).check();
  await becomes("the fan is not heard", (level) => level > 0 && level < 0.004);
  assert.equal(loaded, 1);
  await setting(alice, /Strong noise suppression/).uncheck();
  await becomes("the fan is heard again", (level) => level > 0.015);
});

test("a camera gives 1080 rows when that is wanted, to those who show it large", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice", await launchWithLargeCamera());
  await alice.join(server);
  const dave = await stage.person("dave", await launchWithoutDevices());
  await dave.page.setViewportSize({ width: 2200, height: 1400 });
  await dave.join(server);
  await dave.page.getByRole("button", { name: "Pin alice", exact: true }).click();
  const comesIn = (rows) => until(`${rows} rows`, 15_000, async () => {
    const seen = await dave.rowsOf(alice);
    return { ok: seen === rows, seen };
  });
  await comesIn(720);
  await alice.press("Settings");
  await setting(alice, /Full HD camera/).check();
  await comesIn(1080);
  await setting(alice, /Full HD camera/).uncheck();
  await comesIn(720);
});

test("a camera without 1080 rows has no switch for them", async (stage) => {
  const alice = await stage.join("alice", await stage.start());
  await alice.press("Settings");
  await setting(alice, /Echo cancellation/).waitFor();
  assert.equal(await setting(alice, /Full HD camera/).count(), 0);
});

test("a camera that is switched off is closed", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  await alice.page.addInitScript(noteTracks);
  await alice.join(server);
  const bob = await stage.join("bob", server);
  await bob.sees(alice);
  await alice.press(/^Turn camera off/);
  await until("no open camera", 2000, async () => {
    const seen = await alice.page.evaluate(() => globalThis.tracks.map(({ kind, readyState }) => `${kind} ${readyState}`));
    return { ok: seen.includes("video ended") && !seen.includes("video live"), seen };
  });
});

function setting(person, name) {
  return person.page.getByRole("switch", { name });
}

/** Waits until one microphone is open and processed like that. */
function captures(person, processing) {
  return until(`${person.name}'s microphone with ${JSON.stringify(processing)}`, 5000, async () => {
    const seen = await person.page.evaluate(() => {
      const open = globalThis.tracks.filter(({ kind, readyState }) => kind === "audio" && readyState === "live");
      return open.map((track) => track.getSettings());
    });
    return { ok: seen.length === 1 && Object.entries(processing).every(([name, on]) => seen[0][name] === on), seen };
  });
}

/** Run before the app: keeps every track that was opened, clones included. */
function noteTracks() {
  globalThis.tracks = [];
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await open(constraints);
    globalThis.tracks.push(...stream.getTracks());
    return stream;
  };
  const clone = MediaStreamTrack.prototype.clone;
  MediaStreamTrack.prototype.clone = function () {
    const track = clone.call(this);
    globalThis.tracks.push(track);
    return track;
  };
}

/** Run before the app: the microphone hears nothing but a fan. */
function hearFan() {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    if (!constraints.audio) return real(constraints);
    const context = new AudioContext({ sampleRate: 48_000 });
    const buffer = context.createBuffer(1, 10 * 48_000, 48_000);
    const samples = buffer.getChannelData(0);
    for (let i = 0, low = 0; i < samples.length; i++) {
      low = 0.98 * low + 0.02 * (Math.random() * 2 - 1);
      samples[i] = low;
    }
    const source = new AudioBufferSourceNode(context, { buffer, loop: true });
    const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    source.connect(destination);
    source.start();
    await context.resume();
    return destination.stream;
  };
}
