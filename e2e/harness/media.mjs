// What each person's fake camera and microphone deliver: a picture in a colour of its own with a bar that wanders through
// it, and beeps of a pitch of its own. So a test knows whose picture and whose sound arrived, not only that one did.
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Blue- and red-difference (BT.601) of the picture, and hertz of the beep. In Firefox the fake camera changes its colour
 * with each picture, and the fake microphone hears a lasting tone.
 */
export const PEOPLE = {
  alice: { chroma: { u: 128, v: 200 }, hertz: 500 },
  bob: { chroma: { u: 210, v: 110 }, hertz: 900 },
  carol: { chroma: { u: 40, v: 140 }, hertz: 1400 },
  frida: { browser: "firefox", hertz: 700 },
  felix: { browser: "firefox", hertz: 1900 },
};
// Chromium's fake screen is green.
const SCREEN = { u: 82, v: 70 };
// Of 255. What codecs do to a colour that stays is less than this, and ten pictures of Firefox's camera are more.
const FIREFOX_DRIFT = 6;

const WIDTH = 640;
const HEIGHT = 360;
const FPS = 15;
const FRAMES = 30;
const BAR = 80;

const folder = mkdtempSync(join(tmpdir(), "videocall-media-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Chromium switches that feed the camera and the microphone of `person`. */
export function deviceSwitches(person) {
  const { chroma, hertz } = PEOPLE[person];
  const video = join(folder, `${person}.y4m`);
  const audio = join(folder, `${person}.wav`);
  writeVideo(video, chroma);
  writeBeeps(audio, hertz);
  return [`--use-file-for-fake-video-capture=${video}`, `--use-file-for-fake-audio-capture=${audio}`];
}

/** Whether a moving picture of this mean colour, which changed by `drift`, is what the camera of `person` makes. */
export function isPictureOf(person, { colour, drift }) {
  if (PEOPLE[person].browser === "firefox") return drift >= FIREFOX_DRIFT;
  return drift < FIREFOX_DRIFT && isNear(colour, PEOPLE[person].chroma);
}

/** Whether a picture of this mean colour is a screen that Chromium shares. */
export function isPictureOfScreen({ colour }) {
  return isNear(colour, SCREEN);
}

function isNear([red, green, blue], chroma) {
  const u = 128 - 0.169 * red - 0.331 * green + 0.5 * blue;
  const v = 128 + 0.5 * red - 0.419 * green - 0.081 * blue;
  return Math.hypot(u - chroma.u, v - chroma.v) < 35;
}

function writeVideo(path, { u, v }) {
  const file = openSync(path, "w");
  writeSync(file, `YUV4MPEG2 W${WIDTH} H${HEIGHT} F${FPS}:1 Ip A1:1 C420jpeg\n`);
  const chromaSize = (WIDTH * HEIGHT) / 4;
  const chroma = Buffer.concat([Buffer.alloc(chromaSize, u), Buffer.alloc(chromaSize, v)]);
  for (let frame = 0; frame < FRAMES; frame++) {
    const luma = Buffer.alloc(WIDTH * HEIGHT, 110);
    const left = Math.floor((frame * (WIDTH - BAR)) / FRAMES);
    for (let row = 0; row < HEIGHT; row++) luma.fill(180, row * WIDTH + left, row * WIDTH + left + BAR);
    writeSync(file, "FRAME\n");
    writeSync(file, luma);
    writeSync(file, chroma);
  }
  closeSync(file);
}

// Beeps of a quarter second: noise suppression takes a lasting tone for noise.
function writeBeeps(path, hertz) {
  const rate = 48_000;
  const samples = 4 * rate;
  const file = Buffer.alloc(44 + samples * 2);
  file.write("RIFF", 0);
  file.writeUInt32LE(36 + samples * 2, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20); // PCM
  file.writeUInt16LE(1, 22); // channels
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36);
  file.writeUInt32LE(samples * 2, 40);
  for (let i = 0; i < samples; i++) {
    const seconds = i / rate;
    const sample = seconds % 0.5 < 0.25 ? 0.4 * Math.sin(2 * Math.PI * hertz * seconds) : 0;
    file.writeInt16LE(Math.round(sample * 32_767), 44 + i * 2);
  }
  writeFileSync(path, file);
}
