// Records what synthetic publishers publish: a camera in its layers and a microphone, encoded by a real browser. The file is
// as `testkit/src/synthetic/clip.rs` says.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { launchWithoutDevices } from "./browser.mjs";

const folder = mkdtempSync(join(tmpdir(), "videocall-clips-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const FPS = 15;
const SECONDS = 2;
// Those of videocall_types::layers, smallest first.
const LAYERS = [
  { rows: 180, bitrate: 150_000 },
  { rows: 360, bitrate: 500_000 },
  { rows: 720, bitrate: 1_500_000 },
];

/** Each has a colour of its own (degrees of hue), which a test recognizes by `isPictureOfClip`. */
export const CLIPS = [
  { codec: "vp9", hue: 0 },
  { codec: "vp9", hue: 120 },
  { codec: "vp8", hue: 240 },
];

let recorded;

/**
 * Records `CLIPS`, once in a process. Returns the paths of their files. `server`: where the page comes from, for only a
 * secure context has WebCodecs.
 */
export function recordClips(server) {
  return (recorded ??= recordAll(server));
}

/** Whether a moving picture of this mean colour is the one of the clip with this number. */
export function isPictureOfClip(number, { colour: [red, green, blue] }) {
  const strongest = [red, green, blue].indexOf(Math.max(red, green, blue));
  return CLIPS[number].hue === 120 * strongest;
}

async function recordAll(server) {
  const browser = await launchWithoutDevices();
  try {
    const page = await browser.newPage();
    await page.goto(`${server.url}/favicon.svg`);
    const paths = [];
    for (const [index, { codec, hue }] of CLIPS.entries()) {
      const clip = await page.evaluate(record, { codec, hue, fps: FPS, seconds: SECONDS, layers: LAYERS });
      const path = join(folder, `${index}.clip`);
      writeFileSync(path, serialize(codec, clip));
      paths.push(path);
    }
    return paths;
  } finally {
    await browser.close();
  }
}

function serialize(codec, { layers, sound }) {
  const contents = {
    codec,
    fps: FPS,
    layers: layers.map((frames) =>
      frames.map(({ keyframe, temporal_layer, data }) => ({ keyframe, temporal_layer, bytes: decode(data).length })),
    ),
    sound: sound.map((data) => decode(data).length),
  };
  const chunks = [...layers.flat().map(({ data }) => data), ...sound].map(decode);
  return Buffer.concat([Buffer.from(`${JSON.stringify(contents)}\n`), ...chunks]);
}

function decode(base64) {
  return Buffer.from(base64, "base64");
}

/** Run in a page. Chunks are base64. */
async function record({ codec, hue, fps, seconds, layers }) {
  const US = 1_000_000;
  const base64 = (chunk) => {
    const bytes = new Uint8Array(chunk.byteLength);
    chunk.copyTo(bytes);
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text);
  };
  const failed = (error) => {
    throw error;
  };

  // Something that keeps an encoder busy as a face before a bookshelf does: a still background with detail, and somebody
  // who moves in front of it.
  const [width, height] = [1280, 720];
  const background = new OffscreenCanvas(width, height);
  const still = background.getContext("2d");
  let seed = 1;
  const random = () => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff) / 0x7fffffff;
  for (let y = 0; y < height; y += 24) {
    for (let x = 0; x < width; x += 16) {
      still.fillStyle = `hsl(${hue + 30 * (random() - 0.5)} 80% ${35 + 20 * random()}%)`;
      still.fillRect(x, y, 16, 24);
    }
  }
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { alpha: false });
  // The last picture is followed by the first.
  const draw = (turn) => {
    context.drawImage(background, 0, 0);
    const x = width / 2 + 160 * Math.sin(2 * Math.PI * turn);
    const y = height / 2 + 60 * Math.cos(4 * Math.PI * turn);
    context.fillStyle = `hsl(${hue} 60% 75%)`;
    context.beginPath();
    context.ellipse(x, y, 130, 170, 0.3 * Math.sin(2 * Math.PI * turn), 0, 2 * Math.PI);
    context.ellipse(x, y + 400, 280, 240, 0, 0, 2 * Math.PI);
    context.fill();
  };

  const encoders = layers.map(({ rows, bitrate }) => {
    const frames = [];
    const output = (chunk, { svc }) =>
      frames.push({ keyframe: chunk.type === "key", temporal_layer: svc?.temporalLayerId ?? 0, data: base64(chunk) });
    const encoder = new VideoEncoder({ output, error: failed });
    encoder.configure({
      codec: codec === "vp9" ? "vp09.00.10.08" : "vp8",
      width: (rows * 16) / 9,
      height: rows,
      bitrate,
      framerate: fps,
      latencyMode: "realtime",
      scalabilityMode: "L1T3",
    });
    return { encoder, frames };
  });
  for (let n = 0; n < fps * seconds; n++) {
    draw(n / (fps * seconds));
    const frame = new VideoFrame(canvas, { timestamp: (n * US) / fps });
    // A layer can be switched to, and a decoder started, once a second.
    for (const { encoder } of encoders) encoder.encode(frame, { keyFrame: n % fps === 0 });
    frame.close();
    // An encoder that has too much to do leaves frames out.
    await Promise.all(encoders.map(({ encoder }) => encoder.encodeQueueSize > 2 && encoder.flush()));
  }
  await Promise.all(encoders.map(({ encoder }) => encoder.flush()));

  // A tone whose periods fit the clip, in beeps: noise suppression takes a lasting one for noise.
  const rate = 48_000;
  const sound = [];
  const voice = new AudioEncoder({ output: (chunk) => sound.push(base64(chunk)), error: failed });
  voice.configure({ codec: "opus", sampleRate: rate, numberOfChannels: 1, bitrate: 32_000, opus: { frameDuration: 20_000 } });
  for (let packet = 0; packet < 50 * seconds; packet++) {
    const samples = new Float32Array(rate / 50);
    for (let i = 0; i < samples.length; i++) {
      const time = packet / 50 + i / rate;
      samples[i] = time % 0.5 < 0.25 ? 0.3 * Math.sin(2 * Math.PI * (400 + hue) * time) : 0;
    }
    const timestamp = packet * 20_000;
    const options = { format: "f32-planar", sampleRate: rate, numberOfFrames: samples.length, numberOfChannels: 1, timestamp };
    voice.encode(new AudioData({ ...options, data: samples }));
  }
  await voice.flush();

  const expected = fps * seconds;
  const counts = encoders.map(({ frames }) => frames.length);
  if (counts.some((count) => count !== expected)) throw new Error(`${codec}: ${counts} frames instead of ${expected}`);
  // The encoder's delay comes out as one packet more.
  return { layers: encoders.map(({ frames }) => frames), sound: sound.slice(0, 50 * seconds) };
}
