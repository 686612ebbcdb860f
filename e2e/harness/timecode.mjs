// A camera whose picture carries the time at which it was drawn, and the eye that reads it. Both run inside the page, on
// one machine, so that their clocks agree.
//
// The picture is 8 x 4 squares, black or white: 20 bits of milliseconds (17 minutes), then 12 bits that check them.

/** A camera for `Participant.captures` that shows the time code. */
export function timecode() {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
  const context = canvas.getContext("2d", { alpha: false });
  const draw = () => {
    const now = Math.floor(performance.timeOrigin + performance.now()) % 2 ** 20;
    const check = (Math.imul(now, 0x9e3779b1) >>> 20) & 0xfff;
    for (let bit = 0; bit < 32; bit++) {
      const set = bit < 20 ? (now >> bit) & 1 : (check >> (bit - 20)) & 1;
      context.fillStyle = set ? "#fff" : "#000";
      context.fillRect((bit % 8) * 160, Math.floor(bit / 8) * 180, 160, 180);
    }
    requestAnimationFrame(draw);
  };
  let drawing = false;
  return () => {
    if (!drawing) draw();
    drawing = true;
    return canvas.captureStream(30);
  };
}

/** A camera that shows spots that change all the time, which takes as many bits as there are. */
export function noise() {
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
  const context = canvas.getContext("2d", { alpha: false });
  const spots = new OffscreenCanvas(80, 45);
  const small = spots.getContext("2d", { alpha: false });
  const picture = small.createImageData(80, 45);
  const words = new Uint32Array(picture.data.buffer);
  const draw = () => {
    for (let n = 0; n < words.length; n++) words[n] = Math.random() * 2 ** 32;
    small.putImageData(picture, 0, 0);
    context.drawImage(spots, 0, 0, 640, 360);
  };
  let drawing;
  return () => {
    drawing ??= setInterval(draw, 100);
    return canvas.captureStream(10);
  };
}

/**
 * Reads the canvas in each animation frame for `ms` milliseconds. Returns the age in milliseconds of every picture when it
 * was first there, and how many pictures could not be read.
 */
export function readTimecodes({ selector, ms }) {
  const scratch = new OffscreenCanvas(64, 32).getContext("2d", { willReadFrequently: true });
  scratch.imageSmoothingEnabled = false;
  const ages = [];
  let unreadable = 0;
  let last = null;
  const read = (pixels) => {
    let code = 0;
    for (let bit = 0; bit < 32; bit++) {
      const x = (bit % 8) * 8 + 4;
      const y = Math.floor(bit / 8) * 8 + 4;
      if (pixels[4 * (y * 64 + x)] > 127) code |= 1 << bit;
    }
    const time = code & 0xfffff;
    return code >>> 20 === ((Math.imul(time, 0x9e3779b1) >>> 20) & 0xfff) ? time : null;
  };
  const end = performance.now() + ms;
  return new Promise((resolve) => {
    const step = () => {
      const canvas = document.querySelector(`${selector} canvas`);
      if (canvas?.width && canvas.height) {
        scratch.drawImage(canvas, 0, 0, 64, 32);
        const time = read(scratch.getImageData(0, 0, 64, 32).data);
        if (time === null) unreadable++;
        else if (time !== last) {
          const now = (performance.timeOrigin + performance.now()) % 2 ** 20;
          ages.push((now - time + 2 ** 20) % 2 ** 20);
          last = time;
        }
      }
      if (performance.now() < end) requestAnimationFrame(step);
      else resolve({ ages, unreadable });
    };
    step();
  });
}

/** A microphone that hears a beep whenever the clock of the time code has counted half a second. */
export function beeps() {
  const PERIOD_MS = 500;
  const BEEP_S = 0.1;
  return async () => {
    const context = new AudioContext({ sampleRate: 48_000 });
    const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    const gain = new GainNode(context, { gain: 0 });
    const tone = new OscillatorNode(context, { frequency: 1000 });
    tone.connect(gain).connect(destination);
    tone.start();
    await context.resume();
    // The context counts in blocks: it is at least as far as it ever was compared with the clock.
    let ahead_s = -Infinity;
    let next_ms = 0;
    setInterval(() => {
      const now_ms = performance.timeOrigin + performance.now();
      ahead_s = Math.max(ahead_s, context.currentTime - now_ms / 1000);
      if (now_ms < next_ms - PERIOD_MS / 2) return;
      next_ms = (Math.floor(now_ms / PERIOD_MS) + 1) * PERIOD_MS;
      const at = next_ms / 1000 + ahead_s;
      gain.gain.setValueAtTime(0.5, at);
      gain.gain.setValueAtTime(0, at + BEEP_S);
    }, 20);
    return destination.stream;
  };
}

/**
 * Reads time codes and listens to beeps for `ms` milliseconds. Returns the ages in milliseconds of the beeps when they are
 * heard, and for each how much older it is than the pictures at that time, on average.
 */
export function measureSync({ selector, ms }) {
  const PERIOD_MS = 500;
  const tap = globalThis.speakerTaps[0];
  const context = tap.context;
  const listener = new AnalyserNode(context, { fftSize: 32_768 });
  tap.connect(listener);
  const samples = new Float32Array(listener.fftSize);
  const scratch = new OffscreenCanvas(64, 32).getContext("2d", { willReadFrequently: true });
  scratch.imageSmoothingEnabled = false;
  const wall = () => performance.timeOrigin + performance.now();
  const pictures = [];
  const beeps = new Map();
  let last = null;

  const look = () => {
    const canvas = document.querySelector(`${selector} canvas`);
    if (!canvas?.width || !canvas.height) return;
    scratch.drawImage(canvas, 0, 0, 64, 32);
    const pixels = scratch.getImageData(0, 0, 64, 32).data;
    let code = 0;
    for (let bit = 0; bit < 32; bit++) {
      const x = (bit % 8) * 8 + 4;
      const y = Math.floor(bit / 8) * 8 + 4;
      if (pixels[4 * (y * 64 + x)] > 127) code |= 1 << bit;
    }
    const time = code & 0xfffff;
    if (code >>> 20 !== ((Math.imul(time, 0x9e3779b1) >>> 20) & 0xfff) || time === last) return;
    last = time;
    pictures.push({ at: wall(), age: ((wall() % 2 ** 20) - time + 2 ** 20) % 2 ** 20 });
  };

  const hear = () => {
    const end = context.currentTime;
    const { contextTime, performanceTime } = context.getOutputTimestamp();
    listener.getFloatTimeDomainData(samples);
    // A beep begins after 200 ms of silence.
    let silent = 0;
    for (let i = 0; i < samples.length; i++) {
      if (Math.abs(samples[i]) < 0.03) silent++;
      else {
        if (silent > 9600) {
          const time = end - (samples.length - i) / context.sampleRate;
          const heard = performance.timeOrigin + performanceTime + (time - contextTime) * 1000;
          const beep = Math.floor(heard / PERIOD_MS) * PERIOD_MS;
          if (!beeps.has(beep)) beeps.set(beep, heard);
        }
        silent = 0;
      }
    }
  };

  const start = wall();
  return new Promise((resolve) => {
    const step = () => {
      look();
      hear();
      if (wall() < start + ms) return requestAnimationFrame(step);
      const offsets = [];
      const ages = [];
      for (const [beep, heard] of beeps) {
        const around = pictures.filter(({ at }) => Math.abs(at - heard) < 250);
        if (!around.length) continue;
        ages.push(heard - beep);
        offsets.push(heard - beep - around.reduce((sum, { age }) => sum + age, 0) / around.length);
      }
      resolve({ ages, offsets, pictures: pictures.length });
    };
    step();
  });
}
