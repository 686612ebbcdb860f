import assert from "node:assert/strict";

import { test } from "../harness/stage.mjs";

// `make bench-browser` says how long it takes; a keyframe that nobody asks for would take longer than this.
const SOON_MS = 3000;

test("who joins late has a picture of everyone soon after being connected", async (stage) => {
  const server = await stage.start();
  const alice = await stage.join("alice", server);
  const bob = await stage.join("bob", server);
  await alice.sees(bob);
  await bob.sees(alice);

  const canvas = await alice.canvas(bob);

  const carol = await stage.person("carol");
  const ms = await carol.joinAndTimePictures(server, [alice, bob]);
  assert.ok(ms <= SOON_MS, `it took ${ms} ms`);
  await carol.sees(alice);
  await carol.sees(bob);
  assert.ok(await canvas.evaluate((element) => element.isConnected), "alice's page has made bob's tile anew");
});
