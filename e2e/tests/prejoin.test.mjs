import assert from "node:assert/strict";

import { launchRefusing, launchWithoutDevices } from "../harness/browser.mjs";
import { test } from "../harness/stage.mjs";

const PHONE = { width: 360, height: 740 };

test("an invalid name in the URL leads to a page that says which characters are allowed", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  for (const path of ["/meeting/al%20ice/daily", "/meeting/alice/da.ily", `/meeting/alice/${"x".repeat(65)}`]) {
    await alice.page.goto(server.url + path);
    await alice.page.getByText(/letters a-z and A-Z, digits 0-9/).waitFor();
    assert.equal(await alice.page.getByRole("button", { name: /^Join/ }).count(), 0, path);
  }
});

test("without camera and microphone one joins anyway and is told so", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice", await launchWithoutDevices());
  await alice.open(server);
  await isTold(alice, /No camera.* found/);
  await alice.press(/^Join/);
  await alice.connected();
  const bob = await stage.join("bob", server);
  await bob.shows(alice, { camera: "false", muted: "true" });
  await alice.sees(bob);
});

test("who refuses camera and microphone is told what to do and can join", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice", await launchRefusing());
  await alice.open(server);
  await isTold(alice, /may not use your camera.*Allow it/);
  await alice.press(/^Join/);
  await alice.connected();
  const bob = await stage.join("bob", server);
  await bob.shows(alice, { camera: "false", muted: "true" });
  await alice.sees(bob);
});

test("a camera that another program holds is named as the reason", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  await alice.page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("Device in use", "NotReadableError"));
  });
  await alice.open(server);
  await isTold(alice, /can't be started\. Close other programs/);
  await alice.press(/^Join/);
  await alice.connected();
});

test("a browser that lacks what a call needs is told so", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  await alice.page.addInitScript(() => {
    delete globalThis.VideoEncoder;
  });
  await alice.open(server);
  await alice.page.getByText("lacks video codecs").waitFor();
  assert.equal(await alice.page.getByRole("button", { name: /^Join/ }).count(), 0);
});

test("a server that cannot be reached is named, and joining works when it is back", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  await alice.open(server);
  await alice.page.getByRole("button", { name: /^Join/ }).waitFor();
  alice.expectNetworkErrors();
  await server.kill();
  await alice.press(/^Join/);
  await alice.page.getByText("The server can't be reached").waitFor();

  await server.start();
  await alice.press("Try again");
  await alice.connected();
});

test("joining and leaving work by keyboard alone", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  await alice.open(server);
  await pressByKeyboard(alice, /^Join/);
  await alice.connected();
  await pressByKeyboard(alice, /^Mute/);
  await alice.page.getByRole("button", { name: /^Unmute/ }).waitFor();
  await pressByKeyboard(alice, /^Leave/);
  await alice.page.locator("[data-connection]").waitFor({ state: "detached" });
});

for (const colorScheme of ["light", "dark"]) {
  test(`every page fits a phone of ${PHONE.width} px (${colorScheme})`, async (stage) => {
    const server = await stage.start();
    const alice = await stage.person("alice");
    await alice.page.setViewportSize(PHONE);
    await alice.page.emulateMedia({ colorScheme });

    await alice.page.goto(server.url);
    await alice.page.getByRole("textbox").first().waitFor();
    await fits(alice, stage, `home ${colorScheme}`);

    await alice.open(server);
    await alice.page.getByRole("button", { name: /^Join/ }).waitFor();
    await fits(alice, stage, `pre-join ${colorScheme}`);

    await alice.press(/^Join/);
    await alice.connected();
    const bob = await stage.join("bob", server);
    await alice.sees(bob);
    await fits(alice, stage, `call ${colorScheme}`);
  });
}

function isTold(person, text) {
  return person.page.getByRole("alert").filter({ hasText: text }).waitFor();
}

/** Tabs to the button and presses Enter. */
async function pressByKeyboard(person, name) {
  const button = person.page.getByRole("button", { name });
  await button.waitFor();
  for (let steps = 0; steps < 40; steps++) {
    if (await button.evaluate((element) => element === document.activeElement)) return person.page.keyboard.press("Enter");
    await person.page.keyboard.press("Tab");
  }
  assert.fail(`${name} cannot be reached with the Tab key`);
}

async function fits(person, stage, name) {
  await stage.screenshot(person, name);
  const width = await person.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= PHONE.width, `${name} is ${width} px wide`);
}
