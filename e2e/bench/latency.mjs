// How old a picture is when it reaches the other side's canvas, over each transport and over bad networks. What counts: from
// drawing a picture that carries the time to the animation frame in which the other side's canvas has it. That includes up
// to one animation frame (17 ms) of waiting.
import { both, impairedProxy } from "../harness/impaired.mjs";
import { selectorOf } from "../harness/participant.mjs";
import { videocallServer } from "../harness/servers.mjs";
import { readTimecodes, timecode } from "../harness/timecode.mjs";
import { TRANSPORTS, withBrowsers, withPerson, withServer } from "./people.mjs";
import { percentile } from "./tables.mjs";

// One way, and in both directions.
const NETWORKS = [
  { name: "loopback", conditions: {} },
  ...[0, 2, 5].map((loss) => ({ name: `20 ms each way, ${loss} % loss`, conditions: { delay_ms: 20, loss_percent: loss } })),
];
const ROUNDS = 2; // in turns, so that all meet the same noise
const SETTLING_MS = 10_000;
const MEASURED_MS = 8000;
const MIN_SAMPLES = 20;

/** A row for each network and transport. */
export async function latency() {
  const proxy = await impairedProxy();
  try {
    return await withBrowsers(["alice", "bob"], (browsers) =>
      withServer(videocallServer(proxy.settings), async (server) => {
        const far = await proxy.leadTo(server);
        const ages = new Map();
        for (let round = 0; round < ROUNDS; round++) {
          for (const { name, conditions } of NETWORKS) {
            await proxy.change({ udp: both(conditions), tcp: both(conditions) });
            for (const transport of Object.keys(TRANSPORTS)) {
              const key = `${name} ${transport}`;
              const seen = await measure(server, far, browsers, transport);
              ages.set(key, [...(ages.get(key) ?? []), ...seen]);
            }
          }
        }
        return NETWORKS.flatMap(({ name }) =>
          Object.entries(TRANSPORTS).map(([transport, title]) => row(name, title, ages.get(`${name} ${transport}`))),
        );
      }),
    );
  } finally {
    proxy.close();
  }
}

/** Ages in milliseconds of the pictures that came to bob, who alone is behind the bad network, in one call of its own. */
function measure(server, far, browsers, transport) {
  return withPerson("alice", browsers.alice, (alice) =>
    withPerson("bob", browsers.bob, async (bob) => {
      await alice.captures("video", timecode);
      await alice.join(server, { transport: "web_socket" });
      await bob.join(transport === "web_socket" ? far : server, { transport, within: 20_000 });
      await bob.connected({ transport });
      const selector = selectorOf(alice, "camera");
      await bob.page.evaluate(readTimecodes, { selector, ms: SETTLING_MS }); // until the jitter buffer has settled
      return (await bob.page.evaluate(readTimecodes, { selector, ms: MEASURED_MS })).ages;
    }),
  );
}

function row(network, transport, ages) {
  if (ages.length < MIN_SAMPLES) throw new Error(`${network}, ${transport}: only ${ages.length} pictures could be read`);
  return {
    network,
    transport,
    p50: `${percentile(ages, 0.5)} ms`,
    p95: `${percentile(ages, 0.95)} ms`,
    "pictures per second": (ages.length / ((ROUNDS * MEASURED_MS) / 1000)).toFixed(1),
  };
}
