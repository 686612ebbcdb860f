import assert from "node:assert/strict";

import { actixApi, natsServer, webtransportServer } from "../harness/servers.mjs";
import { test } from "../harness/stage.mjs";
import { until } from "../harness/until.mjs";

test("separate services meet over NATS, and survive its restart", async (stage) => {
  const nats = await stage.start(natsServer());
  const relay = await stage.start(webtransportServer({ NATS_URL: nats.url }));
  const api = await stage.start(actixApi({ NATS_URL: nats.url, WEBTRANSPORT_HEALTH_URL: relay.url }));
  const alice = await stage.join("alice", api, { transport: "web_socket" });
  const bob = await stage.join("bob", api, { transport: "web_socket" });
  const carol = await stage.join("carol", api);

  await alice.connected({ transport: "web_socket" });
  await carol.connected({ transport: "web_transport" });
  await eachSees([alice, bob, carol]);
  await carol.hears(alice);
  await alice.hears(carol);
  const sessions = await Promise.all([alice, bob, carol].map(sessionOf));

  await nats.kill();
  await becomes(api, 503);
  // Carol's picture stands still for Alice, and Bob's goes on.
  await alice.standsStill(carol);
  await alice.sees(bob);
  await bob.sees(alice);
  await alice.hears(bob);

  await nats.start();
  await becomes(api, 200);
  await eachSees([alice, bob, carol], 10_000);
  await carol.hears(bob);
  assert.deepEqual(await Promise.all([alice, bob, carol].map(sessionOf)), sessions, "nobody had to join again");
});

async function eachSees(people, within) {
  for (const one of people) {
    for (const other of people) if (other !== one) await one.sees(other, { within });
  }
}

/** Readiness of a server that goes on without the others, and of one that has them again. */
function becomes(server, status) {
  return until(`${server.name} answers ${status}`, 5000, async () => {
    const seen = (await fetch(`${server.url}/readyz`)).status;
    return { ok: seen === status, seen };
  });
}

async function sessionOf(person) {
  return (await person.self()).session;
}
