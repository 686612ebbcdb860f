import { test } from "../harness/stage.mjs";

test("a shared screen appears beside the camera and goes away", async (stage) => {
  const server = await stage.start();
  const alice = await stage.join("alice", server);
  const bob = await stage.join("bob", server);
  await bob.sees(alice);

  await alice.press(/^Share screen/);
  await bob.sees(alice, { track: "screen", frames: 2 });
  await bob.sees(alice, { track: "camera" });

  await alice.press(/^Stop sharing$/);
  await bob.loses(alice, { track: "screen", within: 1000 });
  await bob.sees(alice, { track: "camera" });
});

test("who joins during a screen share sees it", async (stage) => {
  const server = await stage.start();
  const alice = await stage.join("alice", server);
  await alice.press(/^Share screen/);
  const bob = await stage.join("bob", server);
  await bob.sees(alice, { track: "screen", frames: 2 });
  await bob.sees(alice, { track: "camera" });
});
