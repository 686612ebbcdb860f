// How long it takes from pressing Join until somebody else's picture is there, over each transport.
import { timeToPictures } from "../harness/probes.mjs";
import { selectorOf } from "../harness/participant.mjs";
import { videocallServer } from "../harness/servers.mjs";
import { TRANSPORTS, withBrowsers, withPerson, withServer } from "./people.mjs";
import { percentile } from "./tables.mjs";

const ROUNDS = 15;

/** A row for each transport. */
export function joining() {
  return withBrowsers(["alice", "bob"], (browsers) =>
    withServer(videocallServer(), (server) =>
      withPerson("alice", browsers.alice, async (alice) => {
        await alice.join(server);
        const times = { web_transport: [], web_socket: [] };
        // In turns, so that both meet the same noise.
        for (let round = 0; round < ROUNDS; round++) {
          for (const transport of Object.keys(TRANSPORTS)) times[transport].push(await measure(server, browsers.bob, alice, transport));
        }
        return Object.entries(TRANSPORTS).map(([transport, name]) => row(name, times[transport]));
      }),
    ),
  );
}

/** Milliseconds. */
function measure(server, browser, alice, transport) {
  return withPerson("bob", browser, async (bob) => {
    await bob.open(server, { transport });
    await bob.page.getByRole("button", { name: /^Join/ }).waitFor();
    // Nobody presses it before the page has finished loading and starting the camera.
    await bob.page.waitForLoadState("networkidle");
    const time = bob.page.evaluate(timeToPictures, { selectors: [selectorOf(alice, "camera")], since: "pressed", ms: 20_000 });
    await bob.press(/^Join/);
    const ms = await time;
    if (ms === null) throw new Error(`${transport}: no picture`);
    await bob.connected({ transport });
    return ms;
  });
}

function row(transport, times) {
  return {
    transport,
    joins: times.length,
    p50: `${percentile(times, 0.5)} ms`,
    p95: `${percentile(times, 0.95)} ms`,
  };
}
