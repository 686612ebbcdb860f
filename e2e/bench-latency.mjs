// Capture-to-canvas latency between two Chromium on this machine, over both transports.
//   node e2e/bench-latency.mjs [--seconds N]
// What counts: from drawing a picture that carries the time to the animation frame in which the other side's canvas has it.
// That includes up to one animation frame (17 ms) of waiting. It fails only when nothing could be measured.
import { parseArgs } from "node:util";

import { launchFor } from "./harness/browser.mjs";
import { Participant } from "./harness/participant.mjs";
import { videocallServer } from "./harness/servers.mjs";
import { readTimecodes, showTimecode } from "./harness/timecode.mjs";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "10" } } });
const ROUNDS = 2; // alternating, so that both transports meet the same noise
const MIN_SAMPLES = 20;
// Painting the rest of the page is not what is measured, and without a GPU it costs much.
const VIEWPORT = { width: 640, height: 480 };

const server = videocallServer();
const browsers = await Promise.all([launchFor("alice"), launchFor("bob")]);
const ages = { web_transport: [], web_socket: [] };
try {
  await server.start();
  for (let round = 0; round < ROUNDS; round++) {
    for (const transport of Object.keys(ages)) ages[transport].push(...(await measure(transport)));
  }
} finally {
  await Promise.all([...browsers.map((browser) => browser.close()), server.kill()]);
}

const results = Object.entries(ages).map(([transport, samples]) => {
  if (samples.length < MIN_SAMPLES) throw new Error(`${transport}: only ${samples.length} pictures could be read`);
  samples.sort((a, b) => a - b);
  return { transport, p50_ms: percentile(samples, 0.5), p95_ms: percentile(samples, 0.95), samples: samples.length };
});
console.table(results);
console.log(JSON.stringify(results));

/** Ages in milliseconds of the pictures that arrived, in one call of its own. */
async function measure(transport) {
  const contexts = await Promise.all(browsers.map((browser) => browser.newContext({ viewport: VIEWPORT })));
  try {
    const [alice, bob] = await Promise.all(
      ["alice", "bob"].map(async (name, i) => new Participant(name, await contexts[i].newPage())),
    );
    await alice.page.addInitScript(showTimecode);
    await alice.join(server, { transport });
    await bob.join(server, { transport });
    await Promise.all([alice, bob].map((person) => person.connected({ transport })));
    const selector = '[data-user="alice"][data-track="camera"]';
    await bob.page.evaluate(readTimecodes, { selector, ms: 3000 }); // until the jitter buffer has settled
    const seen = await bob.page.evaluate(readTimecodes, { selector, ms: (Number(values.seconds) * 1000) / ROUNDS });
    return seen.ages;
  } finally {
    await Promise.all(contexts.map((context) => context.close()));
  }
}

function percentile(sorted, fraction) {
  return Math.round(sorted[Math.floor(fraction * (sorted.length - 1))]);
}
