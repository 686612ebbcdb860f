// Functions that run inside the page. Each stands alone: it is sent there as text.

/** Run before the app: measures what goes to the loudspeaker, whoever the app says it comes from. */
export function tapSpeakers() {
  const connect = AudioNode.prototype.connect;
  globalThis.speakerTaps = [];
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode || target instanceof MediaStreamAudioDestinationNode) {
      const tap = new AnalyserNode(this.context, { fftSize: 4096, smoothingTimeConstant: 0 });
      connect.call(this, tap);
      globalThis.speakerTaps.push(tap);
    }
    return connect.call(this, target, ...rest);
  };
}

/**
 * Samples the canvas in each animation frame until `enough` different pictures were there or `ms` milliseconds are over.
 * Returns how many, the mean colour of the last one, and how far one of its channels came in all of them (`drift`).
 */
export function watchCanvas({ selector, ms, enough }) {
  const scratch = new OffscreenCanvas(64, 36).getContext("2d", { willReadFrequently: true });
  const seen = new Set();
  const [lowest, highest] = [[255, 255, 255], [0, 0, 0]];
  let colour = [0, 0, 0];
  const look = (pixels) => {
    if (seen.size === seen.add(pixels.join()).size) return;
    colour = [0, 1, 2].map((channel) => {
      let sum = 0;
      for (let i = channel; i < pixels.length; i += 4) sum += pixels[i];
      return Math.round((4 * sum) / pixels.length);
    });
    colour.forEach((value, channel) => {
      lowest[channel] = Math.min(lowest[channel], value);
      highest[channel] = Math.max(highest[channel], value);
    });
  };
  const end = performance.now() + ms;
  return new Promise((resolve) => {
    const step = () => {
      const canvas = document.querySelector(`${selector} canvas`);
      if (canvas?.width && canvas.height) {
        scratch.drawImage(canvas, 0, 0, 64, 36);
        look(scratch.getImageData(0, 0, 64, 36).data);
      }
      if (seen.size < enough && performance.now() < end) return requestAnimationFrame(step);
      const drift = Math.max(0, ...highest.map((value, channel) => value - lowest[channel]));
      resolve({ distinct: seen.size, colour, drift });
    };
    step();
  });
}

/**
 * Samples the pictures of all tiles ten times a second for `ms` milliseconds. Returns for each, by user: how many `distinct`
 * ones there were, the `rows` in which they came and the mean `colour` of the last one. It is quicker than one after another.
 */
export function watchTiles({ track, ms }) {
  const scratch = new OffscreenCanvas(16, 9).getContext("2d", { willReadFrequently: true });
  const seen = new Map();
  const look = () => {
    for (const tile of document.querySelectorAll(`[data-user][data-track="${track}"]:not([data-self])`)) {
      const canvas = tile.querySelector("canvas");
      const { user } = tile.dataset;
      if (!seen.has(user)) seen.set(user, { pictures: new Set(), rows: 0, colour: [0, 0, 0] });
      if (!canvas?.width || !canvas.height) continue;
      scratch.drawImage(canvas, 0, 0, 16, 9);
      const pixels = scratch.getImageData(0, 0, 16, 9).data;
      const one = seen.get(user);
      one.pictures.add(pixels.join());
      one.rows = canvas.height;
      one.colour = [0, 1, 2].map((channel) => {
        let sum = 0;
        for (let i = channel; i < pixels.length; i += 4) sum += pixels[i];
        return Math.round((4 * sum) / pixels.length);
      });
    }
  };
  const end = performance.now() + ms;
  return new Promise((resolve) => {
    const step = () => {
      look();
      if (performance.now() < end) return setTimeout(step, 100);
      const entries = [...seen].map(([user, { pictures, rows, colour }]) => [user, { distinct: pictures.size, rows, colour }]);
      resolve(Object.fromEntries(entries));
    };
    step();
  });
}

/**
 * Listens for `ms` milliseconds to a pitch at the loudspeaker and to the level that the tile shows. Stops as soon as both
 * are above `enough`. Returns the maxima: `tone` in dB, `level` in 0..1.
 */
export function listen({ selector, hertz, ms, enough }) {
  const loudest = { tone: -200, level: 0 };
  const end = performance.now() + ms;
  return new Promise((resolve) => {
    const step = () => {
      for (const tap of globalThis.speakerTaps) {
        const spectrum = new Float32Array(tap.frequencyBinCount);
        tap.getFloatFrequencyData(spectrum);
        const bin = Math.round((hertz * tap.fftSize) / tap.context.sampleRate);
        loudest.tone = Math.max(loudest.tone, ...spectrum.slice(bin - 1, bin + 2));
      }
      const level = Number(document.querySelector(selector)?.dataset.level ?? 0);
      loudest.level = Math.max(loudest.level, level);
      const heard = loudest.tone > enough.tone && loudest.level > enough.level;
      if (!heard && performance.now() < end) return requestAnimationFrame(step);
      resolve(loudest);
    };
    step();
  });
}

/**
 * Milliseconds from when Join was `pressed`, or the page was `connected`, until all of these tiles have a picture; gives up after
 * `ms`. Run before that.
 */
export function timeToPictures({ selectors, since, ms }) {
  const scratch = new OffscreenCanvas(8, 8).getContext("2d", { willReadFrequently: true });
  const painted = (selector) => {
    const canvas = document.querySelector(`${selector} canvas`);
    if (!canvas?.width || !canvas.height) return false;
    scratch.clearRect(0, 0, 8, 8);
    scratch.drawImage(canvas, 0, 0, 8, 8);
    return scratch.getImageData(0, 0, 8, 8).data.some((value, i) => i % 4 < 3 && value > 40);
  };
  const end = performance.now() + ms;
  const moments = { pressed: null, connected: null };
  const note = ({ target, timeStamp }) => {
    if (target.closest("button")?.textContent.startsWith("Join")) moments.pressed ??= timeStamp;
  };
  document.addEventListener("click", note, { capture: true });
  return new Promise((resolve) => {
    const step = () => {
      const now = performance.now();
      if (document.querySelector('[data-connection="connected"]')) moments.connected ??= now;
      const start = moments[since];
      if (start !== null && selectors.every(painted)) return resolve(Math.round(now - start));
      if (now < end) return requestAnimationFrame(step);
      resolve(null);
    };
    step();
  });
}

/** The longest time in the next `ms` milliseconds during which the picture stood still, in milliseconds. */
export function longestFreeze({ selector, ms }) {
  const scratch = new OffscreenCanvas(64, 36).getContext("2d", { willReadFrequently: true });
  const start = performance.now();
  let [last, changed, longest] = ["", start, 0];
  return new Promise((resolve) => {
    const step = () => {
      const now = performance.now();
      const canvas = document.querySelector(`${selector} canvas`);
      if (canvas?.width && canvas.height) {
        scratch.drawImage(canvas, 0, 0, 64, 36);
        const picture = scratch.getImageData(0, 0, 64, 36).data.join();
        if (picture !== last) [last, changed] = [picture, now];
      }
      longest = Math.max(longest, now - changed);
      if (now - start < ms) return requestAnimationFrame(step);
      resolve(Math.round(longest));
    };
    step();
  });
}

/** The texts of everything that is added to the page from now on. */
export function noteNews() {
  const texts = [];
  const observer = new MutationObserver((changes) => {
    for (const { addedNodes } of changes) addedNodes.forEach((node) => texts.push(node.textContent));
  });
  observer.observe(document.body, { childList: true, subtree: true });
  return texts;
}
