// Draws the engine's pictures, in a Worker of its own: where a browser has no GPU, drawing waits for the page, and neither
// sound nor what is sent may wait with it.
//
// Messages are arrays: what to do, the key of a track, an object that is transferred, and what else there is to say.
//   page   -> ["engine", MessagePort]            where the engine says what to draw
//             ["attach", key, OffscreenCanvas]   draw the track here, too
//             ["detach", key]                    no longer on the canvas that came first
//   engine -> ["draw", key, VideoFrame, size]    its next picture, in [width, height]; answered with the key when it is drawn
//             ["clear", key]                     it has no picture any more

/** Contexts of the canvases of each track, oldest first, and its newest picture with its size for a canvas that comes later. */
const tracks = new Map();

const actions = {
  attach(track, canvas) {
    const context = canvas.getContext("2d", { alpha: false });
    track.contexts.push(context);
    if (track.newest) paint(context, track.newest, track.size);
  },

  detach(track) {
    // A page may show a track at its new place before it removes the old one.
    track.contexts.shift();
  },

  draw(track, frame, size) {
    keep(track, frame);
    track.size = size;
    for (const context of track.contexts) paint(context, frame, size);
  },

  clear(track) {
    keep(track, null);
    for (const context of track.contexts) context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  },
};

self.addEventListener("message", ({ data: [action, ...rest] }) => {
  if (action === "engine") listen(rest[0]);
  else act(action, ...rest);
});

function listen(port) {
  port.onmessage = ({ data: [action, key, ...rest] }) => {
    act(action, key, ...rest);
    if (action === "draw") port.postMessage(key);
  };
}

function act(action, key, object, more) {
  const track = tracks.get(key) ?? { contexts: [], newest: null, size: null };
  tracks.set(key, track);
  try {
    actions[action](track, object, more);
  } catch (error) {
    console.warn(`a picture can't be drawn: ${error}`);
  }
  if (track.contexts.length === 0 && !track.newest) tracks.delete(key);
}

/** Pictures hold memory of the decoder until they are closed. */
function keep(track, frame) {
  track.newest?.close();
  track.newest = frame;
}

/** The canvas takes this size; the page's style sheet scales it. */
function paint(context, frame, [width, height]) {
  const { canvas } = context;
  // Setting a size clears the canvas and its buffers, even if it is the same.
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  context.drawImage(frame, 0, 0, width, height);
}
