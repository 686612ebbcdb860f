import assert from "node:assert/strict";

import { test } from "../harness/stage.mjs";
import { beeps, measureSync, timecode } from "../harness/timecode.mjs";

test("picture and sound of a person are within 40 ms", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  await alice.captures("video", timecode);
  await alice.captures("audio", beeps);
  await alice.join(server);
  const bob = await stage.join("bob", server);
  await bob.press(/^Mute/);
  await bob.press(/^Turn camera off/);
  const selector = '[data-user="alice"][data-track="camera"]';
  await bob.page.evaluate(measureSync, { selector, ms: 4000 }); // until buffers have settled
  const { ages, offsets, pictures } = await bob.page.evaluate(measureSync, { selector, ms: 20_000 });
  const sorted = offsets.map(Math.abs).sort((a, b) => a - b);
  const p95 = sorted[Math.floor(0.95 * (sorted.length - 1))];
  const seen = JSON.stringify({ p95, pictures, offsets: offsets.map(Math.round), ages: ages.map(Math.round) });
  assert.ok(pictures > 100 && offsets.length > 20, seen);
  assert.ok(p95 <= 40, seen);
});
