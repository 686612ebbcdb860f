import { closedUdpPort, silentUdpPort, videocallServer } from "../harness/servers.mjs";
import { test } from "../harness/stage.mjs";
import { Stopwatch } from "../harness/until.mjs";

test("WebSocket carries the call when the WebTransport port is closed", async (stage) => {
  await callOverWebSocket(stage, await closedUdpPort());
});

test("WebSocket carries the call when a firewall swallows WebTransport", async (stage) => {
  const firewall = await silentUdpPort();
  try {
    await callOverWebSocket(stage, firewall.port);
  } finally {
    await firewall.close();
  }
});

test("one on WebTransport and one on WebSocket meet", async (stage) => {
  const server = await stage.start();
  const alice = await stage.join("alice", server);
  const bob = await stage.join("bob", server, { transport: "web_socket" });
  await alice.connected({ transport: "web_transport" });
  await bob.connected({ transport: "web_socket" });
  for (const [one, other] of [[alice, bob], [bob, alice]]) {
    await one.sees(other);
    await one.hears(other);
  }
});

async function callOverWebSocket(stage, deadPort) {
  const server = await stage.start(videocallServer({ WEBTRANSPORT_PUBLIC_URL: `https://127.0.0.1:${deadPort}` }));
  const alice = await stage.person("alice");
  alice.expectNetworkErrors();
  await alice.join(server);

  const bob = await stage.person("bob");
  bob.expectNetworkErrors();
  const opened = new Stopwatch();
  await bob.join(server, { since: opened, within: 3000 });
  await bob.sees(alice, { frames: 2, since: opened, within: 3000 });

  for (const [one, other] of [[alice, bob], [bob, alice]]) {
    await one.connected({ transport: "web_socket" });
    await one.sees(other);
    await one.hears(other);
  }
}
