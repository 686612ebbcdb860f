import assert from "node:assert/strict";

import { test } from "../harness/stage.mjs";
import { until } from "../harness/until.mjs";

const PHONE = { width: 390, height: 844 };
const CAMERA = { width: 640, height: 360 }; // of harness/media.mjs

test("the diagnostics tell of the connection and of what others send, and copy it as a report", async (stage) => {
  const server = await stage.start();
  const alice = await stage.join("alice", server);
  const bob = await stage.join("bob", server);
  await alice.hears(bob);
  const { session } = await alice.tile(bob);

  await alice.press("Diagnostics");
  await shows(alice, session, { transport: "WebTransport (UDP)" });

  await alice.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await alice.press("Copy report");
  await alice.page.getByText("Report copied").waitFor();
  const report = JSON.parse(await alice.page.evaluate(() => navigator.clipboard.readText()));
  assert.equal(report.version, 1);
  assert.equal(report.connection, "connected");
  assert.equal(report.transport, "web_transport");
  assert.equal(report.session, (await alice.self()).session);
  assert.equal(report.features.web_transport, true);
  assert.ok(report.own.rtt_ms.now > 0, JSON.stringify(report.own));
  const [camera, microphone] = ["camera", "microphone"].map((name) =>
    report.tracks.find((track) => track.session === session && track.track === name),
  );
  assert.deepEqual({ width: camera.width, height: camera.height }, CAMERA);
  assert.ok(camera.numbers.fps.now > 0, JSON.stringify(camera));
  assert.ok(microphone.numbers.delay_ms.now > 0, JSON.stringify(microphone));
  assert.equal(camera.numbers.fps.minute.length, report.seconds_ago.length);
  assert.doesNotMatch(JSON.stringify(report), /alice|bob|daily/, "a report names nobody");
});

test("the diagnostics open and close by keyboard and give the focus back", async (stage) => {
  const server = await stage.start();
  const alice = await stage.join("alice", server);
  const button = alice.page.getByRole("button", { name: "Diagnostics", exact: true });
  const panel = alice.page.getByRole("complementary", { name: "Diagnostics" });
  assert.equal(await button.getAttribute("aria-expanded"), "false");

  await button.press("Enter");
  await panel.waitFor();
  assert.equal(await button.getAttribute("aria-expanded"), "true");
  await hasFocus(alice.page.getByRole("button", { name: "Close diagnostics" }));

  await alice.page.keyboard.press("Escape");
  await panel.waitFor({ state: "detached" });
  assert.equal(await button.getAttribute("aria-expanded"), "false");
  await hasFocus(button);
});

test(`over WebSocket the diagnostics say so, and they fit a phone of ${PHONE.width} px`, async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  await alice.page.setViewportSize(PHONE);
  await alice.join(server, { transport: "web_socket" });
  const bob = await stage.join("bob", server);
  await alice.sees(bob);
  const { session } = await alice.tile(bob);

  await alice.press("Diagnostics");
  await shows(alice, session, { transport: "WebSocket (TCP)" });
  await stage.screenshot(alice, "diagnostics phone");
  const width = await alice.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= PHONE.width, `the page is ${width} px wide`);

  await alice.press("Close diagnostics");
  await alice.sees(bob);
});

/** Waits until the panel has the transport, a round trip, and the camera and the sound of that session. */
function shows(person, session, { transport }) {
  const resolution = `${CAMERA.width} × ${CAMERA.height}`;
  return until(`${person.name} has diagnostics`, 10_000, async () => {
    const seen = await person.page.evaluate(readPanel, session);
    const { own, camera, microphone } = seen;
    const known = own.rtt_ms > 0 && own.received_bps > 0 && camera.fps > 0 && microphone.bps > 0;
    return { ok: known && seen.transport === transport && seen.resolution === resolution, seen };
  });
}

/** Run in the page. */
function readPanel(session) {
  const text = (selector) => document.querySelector(selector)?.textContent;
  const readings = (selector) => {
    const found = document.querySelectorAll(`${selector} [data-reading]`);
    return Object.fromEntries([...found].map(({ dataset }) => [dataset.reading, Number(dataset.value)]));
  };
  const track = (name) => `[data-numbers-from="${session}"] [data-numbers-of="${name}"]`;
  return {
    transport: text("[data-transport-name]"),
    resolution: text(`${track("camera")} [data-resolution]`),
    own: readings("section:first-child > .readings"),
    camera: readings(track("camera")),
    microphone: readings(track("microphone")),
  };
}

async function hasFocus(locator) {
  await until("the focus", 1000, async () => ({
    ok: await locator.evaluate((element) => element === document.activeElement),
    seen: await locator.page().evaluate(() => document.activeElement?.outerHTML.slice(0, 200)),
  }));
}
