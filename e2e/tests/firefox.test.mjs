import { test } from "../harness/stage.mjs";
import { until } from "../harness/until.mjs";

for (const transport of ["web_transport", "web_socket"]) {
  test(`Firefox and Chromium see and hear each other over ${transport}`, async (stage) => {
    const server = await stage.start();
    const frida = await stage.join("frida", server, { transport });
    const alice = await stage.join("alice", server, { transport });
    await seeAndHear(frida, alice, transport);
  });
}

test("two people in Firefox see and hear each other", async (stage) => {
  const server = await stage.start();
  const frida = await stage.join("frida", server);
  const felix = await stage.join("felix", server);
  await seeAndHear(frida, felix, "web_transport");
});

test("Firefox sends a camera in layers, and gets those of others in the size of its tile", async (stage) => {
  const server = await stage.start();
  const frida = await stage.join("frida", server);
  const [alice, bob] = [await stage.join("alice", server), await stage.join("bob", server)];
  await alice.page.setViewportSize({ width: 340, height: 236 });
  await bob.page.setViewportSize({ width: 1000, height: 800 });
  await alice.press("Turn camera off");
  await until("frida is small for alice and larger for bob", 15_000, async () => {
    const seen = [await alice.rowsOf(frida), await bob.rowsOf(frida)];
    return { ok: seen[0] === 180 && seen[1] > 180, seen };
  });
  for (const person of [alice, bob]) await person.sees(frida, { frames: 5 });
  // Its encoders would take the time that receiving needs.
  await frida.press("Turn camera off");
  for (const [viewport, rows] of [[{ width: 340, height: 236 }, 180], [{ width: 1000, height: 800 }, 360]]) {
    await frida.page.setViewportSize(viewport);
    await until(`bob has ${rows} rows for frida`, 20_000, async () => {
      const seen = await frida.rowsOf(bob);
      return { ok: seen === rows, seen };
    });
    await frida.sees(bob, { frames: 5 });
  }
});

test("the camera goes on when another tab is in front of Firefox", async (stage) => {
  const server = await stage.start();
  const frida = await stage.join("frida", server);
  const alice = await stage.join("alice", server);
  await alice.sees(frida);
  await frida.openTabInFront();
  await alice.sees(frida);
});

test("Firefox is back in the call when the server is", async (stage) => {
  const server = await stage.start();
  const frida = await stage.join("frida", server);
  const alice = await stage.join("alice", server);
  await alice.sees(frida);
  for (const person of [frida, alice]) person.expectNetworkErrors();
  await server.kill();
  await until("Frida is told that the connection is lost", 15_000, async () => {
    const seen = await frida.call();
    return { ok: seen?.connection === "reconnecting", seen };
  });
  await server.start();
  for (const person of [frida, alice]) await person.connected();
  await alice.sees(frida);
  await frida.hears(alice);
});

async function seeAndHear(one, other, transport) {
  for (const [a, b] of [[one, other], [other, one]]) {
    await a.connected({ transport });
    // Two browsers that try one encoder after the other have little time left for anything else.
    await a.sees(b, { within: 15_000 });
    await a.hears(b);
  }
}
