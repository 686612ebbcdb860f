// Runs processor.js with the real module in a stand-in for the AudioWorklet.
//   node --test videocall-client/audio-worklet/        AUDIO_WORKLET_WASM: the module, if it is not the release build
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const here = new URL(".", import.meta.url);
const release = new URL("../../target/wasm/wasm32-unknown-unknown/wasm-release/audio_worklet.wasm", here);
const module = new WebAssembly.Module(readFileSync(process.env.AUDIO_WORKLET_WASM ?? release));
const denoiser = new WebAssembly.Module(readFileSync(new URL("denoiser.wasm", release)));
const source = readFileSync(new URL("processor.js", here), "utf8");

const QUANTUM = 128;
const MICROPHONE = 2;

/** One end of a channel that delivers at once and remembers what was posted. */
class Port {
  posted = [];
  transferred = [];
  closed = false;
  postMessage(message, transfer = []) {
    this.posted.push(message);
    this.transferred.push(...transfer);
  }
  close() {
    this.closed = true;
  }
  receive(data) {
    this.onmessage({ data });
  }
}

/** Runs processor.js. Its globals are shared by all tests, which run one after the other. */
function load(sampleRate = 48000) {
  const processors = {};
  Object.assign(globalThis, {
    sampleRate,
    currentFrame: 0,
    AudioWorkletProcessor: class {
      port = new Port();
    },
    registerProcessor: (name, processor) => (processors[name] = processor),
  });
  new Function(source)();
  return processors;
}

function startPlayout() {
  const node = new (load()["videocall-playout"])({ processorOptions: { module } });
  const engine = new Port();
  node.port.receive({ port: engine });
  return { node, engine };
}

function render(node, quanta) {
  const heard = [];
  for (let i = 0; i < quanta; i++) {
    const channels = [new Float32Array(QUANTUM), new Float32Array(QUANTUM)];
    assert.equal(node.process([], [channels]), true);
    assert.deepEqual(channels[0], channels[1]);
    globalThis.currentFrame += QUANTUM;
    heard.push(...channels[0]);
  }
  return heard;
}

function startCapture() {
  const node = new (load()["videocall-capture"])();
  const engine = new Port();
  node.port.receive({ port: engine });
  const feed = (quanta, value) => {
    for (let i = 0; i < quanta; i++) {
      assert.equal(node.process([[new Float32Array(QUANTUM).fill(value)]]), true);
      globalThis.currentFrame += QUANTUM;
    }
  };
  return { node, engine, feed };
}

test("the module imports nothing", () => {
  assert.deepEqual(WebAssembly.Module.imports(module), []);
});

test("both processors refuse any other rate than 48 kHz", () => {
  const processors = load(44100);
  assert.throws(() => new processors["videocall-playout"]({ processorOptions: { module } }), /44100 Hz/);
  assert.throws(() => new processors["videocall-capture"](), /44100 Hz/);
});

test("packets are played unchanged and reported to both ends", () => {
  const { node, engine } = startPlayout();
  const session = 0xfedcba9876543210n;
  const heard = [];
  for (let sequence = 0; sequence < 5; sequence++) {
    const samples = new Float32Array(960).map((_, i) => (sequence * 960 + i) / 4800);
    engine.receive({ session, track: MICROPHONE, sequence, time: 1e15 + sequence * 20_000, repeats: 0, samples });
    heard.push(...render(node, 7 + (sequence % 2)));
  }
  // The first packet's turn comes 20 ms after it, but its arrival is measured by the second one, which comes 7 quanta
  // later and so a little early. The first 5 ms are faded in.
  const start = 7 * QUANTUM;
  for (let i = 240; i < heard.length - start; i++) assert.equal(heard[start + i], Math.fround(i / 4800));
  render(node, 1);

  assert.equal(engine.posted.length, 1, "38 quanta are one interval of statistics");
  assert.deepEqual(engine.posted, node.port.posted);
  const [stream, ...others] = engine.posted[0];
  assert.deepEqual(others, []);
  assert.equal(stream.session, session);
  assert.equal(stream.track, MICROPHONE);
  assert.equal(stream.lost, 0);
  assert.ok(stream.level > 0.1 && stream.level < 1);
  assert.equal(stream.targetMs, 20);
  assert.equal(stream.merge, 240);
  // The first sample was played after 7 quanta.
  assert.ok(Math.abs(stream.heardUs - 1e15 - ((38 - 7) * QUANTUM * 1e6) / 48_000) < 3000, `${stream.heardUs}`);
  assert.ok(Math.abs(stream.atUs - (38 * QUANTUM * 1e6) / 48_000) < 1, `${stream.atUs}`);
});

test("what comes again is waited for", () => {
  const { node, engine } = startPlayout();
  for (let sequence = 0; sequence < 60; sequence++) {
    engine.receive({ session: 1n, track: MICROPHONE, sequence, time: 0, repeats: 2, samples: new Float32Array(960) });
    render(node, 7 + (sequence % 2));
  }
  assert.equal(engine.posted.at(-1)[0].targetMs, 60);
});

test("a session may be a decimal string, and streams are removed", () => {
  const { node, engine } = startPlayout();
  const push = (session, track) => {
    engine.receive({ session, track, sequence: 0n, samples: new Float32Array(960) });
  };
  const streams = () => {
    node.port.posted = [];
    render(node, 38);
    return node.port.posted[0].map(({ session, track }) => [session, track]);
  };
  push("7", 2);
  push("7", 4);
  push(8n, 2);
  assert.deepEqual(streams(), [[7n, 2], [7n, 4], [8n, 2]]);
  engine.receive({ remove: { session: "7", track: 4 } });
  assert.deepEqual(streams(), [[7n, 2], [8n, 2]]);
  engine.receive({ remove: { session: 7n } });
  assert.deepEqual(streams(), [[8n, 2]]);
});

test("views survive the growth of the module's memory", () => {
  const { node, engine } = startPlayout();
  const before = node.wasm.memory.buffer.byteLength;
  for (let session = 1n; session <= 128n; session++) {
    for (let sequence = 0; sequence < 50; sequence++) {
      engine.receive({ session, track: MICROPHONE, sequence, samples: new Float32Array(960).fill(0.5) });
    }
  }
  assert.ok(node.wasm.memory.buffer.byteLength > before);
  assert.ok(render(node, 100).every((sample) => Math.abs(sample) <= 1));
  assert.equal(node.port.posted.at(-1).length, 128);
});

test("what does not fit and what is not known is ignored", () => {
  const { node, engine } = startPlayout();
  engine.receive({ session: 1n, track: MICROPHONE, sequence: 0, samples: new Float32Array(5761) });
  engine.receive({});
  node.port.receive({});
  render(node, 38);
  assert.deepEqual(node.port.posted[0], []);
});

test("a second port replaces the first one", () => {
  const { node, engine } = startPlayout();
  const second = new Port();
  node.port.receive({ port: second });
  assert.ok(engine.closed);
  render(node, 38);
  assert.equal(engine.posted.length, 0);
  assert.equal(second.posted.length, 1);
});

test("the microphone is cut into frames of 20 ms with the time of their first sample", () => {
  const { node, engine, feed } = startCapture();
  feed(15, 0.25);
  assert.deepEqual(engine.posted.map(({ time }) => time), [0, 20000]);
  for (const { samples, level } of engine.posted) {
    assert.equal(samples.length, 960);
    assert.ok(samples.every((sample) => sample === 0.25));
    assert.equal(level, 0.25);
  }
  assert.deepEqual(engine.transferred, engine.posted.map(({ samples }) => samples.buffer));
  assert.deepEqual(node.port.posted.map(({ level }) => level), [0.25, 0.25]);
});

test("a muted microphone sends nothing and starts with a fresh frame", () => {
  const { node, engine, feed } = startCapture();
  feed(4, 0.25);
  node.port.receive({ muted: true });
  feed(20, 0.5);
  assert.equal(engine.posted.length + node.port.posted.length, 0);
  node.port.receive({ muted: false });
  feed(8, 0.75);
  assert.equal(engine.posted.length, 1);
  assert.ok(engine.posted[0].samples.every((sample) => sample === 0.75));
  assert.equal(engine.posted[0].time, 64000);
});

test("without an input there are no frames", () => {
  const { node, engine } = startCapture();
  assert.equal(node.process([[]]), true);
  assert.equal(engine.posted.length, 0);
});

test("noise is taken out of what is captured, 10 ms later, once there is what does that", () => {
  assert.deepEqual(WebAssembly.Module.imports(denoiser), []);
  const { node, engine } = startCapture();
  let low = 0;
  const fan = () => {
    low = 0.98 * low + 0.02 * (Math.random() * 2 - 1);
    return low;
  };
  const noise = (seconds) => {
    for (let i = 0; i < (seconds * 48_000) / QUANTUM; i++) {
      node.process([[Float32Array.from({ length: QUANTUM }, fan)]]);
      globalThis.currentFrame += QUANTUM;
    }
    return engine.posted.at(-1);
  };
  const before = noise(0.5);
  assert.ok(before.level > 0.02);
  node.port.receive({ denoiser });
  const after = noise(2);
  assert.ok(after.level < before.level / 5, `${before.level} became ${after.level}`);
  assert.equal(after.samples.length, 960);
  const frames = Math.round(engine.posted.length - 1);
  assert.equal(after.time, frames * 20_000 - 10_000);
});
