// A screen that shows slides full of small text, and the eye that tells how sharp they arrive. Both run inside the page, on
// one machine, so that their clocks agree.

/** Run before the app: the shared screen is a canvas; `globalThis.turnTo(n)` draws slide n. */
export function showSlides({ draw }) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
  const context = canvas.getContext("2d", { alpha: false });
  const drawSlide = new Function(`return ${draw}`)();
  globalThis.turnTo = (n) => {
    drawSlide(context, n);
    return performance.timeOrigin + performance.now();
  };
  navigator.mediaDevices.getDisplayMedia = async () => {
    globalThis.turnTo(0);
    return canvas.captureStream();
  };
}

/** 30 lines of text that depend on `n`. */
export function drawSlide(context, n) {
  context.fillStyle = "#fff";
  context.fillRect(0, 0, 1280, 720);
  context.fillStyle = "#111";
  context.font = "16px monospace";
  for (let line = 0; line < 30; line++) {
    let text = "";
    for (let i = 0; i < 120; i++) text += String.fromCharCode(33 + ((n * 7919 + line * 131 + i * 17 + ((i * i) % 23)) % 90));
    context.fillText(text, 20, 24 + line * 23);
  }
}

/**
 * Compares what is shown with slide `n` for `ms` milliseconds. Returns the PSNR in dB at each animation frame, with the time
 * since `turned`.
 */
export function watchSlide({ selector, draw, n, turned, ms }) {
  const truth = new OffscreenCanvas(1280, 720).getContext("2d", { alpha: false, willReadFrequently: true });
  new Function(`return ${draw}`)()(truth, n);
  const wanted = truth.getImageData(0, 0, 1280, 720).data;
  const shown = new OffscreenCanvas(1280, 720).getContext("2d", { alpha: false, willReadFrequently: true });
  const wall = () => performance.timeOrigin + performance.now();
  const seen = [];
  return new Promise((resolve) => {
    const step = () => {
      const canvas = document.querySelector(`${selector} canvas`);
      const at = wall();
      if (canvas?.width) {
        shown.drawImage(canvas, 0, 0, 1280, 720);
        const pixels = shown.getImageData(0, 0, 1280, 720).data;
        let error = 0;
        // Green is most of what the eye sees.
        for (let i = 1; i < pixels.length; i += 4) error += (pixels[i] - wanted[i]) ** 2;
        const psnr = 10 * Math.log10(255 ** 2 / (error / (pixels.length / 4) + 1e-9));
        seen.push({ ms: Math.round(at - turned), psnr: Math.round(psnr * 10) / 10 });
      }
      if (at < turned + ms) requestAnimationFrame(step);
      else resolve(seen);
    };
    step();
  });
}
