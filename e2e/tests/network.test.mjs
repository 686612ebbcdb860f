import assert from "node:assert/strict";

import { withProxy } from "../harness/impaired.mjs";
import { selectorOf } from "../harness/participant.mjs";
import { test } from "../harness/stage.mjs";
import { beepInTime, measureSync, showNoise, showTimecode } from "../harness/timecode.mjs";
import { until } from "../harness/until.mjs";

test("picture and sound stay within 40 ms of each other where packets get lost", async (stage) => {
  await withProxy(stage, async ({ proxy, server }) => {
    const alice = await stage.person("alice");
    await alice.page.addInitScript(showTimecode);
    await alice.page.addInitScript(beepInTime);
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

test("who has a narrow connection gets small pictures, and nobody else does", async (stage) => {
  await withProxy(stage, async ({ proxy, server }) => {
    const alice = await stage.person("alice");
    await alice.page.addInitScript(showNoise);
    await alice.join(server, { transport: "web_socket" });
    const carol = await stage.join("carol", server, { transport: "web_socket" });
    const bob = await stage.join("bob", server);
    await bob.connected({ transport: "web_transport" });
    for (const person of [bob, carol]) {
      await person.press(/^Turn camera off/);
      await person.page.setViewportSize({ width: 1000, height: 800 });
    }
    await until("both get a large picture", 8000, async () => {
      const seen = [await bob.rowsOf(alice), await carol.rowsOf(alice)];
      return { ok: seen.every((height) => height > 180), seen };
    });
    await proxy.change({ udp: { up: { delay_ms: 20 }, down: { delay_ms: 20, rate_kbps: 400, queue_bytes: 30_000 } } });
    await until("bob gets the small picture, and carol still the large one", 15_000, async () => {
      const seen = [await bob.rowsOf(alice), await carol.rowsOf(alice)];
      return { ok: seen[0] === 180 && seen[1] > 180, seen };
    });
    await bob.hears(alice);
    assert.ok((await carol.rowsOf(alice)) > 180);
  });
});
