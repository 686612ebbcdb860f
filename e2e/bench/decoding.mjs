// What a browser takes to show 2, 10 and 25 tiles, and how many of the pictures that were sent it decodes.
import { setTimeout as delay } from "node:timers/promises";

import { launchFor } from "../harness/browser.mjs";
import { recordClips } from "../harness/clip.mjs";
import { mainProcess, threadsOf } from "../harness/cpu.mjs";
import { watchTiles } from "../harness/probes.mjs";
import { videocallServer } from "../harness/servers.mjs";
import { syntheticPublishers } from "../harness/synthetic.mjs";
import { until } from "../harness/until.mjs";
import { withPerson, withServer } from "./people.mjs";

// With one's own.
const TILES = [2, 10, 25];
const SPEAKERS = 3;
const SECONDS = 15;

/** A row for each number of tiles. */
export async function decoding() {
  const rows = [];
  for (const tiles of TILES) rows.push(await withServer(videocallServer(), (server) => measure(server, tiles)));
  return rows;
}

async function measure(server, tiles) {
  const names = Array.from({ length: tiles - 1 }, (_, index) => `guest-${index}`);
  const guests = await syntheticPublishers(server, { names, clips: await recordClips(server), speakers: SPEAKERS });
  // A browser for each, in which nothing is left of the one before.
  const browser = await launchFor("bob");
  try {
    return await withPerson("bob", browser, async (bob) => {
      await bob.prepareEngine(countPictures);
      await bob.join(server);
      await bob.press("Turn camera off");
      await bob.press("Mute");
      const rows = await until("all tiles move", 60_000, async () => {
        const seen = Object.values(await bob.page.evaluate(watchTiles, { track: "camera", ms: 2000 }));
        const layer = Math.max(...seen.map(({ rows }) => rows));
        return { ok: seen.length === names.length && seen.every(({ distinct }) => distinct >= 5), seen, layer };
      });
      await delay(3000); // until the layers are those of the tiles
      const main = await mainProcess(browser);
      const before = await observe(main, bob, guests);
      await delay(SECONDS * 1000);
      const after = await observe(main, bob, guests);
      return row(tiles, rows.layer, before, after);
    });
  } finally {
    guests.close();
    await browser.close();
  }
}

async function observe(main, person, guests) {
  const status = await guests.status();
  const decoded = await person.engine().evaluate(() => globalThis.decodedPictures);
  const sent = status.reduce((sum, { frames }) => sum + frames, 0);
  return { at: performance.now() / 1000, decoded, sent, threads: threadsOf(main) };
}

function row(tiles, layer, before, after) {
  const seconds = after.at - before.at;
  const earlier = new Map(before.threads.map(({ id, seconds: used }) => [id, used]));
  const used = (wanted) => {
    const threads = after.threads.filter(wanted);
    const sum = threads.reduce((total, { id, seconds: now }) => total + now - (earlier.get(id) ?? 0), 0);
    return (sum / seconds).toFixed(2);
  };
  const isMain = ({ process, id }) => `${process}` === id;
  const inPage = ({ kind }) => kind === "renderer";
  const isWorker = (thread) => inPage(thread) && thread.thread.startsWith("DedicatedWorker");
  const [sent, decoded] = [after.sent - before.sent, after.decoded - before.decoded];
  return {
    tiles,
    "rows of a picture": layer,
    "page, main thread": used((thread) => inPage(thread) && isMain(thread)),
    "Workers (engine, painter)": used(isWorker),
    "page, other threads (decoders, sound)": used((thread) => inPage(thread) && !isMain(thread) && !isWorker(thread)),
    "painting without a GPU": used(({ kind }) => kind === "gpu-process"),
    "rest of the browser (network, sound)": used(({ kind }) => kind !== "renderer" && kind !== "gpu-process"),
    all: used(() => true),
    "pictures sent per second": (sent / seconds).toFixed(1),
    "decoded per second": (decoded / seconds).toFixed(1),
    "not decoded": `${Math.max(0, 100 * (1 - decoded / sent)).toFixed(1)} %`,
  };
}

/** Run in the engine's Worker before the app. */
function countPictures() {
  globalThis.decodedPictures = 0;
  globalThis.VideoDecoder = class extends VideoDecoder {
    constructor({ output, error }) {
      const count = (picture) => {
        globalThis.decodedPictures++;
        output(picture);
      };
      super({ output: count, error });
    }
  };
}
