import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

import { hum, longestSilence } from "../harness/busy.mjs";
import { BLACK_HOLE, withProxy } from "../harness/impaired.mjs";
import { selectorOf } from "../harness/participant.mjs";
import { longestFreeze } from "../harness/probes.mjs";
import { test } from "../harness/stage.mjs";
import { beeps, measureSync, noise, timecode } from "../harness/timecode.mjs";
import { until } from "../harness/until.mjs";

test("picture and sound stay within 40 ms of each other where packets get lost", async (stage) => {
  await withProxy(stage, async ({ proxy, server }) => {
    const alice = await stage.person("alice");
    await alice.captures("video", timecode);
    await alice.captures("audio", beeps);
    await alice.join(server, { transport: "web_socket" });
    const bob = await stage.join("bob", server);
    await bob.connected({ transport: "web_transport" });
    await bob.press(/^Mute/);
    await bob.press(/^Turn camera off/);
    await proxy.change({ udp: { up: { delay_ms: 20 }, down: { delay_ms: 20, loss_percent: 5 } } });
    const selector = selectorOf(alice, "camera");
    await bob.page.evaluate(measureSync, { selector, ms: 6000 }); // until buffers have settled
    const { offsets, pictures } = await bob.page.evaluate(measureSync, { selector, ms: 20_000 });
    const sorted = offsets.map(Math.abs).sort((a, b) => a - b);
    const p95 = sorted[Math.floor(0.95 * (sorted.length - 1))];
    const seen = JSON.stringify({ p95, pictures, offsets: offsets.map(Math.round) });
    assert.ok(pictures > 100 && offsets.length > 15, seen);
    assert.ok(p95 <= 40, seen);
  });
});

// Both ways, of the receiver's connection.
const FAR = { delay_ms: 40 };
const lossy = (loss_percent, burst = 0) => ({ ...FAR, loss_percent, burst });
const narrow = (rate_kbps, queue_bytes = 64_000) => ({ ...FAR, rate_kbps, queue_bytes });
// In a moment; what TCP has lost holds up all that follows. testkit/tests/network has the exact bounds.
const WINDOW_MS = 3000;
const LONG = { timeout: 150_000 };
const LOSSES = [
  { what: "2 % loss", down: lossy(2), web_transport: { freeze: 700, silence: 40 }, web_socket: { freeze: 1000, silence: 60 } },
  { what: "5 % loss", down: lossy(5), web_transport: { freeze: 1000, silence: 60 }, web_socket: { freeze: 2000, silence: 200 } },
  { what: "10 % in bursts", down: lossy(10, 4), web_transport: { freeze: 1500, silence: 100 }, web_socket: { freeze: 3000, silence: 700 } },
];
const RATES = [
  { what: "2 Mbit/s", down: narrow(2000), freeze: 700, silence: 40 },
  { what: "0.5 Mbit/s", down: narrow(500), freeze: 1000, silence: 40, rows: 180 },
  { what: "300 kbit/s", down: narrow(300, 30_000), freeze: 1500, silence: 60, rows: 180 },
];

for (const transport of ["web_transport", "web_socket"]) {
  test(`losses and an outage are got over (${transport})`, async (stage) => {
    await farFromAlice(stage, transport, {}, async ({ alice, bob, change }) => {
      for (const { what, down, [transport]: bounds } of LOSSES) {
        await change(FAR, down);
        await goesOn(`with ${what}`, bob, alice, bounds);
      }
      bob.expectNetworkErrors();
      await change(BLACK_HOLE, BLACK_HOLE);
      await delay(10_000);
      await change(FAR, FAR);
      await goesOn("after an outage of 10 s", bob, alice, { freeze: 500, silence: 40 });
    });
  }, LONG);

  test(`a connection that gets narrow carries smaller pictures, and all of the sound (${transport})`, async (stage) => {
    await farFromAlice(stage, transport, { video: noise }, async ({ alice, bob, change }) => {
      for (const { what, down, ...bounds } of RATES) {
        await change(FAR, down);
        await goesOn(`with ${what}`, bob, alice, bounds);
      }
    });
  }, LONG);
}

test("who has a narrow connection gets small pictures, and nobody else does", async (stage) => {
  await withProxy(stage, async ({ proxy, server }) => {
    const alice = await stage.person("alice");
    await alice.captures("video", noise);
    await alice.join(server, { transport: "web_socket" });
    const carol = await stage.join("carol", server, { transport: "web_socket" });
    const bob = await stage.join("bob", server);
    await bob.connected({ transport: "web_transport" });
    for (const person of [bob, carol]) {
      await person.press(/^Turn camera off/);
      await person.page.setViewportSize({ width: 1000, height: 800 });
    }
    const both = (bobs, carols) =>
      until(`bob gets ${bobs} rows and carol ${carols}`, 20_000, async () => {
        const seen = [await bob.rowsOf(alice), await carol.rowsOf(alice)];
        return { ok: seen[0] === bobs && seen[1] === carols, seen };
      });
    await both(360, 360);
    await proxy.change({ udp: { up: FAR, down: narrow(400, 30_000) } });
    await both(180, 360);
    await bob.hears(alice);
  });
});

/** Bob is in a call with Alice, over a connection that `change(up, down)` makes worse; `sources` are what she captures besides a hum. */
async function farFromAlice(stage, transport, sources, body) {
  await withProxy(stage, async ({ proxy, server, far }) => {
    const alice = await stage.person("alice");
    for (const [kind, source] of Object.entries({ ...sources, audio: hum })) await alice.captures(kind, source);
    await alice.join(server, { transport: "web_socket" });
    const [place, lane] = transport === "web_socket" ? [far, "tcp"] : [server, "udp"];
    const bob = await stage.join("bob", place, { transport });
    await bob.connected({ transport });
    await bob.press(/^Turn camera off/);
    await bob.press(/^Mute/);
    await body({ alice, bob, change: (up, down) => proxy.change({ [lane]: { up, down } }) });
  });
}

/** Waits for a moment in which their picture stands still, and their sound is silent, for no longer than this. */
function goesOn(when, person, other, { freeze, silence, rows }) {
  const selector = selectorOf(other, "camera");
  return until(`${when}, ${other.name} is seen and heard`, 20_000, async () => {
    const [stillness, quiet] = await Promise.all([
      person.page.evaluate(longestFreeze, { selector, ms: WINDOW_MS }),
      person.page.evaluate(longestSilence, { ms: WINDOW_MS }),
    ]);
    const shown = await person.rowsOf(other);
    const ok = stillness <= freeze && quiet <= silence && (rows ?? shown) === shown;
    return { ok, seen: { stillness, quiet, shown } };
  });
}
