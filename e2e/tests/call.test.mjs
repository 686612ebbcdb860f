import { test } from "../harness/stage.mjs";

test("two people see and hear each other over WebTransport", async (stage) => {
  const server = await stage.start();
  const alice = await stage.join("alice", server);
  const bob = await stage.join("bob", server);
  for (const [one, other] of [[alice, bob], [bob, alice]]) {
    await one.connected({ transport: "web_transport" });
    await one.sees(other);
    await one.hears(other);
  }
});

test("a muted microphone is silent and can be opened again", async (stage) => {
  const server = await stage.start();
  const alice = await stage.join("alice", server);
  const bob = await stage.join("bob", server);
  await bob.hears(alice);

  await alice.press(/^Mute/);
  await bob.hearsNothingOf(alice);

  await alice.press(/^Unmute/);
  await bob.hears(alice);
});

test("people in different meetings neither see nor hear each other", async (stage) => {
  const server = await stage.start();
  const alice = await stage.join("alice", server, { meeting: "daily" });
  const bob = await stage.join("bob", server, { meeting: "Daily" });
  // She shows that the meeting works, without covering up Bob's voice.
  const carol = await stage.join("carol", server, { meeting: "daily" });
  await carol.press("Mute");
  await alice.sees(carol);
  await alice.hearsNothingOf(bob);
  await bob.hearsNothingOf(alice);
  await alice.loses(bob, { within: 0 });
  await bob.loses(alice, { within: 0 });
});
