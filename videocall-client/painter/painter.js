// Draws the engine's pictures, in a Worker of its own: where a browser has no GPU, drawing waits for the page, and neither
// sound nor what is sent may wait with it.
//
// Messages are arrays: what to do, the key of a track, and an object that is transferred.
//   engine -> ["attach", key, OffscreenCanvas]   draw the track here, too
//             ["detach", key]                    no longer on the canvas that came first
//             ["draw", key, VideoFrame]          its next picture, which is answered with the key when it is drawn
//             ["clear", key]                     it has no picture any more

/** Contexts of the canvases of each track, oldest first, and its newest picture for a canvas that comes later. */
const tracks = new Map();

const actions = {
  attach(track, canvas) {
    const context = canvas.getContext("2d", { alpha: false });
    track.contexts.push(context);
    if (track.newest) paint(context, track.newest);
  },

  detach(track) {
    // A page may show a track at its new place before it removes the old one.
    track.contexts.shift();
  },

  draw(track, frame) {
    keep(track, frame);
    for (const context of track.contexts) paint(context, frame);
  },

  clear(track) {
    keep(track, null);
    for (const context of track.contexts) context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  },
};

self.addEventListener("message", ({ data: [action, key, object] }) => {
  const track = tracks.get(key) ?? { contexts: [], newest: null };
  tracks.set(key, track);
  try {
    actions[action](track, object);
  } catch (error) {
    console.warn(`a picture can't be drawn: ${error}`);
  }
  if (track.contexts.length === 0 && !track.newest) tracks.delete(key);
  if (action === "draw") self.postMessage(key);
});

/** Pictures hold memory of the decoder until they are closed. */
function keep(track, frame) {
  track.newest?.close();
  track.newest = frame;
}

/** The canvas takes the picture's size; the page's style sheet scales it. */
function paint(context, frame) {
  const { canvas } = context;
  const { displayWidth: width, displayHeight: height } = frame;
  // Setting a size clears the canvas and its buffers, even if it is the same.
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  context.drawImage(frame, 0, 0);
}
