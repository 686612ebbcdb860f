import { hum, longestPause, longestSilence, notePauses, whileBlocked } from "../harness/busy.mjs";
import { selectorOf } from "../harness/participant.mjs";
import { longestFreeze } from "../harness/probes.mjs";
import { test } from "../harness/stage.mjs";
import { until } from "../harness/until.mjs";

// The page is blocked five times in it.
const WINDOW_MS = 3000;
// 100 ms besides the 67 ms between two pictures of the camera.
const FREEZE_MS = 167;
// Less than one packet.
const SILENCE_MS = 15;

for (const transport of ["web_transport", "web_socket"]) {
  test(`a page that is busy holds up neither what it sends nor what it gets (${transport})`, async (stage) => {
    const server = await stage.start();
    const alice = await stage.person("alice");
    await alice.captures("audio", hum);
    await alice.join(server, { transport });
    const bob = await stage.person("bob");
    await bob.prepareEngine(notePauses);
    await bob.join(server, { transport });
    await bob.sees(alice);

    const selector = selectorOf(alice, "camera");
    const holds = (what, measure) =>
      until(what, 20_000, async () => {
        const [stillness, silence] = await Promise.all([measure(), bob.page.evaluate(longestSilence, { ms: WINDOW_MS })]);
        return { ok: stillness <= FREEZE_MS && silence <= SILENCE_MS, seen: { stillness, silence } };
      });
    await whileBlocked(alice, () =>
      holds("what Alice sends goes on", () => bob.page.evaluate(longestFreeze, { selector, ms: WINDOW_MS })),
    );
    await whileBlocked(bob, () =>
      holds("what Bob gets goes on", () => bob.page.evaluate(longestPause, { ms: WINDOW_MS })),
    );
  });
}
