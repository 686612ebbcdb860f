import assert from "node:assert/strict";

import { launchWithoutDevices } from "../harness/browser.mjs";
import { packetsPerSecond } from "../harness/servers.mjs";
import { test } from "../harness/stage.mjs";
import { Stopwatch, until } from "../harness/until.mjs";

// A camera gives 15 pictures a second; probes and heartbeats of two people are 4 packets.
const WITH_CAMERA = 12;
// There is room for oneself, one more and the buttons.
const TINY = { width: 340, height: 236 };

test("a camera that nobody can see is not sent, and is back when somebody looks", async (stage) => {
  const server = await stage.start();
  const alice = await stage.join("alice", server);
  const bob = await stage.join("bob", server);
  await alice.sees(bob);
  // Bob's camera is the only thing that is sent.
  await alice.press("Turn camera off");
  await alice.press("Mute");
  await bob.press("Mute");
  await until("bob's camera is sent", 2000, () => sent(server, (packets) => packets >= WITH_CAMERA));

  const hidden = new Stopwatch();
  await alice.hide();
  await until("bob's camera is not sent", 2000, () => sent(server, (packets) => packets < WITH_CAMERA), hidden);
  await bob.press("Unmute");
  await alice.hears(bob);

  const shown = new Stopwatch();
  await alice.show();
  await alice.sees(bob, { within: 3000, since: shown });
});

test("a small tile has a small picture, and a large one a large picture", async (stage) => {
  const server = await stage.start();
  const alice = await stage.join("alice", server);
  const bob = await stage.join("bob", server);
  await alice.sees(bob);
  const canvas = await alice.canvas(bob);
  const large = alice.page.viewportSize();
  for (const [viewport, rows] of [[TINY, 180], [large, 360]]) {
    await alice.page.setViewportSize(viewport);
    await until(`bob's picture has ${rows} rows`, 5000, async () => {
      const seen = await canvas.evaluate((element) => element.height);
      return { ok: seen === rows, seen };
    });
    await alice.sees(bob, { frames: 5 });
  }
});

test("each viewer gets a camera in the size of its own tile", async (stage) => {
  const server = await stage.start();
  const alice = await stage.join("alice", server);
  const bob = await stage.join("bob", server);
  const carol = await stage.join("carol", server);
  await alice.page.setViewportSize(TINY);
  await carol.page.setViewportSize({ width: 1000, height: 800 });
  for (const person of [alice, carol]) await person.press("Turn camera off");
  await until("bob's picture is small for alice and larger for carol", 8000, async () => {
    const seen = [await alice.rowsOf(bob), await carol.rowsOf(bob)];
    return { ok: seen[0] === 180 && seen[1] > 180, seen };
  });
  for (const person of [alice, carol]) await person.sees(bob, { frames: 5 });
});

test("who has no tile is on another page, and on the first one as soon as they speak", async (stage) => {
  const server = await stage.start();
  // Whoever speaks would come to the first page.
  const alice = await stage.join("alice", server, { muted: true });
  const bob = await stage.join("bob", server, { muted: true });
  const carol = await stage.join("carol", server, { muted: true });
  const dave = await stage.person("dave", await launchWithoutDevices());
  await dave.join(server);

  await alice.page.setViewportSize(TINY);
  const pages = [];
  for (const page of ["1/3", "2/3", "3/3"]) {
    await alice.page.getByText(page).waitFor();
    pages.push(...(await alice.usersWithTile()));
    await alice.press("Next page");
  }
  await alice.page.getByText("1/3").waitFor();
  assert.deepEqual(pages.sort(), ["bob", "carol", "dave"]);

  for (const other of [bob, carol]) {
    await until(`a page with ${other.name}`, 2000, async () => {
      if (await alice.tile(other)) return true;
      await alice.press("Previous page");
    });
    await alice.sees(other, { frames: 5, within: 3000 });
  }

  await until("the first page", 2000, async () => {
    if (await alice.page.getByText("1/3").isVisible()) return true;
    await alice.press("Previous page");
  });
  for (const other of [bob, carol]) {
    await other.press("Unmute");
    await until(`${other.name} on the first page`, 3000, () => alice.tile(other));
    await alice.sees(other, { frames: 5, within: 3000 });
    await other.press("Mute");
  }
});

/** Whether the packets that the server gets in a second are as they should be. */
async function sent(server, ok) {
  const packets = await packetsPerSecond(server);
  return { ok: ok(packets), seen: packets };
}
