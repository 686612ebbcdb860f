import { withProxy, BLACK_HOLE, both } from "../harness/impaired.mjs";
import { test } from "../harness/stage.mjs";
import { Stopwatch } from "../harness/until.mjs";

const NONE = { trouble: undefined };

test("a picture that can't be decoded: the tile says so, and moves again afterwards; nothing else suffers", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  await alice.prepareEngine(corruptOnDemand);
  await alice.join(server);
  const bob = await stage.join("bob", server);
  const carol = await stage.join("carol", server);
  await bob.sees(alice);
  await bob.sees(carol);
  await bob.shows(alice, NONE);

  await corrupt(alice, true);
  await bob.shows(alice, { trouble: "undecodable" }, { within: 6000 });
  await bob.page.getByText("The picture can't be decoded").waitFor();
  await bob.hears(alice);
  await bob.sees(carol);
  await bob.shows(carol, NONE);
  await alice.sees(bob);

  const healed = new Stopwatch();
  await corrupt(alice, false);
  await bob.sees(alice, { since: healed });
  await bob.shows(alice, NONE, { within: 6000, since: healed });
});

test("a sender whose network is gone: the tile waits for the picture, until it moves again", async (stage) => {
  await withProxy(stage, async ({ proxy, server, far }) => {
    const bob = await stage.join("bob", server, { transport: "web_socket" });
    const alice = await stage.join("alice", far);
    await bob.sees(alice);
    alice.expectNetworkErrors();

    await proxy.change({ udp: both(BLACK_HOLE), tcp: both(BLACK_HOLE) });
    await bob.shows(alice, { trouble: "sender_stalled" }, { within: 7000 });
    await proxy.change({ udp: both({}), tcp: both({}) });
    const back = new Stopwatch();
    await bob.sees(alice, { within: 10_000, since: back });
    await bob.shows(alice, NONE, { within: 12_000, since: back });
  });
});

/** Run in the engine: what its encoders make is spoiled while `corrupts` is set. */
function corruptOnDemand() {
  const copyTo = EncodedVideoChunk.prototype.copyTo;
  EncodedVideoChunk.prototype.copyTo = function (target) {
    copyTo.call(this, target);
    if (globalThis.corrupts) new Uint8Array(target.buffer ?? target, target.byteOffset ?? 0, this.byteLength).fill(0xff);
  };
}

async function corrupt(person, on) {
  await person.engine().evaluate((on) => void (globalThis.corrupts = on), on);
}
