// A camera whose picture carries the time at which it was drawn, and the eye that reads it. Both run inside the page, on
// one machine, so that their clocks agree.
//
// The picture is 8 x 4 squares, black or white: 20 bits of milliseconds (17 minutes), then 12 bits that check them.

/** Run before the app: the camera shows the time code. The microphone stays what it is. */
export function showTimecode() {
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

  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  let drawing = false;
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = constraints.audio ? await real({ audio: constraints.audio }) : new MediaStream();
    if (constraints.video) {
      if (!drawing) draw();
      drawing = true;
      for (const track of canvas.captureStream(30).getVideoTracks()) stream.addTrack(track);
    }
    return stream;
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
