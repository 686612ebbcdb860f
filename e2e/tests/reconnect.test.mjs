import { test } from "../harness/stage.mjs";
import { until } from "../harness/until.mjs";

const BACK_MS = 5000;

for (const transport of ["web_transport", "web_socket"]) {
  test(`a killed server that comes back has the call back within 5 s (${transport})`, async (stage) => {
    const server = await stage.start();
    const alice = await stage.join("alice", server, { transport });
    const bob = await stage.join("bob", server, { transport });
    await alice.sees(bob);
    await bob.sees(alice);

    for (const person of [alice, bob]) person.expectNetworkErrors();
    await server.kill();
    await Promise.all([alice, bob].map(noticesTheLoss));

    const up = await server.start();
    await Promise.all([isBack(alice, bob, transport, up), isBack(bob, alice, transport, up)]);
    await alice.hears(bob);
    await bob.hears(alice);
  });
}

function noticesTheLoss(person) {
  return until(`${person.name} is told that the connection is lost`, 10_000, async () => {
    const call = await person.call();
    return { ok: call?.connection === "reconnecting", seen: call };
  });
}

async function isBack(one, other, transport, since) {
  await one.connected({ transport, within: BACK_MS, since });
  await one.sees(other, { frames: 3, within: BACK_MS, since });
}
