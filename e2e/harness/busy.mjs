// A page that is too busy for its call, and what shows whether the call minds.
import { setTimeout as delay } from "node:timers/promises";

const BLOCK_MS = 300;
const PAUSE_MS = 300;

/** Blocks the person's page again and again while `body` runs, without taking a processor from anybody. */
export async function whileBlocked(person, body) {
  await person.page.route("**/slow", async (route) => {
    await delay(BLOCK_MS);
    await route.fulfill({ body: "" });
  });
  let over = false;
  const blocking = (async () => {
    while (!over) {
      await person.page.evaluate(() => {
        const request = new XMLHttpRequest();
        request.open("GET", "/slow", false);
        request.send();
      });
      await delay(PAUSE_MS);
    }
  })();
  try {
    return await body();
  } finally {
    over = true;
    await blocking;
    await person.page.unroute("**/slow");
  }
}

/** A microphone for `Participant.captures` that hears a lasting tone. */
export function hum() {
  return async () => {
    const context = new AudioContext({ sampleRate: 48_000 });
    const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    const tone = new OscillatorNode(context, { frequency: 440 });
    tone.connect(new GainNode(context, { gain: 0.3 })).connect(destination);
    tone.start();
    await context.resume();
    return destination.stream;
  };
}

/** The longest silence at the loudspeaker in the next `ms` milliseconds, in milliseconds; a busy page misses none. */
export function longestSilence({ ms }) {
  const QUIET = 0.01;
  const tap = globalThis.speakerTaps[0];
  const listener = new AnalyserNode(tap.context, { fftSize: 32_768 }); // 680 ms
  tap.connect(listener);
  const samples = new Float32Array(listener.fftSize);
  let longest = 0;
  const hear = () => {
    listener.getFloatTimeDomainData(samples);
    let silent = 0;
    for (const sample of samples) {
      silent = Math.abs(sample) < QUIET ? silent + 1 : 0;
      longest = Math.max(longest, silent);
    }
  };
  return new Promise((resolve) => {
    const start = performance.now();
    // What the listener had not yet heard when it began is no silence.
    const timer = setInterval(() => performance.now() - start > 700 && hear(), 50);
    setTimeout(() => {
      clearInterval(timer);
      tap.disconnect(listener);
      resolve(Math.round(longest / (tap.context.sampleRate / 1000)));
    }, ms + 700);
  });
}

/** Run in the engine before the app: `longestPause` on the page is between two pictures that its decoders get. */
export function notePauses() {
  const channel = new BroadcastChannel("pauses");
  const decode = VideoDecoder.prototype.decode;
  let last = 0;
  VideoDecoder.prototype.decode = function (chunk) {
    const now = performance.now();
    if (last) channel.postMessage(now - last);
    last = now;
    decode.call(this, chunk);
  };
}

/** The longest pause of the next `ms` milliseconds, in milliseconds. After `notePauses`. */
export function longestPause({ ms }) {
  return new Promise((resolve) => {
    const channel = new BroadcastChannel("pauses");
    const pauses = [];
    channel.onmessage = ({ data }) => pauses.push(data);
    setTimeout(() => {
      channel.close();
      resolve(pauses.length > 1 ? Math.round(Math.max(...pauses)) : Infinity);
    }, ms);
  });
}
