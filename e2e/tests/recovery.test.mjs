import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

import { BLACK_HOLE, both, withProxy } from "../harness/impaired.mjs";
import { selectorOf } from "../harness/participant.mjs";
import { longestFreeze, noteNews } from "../harness/probes.mjs";
import { natsServer, videocallServer } from "../harness/servers.mjs";
import { test } from "../harness/stage.mjs";
import { Stopwatch } from "../harness/until.mjs";

test("a black hole for UDP mid-call: the picture moves again over WebSocket within 3 s", async (stage) => {
  await withProxy(stage, async ({ proxy, server }) => {
    const alice = await stage.join("alice", server);
    const bob = await stage.join("bob", server, { transport: "web_socket" });
    await alice.connected({ transport: "web_transport" });
    await alice.sees(bob);
    await bob.sees(alice);
    alice.expectNetworkErrors();

    const freezes = [watch(alice, bob, 8000), watch(bob, alice, 8000)];
    await proxy.change({ udp: both(BLACK_HOLE) });
    await alice.connected({ transport: "web_socket", within: 8000 });
    for (const freeze of await Promise.all(freezes)) {
      assert.ok(freeze <= 3000, `the picture stood still for ${freeze} ms`);
      assert.ok(freeze > 300, `the black hole was noticed: ${freeze} ms`);
    }
    await alice.sees(bob);
    await bob.sees(alice);
    await alice.hears(bob);
    await bob.hears(alice);
  });
});

test("a network that is lost and comes back: the others hear of nothing", async (stage) => {
  await withProxy(stage, async ({ proxy, server, far }) => {
    const bob = await stage.join("bob", server, { transport: "web_socket" });
    const alice = await stage.join("alice", far);
    await bob.sees(alice);
    await alice.sees(bob);
    alice.expectNetworkErrors();
    const { session } = await alice.self();
    const news = await bob.page.evaluateHandle(noteNews);

    await proxy.change({ udp: both(BLACK_HOLE), tcp: both(BLACK_HOLE) });
    const lost = new Stopwatch();
    await bob.standsStill(alice);
    // The test is about an outage of this length.
    await delay(Math.max(0, 5500 - lost.elapsed));
    await proxy.change({ udp: both({}), tcp: both({}) });
    const back = new Stopwatch();
    await alice.connected({ since: back });
    await bob.sees(alice, { since: back });
    await alice.sees(bob);
    await bob.hears(alice);
    assert.equal((await alice.self()).session, session);
    assert.deepEqual(await news.evaluate((texts) => texts.filter((text) => /joined|left/.test(text))), []);
  });
});

test("a relay that stops: the call goes on over another one, within 1 s", async (stage) => {
  const nats = await stage.start(natsServer());
  const second = await stage.start(videocallServer({ NATS_URL: nats.url }));
  const relay = `${second.url.replace("http", "ws")}/lobby`;
  const first = await stage.start(videocallServer({ NATS_URL: nats.url, RELAY_URLS: relay }));
  const alice = await stage.join("alice", first);
  const bob = await stage.join("bob", second);
  await bob.sees(alice);
  await alice.sees(bob);
  alice.expectNetworkErrors();

  const before = await alice.self();
  const freeze = watch(bob, alice, 6000);
  await first.stop();
  await alice.connected({ transport: "web_socket" });
  assert.ok((await freeze) <= 1000, `the picture stood still for ${await freeze} ms`);
  assert.notEqual((await alice.self()).session, before.session);
  await alice.sees(bob);
  await bob.sees(alice);
});

function watch(person, other, ms) {
  return person.page.evaluate(longestFreeze, { selector: selectorOf(other, "camera"), ms });
}
