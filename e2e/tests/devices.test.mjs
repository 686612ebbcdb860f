import { test } from "../harness/stage.mjs";
import { until } from "../harness/until.mjs";

test("a camera that is switched off is closed", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  await alice.page.addInitScript(noteTracks);
  await alice.join(server);
  const bob = await stage.join("bob", server);
  await bob.sees(alice);
  await alice.press(/^Turn camera off/);
  await until("no open camera", 2000, async () => {
    const seen = await alice.page.evaluate(() => globalThis.tracks.map(({ kind, readyState }) => `${kind} ${readyState}`));
    return { ok: seen.includes("video ended") && !seen.includes("video live"), seen };
  });
});

/** Run before the app: keeps every track that was opened, clones included. */
function noteTracks() {
  globalThis.tracks = [];
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await open(constraints);
    globalThis.tracks.push(...stream.getTracks());
    return stream;
  };
  const clone = MediaStreamTrack.prototype.clone;
  MediaStreamTrack.prototype.clone = function () {
    const track = clone.call(this);
    globalThis.tracks.push(track);
    return track;
  };
}
