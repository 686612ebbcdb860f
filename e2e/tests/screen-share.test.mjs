import assert from "node:assert/strict";

import { drawSlide, showSlides, watchSlide } from "../harness/slides.mjs";
import { test } from "../harness/stage.mjs";
import { until } from "../harness/until.mjs";

test("a shared screen appears beside the camera and goes away", async (stage) => {
  const server = await stage.start();
  const alice = await stage.join("alice", server);
  const bob = await stage.join("bob", server);
  await bob.sees(alice);

  await alice.press(/^Share screen/);
  await bob.sees(alice, { track: "screen", frames: 2 });
  await bob.sees(alice, { track: "camera" });

  await alice.press(/^Stop sharing$/);
  await bob.loses(alice, { track: "screen", within: 1000 });
  await bob.sees(alice, { track: "camera" });
});

test("who joins during a screen share sees it", async (stage) => {
  const server = await stage.start();
  const alice = await stage.join("alice", server);
  await alice.press(/^Share screen/);
  const bob = await stage.join("bob", server);
  await bob.sees(alice, { track: "screen", frames: 2 });
  await bob.sees(alice, { track: "camera" });
});

// Chromium's fake screen sounds like the fake microphone.
test("a shared screen is heard, and its sound ends with it", async (stage) => {
  const server = await stage.start();
  const alice = await stage.join("alice", server);
  const bob = await stage.join("bob", server);
  await alice.press(/^Mute/);
  await bob.hearsNothingOf(alice);

  await alice.press(/^Share screen/);
  await bob.sees(alice, { track: "screen", frames: 2 });
  await bob.hearsScreenOf(alice);
  assert.equal((await bob.tile(alice)).muted, "true", "it is not her microphone");

  await alice.press(/^Stop sharing$/);
  await bob.hearsNothingOf(alice);
});

test("a viewer zooms into a shared screen and fills the display with it", async (stage) => {
  const server = await stage.start();
  const alice = await stage.join("alice", server);
  const bob = await stage.join("bob", server);
  await alice.press(/^Share screen/);
  await bob.sees(alice, { track: "screen", frames: 2 });
  const tile = bob.page.locator('[data-user="alice"][data-track="screen"]');
  const view = () => tile.evaluate((tile) => {
    const canvas = tile.querySelector("canvas");
    const room = canvas.parentElement;
    const { width, height } = canvas.getBoundingClientRect();
    return {
      actual: width === canvas.width && height === canvas.height,
      scrolls: room.scrollWidth > room.clientWidth && room.scrollHeight > room.clientHeight,
      full: document.fullscreenElement === tile && tile.clientWidth === window.innerWidth,
    };
  });
  const becomes = (wanted) => until(`the view is ${JSON.stringify(wanted)}`, 3000, async () => {
    const seen = await view();
    return { ok: Object.entries(wanted).every(([key, value]) => seen[key] === value), seen };
  });
  await becomes({ actual: false, scrolls: false, full: false });

  await bob.press(/^Zoom to actual size$/);
  await becomes({ actual: true, scrolls: true });
  await bob.sees(alice, { track: "screen", frames: 2 });
  await bob.press(/^Fit the screen in$/);
  await becomes({ actual: false, scrolls: false });

  await tile.dblclick();
  await becomes({ full: true });
  await bob.press(/^Leave full screen$/);
  await becomes({ full: false });

  await tile.focus();
  await bob.page.keyboard.press("z");
  await becomes({ actual: true });
  await bob.page.keyboard.press("f");
  await becomes({ full: true, actual: true });
  await bob.page.keyboard.press("f");
  await becomes({ full: false });
});

// Slides that change seldom and then not at all. Blurred they are at 20 to 28 dB, sharp at 32 to 34.
test("slides full of text are sharp soon after they are turned", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  const draw = drawSlide.toString();
  await alice.page.addInitScript(showSlides, { draw });
  await alice.join(server);
  const bob = await stage.join("bob", server);
  for (const person of [alice, bob]) await person.press(/^Turn camera off/);
  await alice.press(/^Share screen/);
  const selector = '[data-user="alice"][data-track="screen"]';
  await bob.page.waitForSelector(`${selector} [data-shown="true"]`);
  for (let n = 1; n <= 6; n++) {
    const turned = await alice.page.evaluate((slide) => globalThis.turnTo(slide), n);
    const seen = await bob.page.evaluate(watchSlide, { selector, draw, n, turned, ms: 2500 });
    const there = seen.find(({ psnr }) => psnr > 15);
    assert.ok(there && there.ms < 1500, `slide ${n}: ${JSON.stringify(seen)}`);
    const soon = seen.filter(({ ms }) => ms >= there.ms && ms <= there.ms + 500);
    assert.ok(Math.max(...soon.map(({ psnr }) => psnr)) >= 30, `slide ${n}: ${JSON.stringify(seen)}`);
  }
});

test("who joins while a slide stands still sees it, and sharp", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  const draw = drawSlide.toString();
  await alice.page.addInitScript(showSlides, { draw });
  await alice.join(server);
  await alice.press(/^Turn camera off/);
  await alice.press(/^Share screen/);
  await alice.page.evaluate(() => globalThis.turnTo(1));
  const bob = await stage.join("bob", server);
  const selector = '[data-user="alice"][data-track="screen"]';
  await bob.page.waitForSelector(`${selector} [data-shown="true"]`, { timeout: 3000 });
  const turned = await bob.page.evaluate(() => performance.timeOrigin + performance.now());
  const seen = await bob.page.evaluate(watchSlide, { selector, draw, n: 1, turned, ms: 1500 });
  assert.ok(Math.max(...seen.map(({ psnr }) => psnr)) >= 30, JSON.stringify(seen));
});
