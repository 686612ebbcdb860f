// A meeting of 25: 23 people without a browser who publish what one has encoded, alice, and bob, who looks.
import assert from "node:assert/strict";

import { isPictureOfClip } from "../harness/clip.mjs";
import { isPictureOf } from "../harness/media.mjs";
import { watchTiles } from "../harness/probes.mjs";
import { packetsPerSecond } from "../harness/servers.mjs";
import { test } from "../harness/stage.mjs";
import { until } from "../harness/until.mjs";

const GUESTS = 23;
const SPEAKERS = 3;
// Of the guests' cameras and microphones, per second.
const [CAMERA, MICROPHONE] = [15, 50];
// In the usual viewport there is a place for everybody, in this one for one of two pages.
const SMALL = { width: 480, height: 400 };
const SMALLEST_LAYER = 180;
const LARGE_LAYER = 720;
// Of a camera on stage, in the usual viewport.
const STAGE_LAYER = 360;
// A machine with two cores has 25 cameras to decode.
const SLOW = 20_000;
const LONG = { timeout: 150_000 };

test("in a meeting of 25 everybody moves, and only what is looked at is sent, as large as it is shown", async (stage) => {
  const server = await stage.start();
  const guests = await stage.guests(server, GUESTS, { speakers: SPEAKERS });
  const alice = await stage.join("alice", server);
  await alice.press("Mute");
  await alice.hide();
  await areSent(guests, []);
  const bob = await stage.join("bob", server);
  const people = [...guests.people.map(({ user }) => user), "alice"].sort();

  await movesInSmallestLayer(bob, guests, people);
  await areSent(guests, people);
  await areVoices(bob, guests);
  await stage.screenshot(bob, "25 people");

  await pinned(bob, guests.people.at(1).user);

  // What is on stage comes in its large layer, people beside it in their smallest.
  const presenter = guests.people.at(-1);
  await guests.share(presenter.user);
  await until("a screen in its large layer", SLOW, async () => {
    const seen = (await bob.page.evaluate(watchTiles, { track: "screen", ms: 1000 }))[presenter.user];
    return { ok: seen?.rows === LARGE_LAYER && seen.distinct >= 3, seen };
  });
  await movesInSmallestLayer(bob, guests);
  await guests.share();
  await bob.loses(presenter, { track: "screen", within: 5000 });

  await bob.page.setViewportSize(SMALL);
  await bob.page.getByText("1/2").waitFor();
  const first = (await bob.usersWithTile()).sort();
  await movesInSmallestLayer(bob, guests, first);
  await areSent(guests, first);
  await areDecoded(bob, first);

  await bob.press("Next page");
  await bob.page.getByText("2/2").waitFor();
  const second = (await bob.usersWithTile()).sort();
  assert.deepEqual([...first, ...second].sort(), people, "everybody is on one of two pages");
  await movesInSmallestLayer(bob, guests, second);
  await areSent(guests, second);
  await areDecoded(bob, second);
  await relayGets(server, second.length);
}, LONG);

/** Waits until these people, or all who have a tile, have pictures of their own that move, in the smallest layer. */
function movesInSmallestLayer(person, guests, users) {
  const clips = new Map(guests.people.map(({ user, clip }) => [user, clip]));
  const isGood = ([user, seen]) =>
    seen.distinct >= 4 &&
    seen.rows === SMALLEST_LAYER &&
    (clips.has(user) ? isPictureOfClip(clips.get(user), seen) : isPictureOf(user, { ...seen, drift: 0 }));
  return until(`all tiles of ${person.name} move`, SLOW, async () => {
    const seen = await person.page.evaluate(watchTiles, { track: "camera", ms: 2000 });
    const shown = Object.keys(seen).sort();
    const bad = Object.entries(seen).filter((tile) => !isGood(tile));
    const isEverybody = users === undefined ? shown.length > 0 : `${users}` === `${shown}`;
    return { ok: isEverybody && bad.length === 0, seen: { shown, bad } };
  });
}

/** Pins somebody, who then comes larger while all others stay in the smallest layer, and lets them go again. */
async function pinned(person, user) {
  const press = (name) => person.page.getByRole("button", { name, exact: true }).click();
  await press(`Pin ${user}`);
  await until(`${user} is large`, SLOW, async () => {
    const seen = await person.page.evaluate(watchTiles, { track: "camera", ms: 1000 });
    const others = Object.keys(seen).filter((other) => other !== user);
    const ok = seen[user]?.rows === STAGE_LAYER && seen[user].distinct >= 3 && others.length > 0;
    return { ok: ok && others.every((other) => seen[other].rows === SMALLEST_LAYER), seen };
  });
  await press(`Unpin ${user}`);
}

/** Waits until exactly those guests who are among these send their cameras, and nothing but the smallest layer. */
function areSent(guests, users) {
  return until(`${users.length} cameras are sent`, SLOW, async () => {
    const sent = (await guests.status()).filter(({ layers }) => layers.length > 0);
    const wanted = users.filter((user) => user !== "alice");
    const right = `${sent.map(({ user }) => user).sort()}` === `${wanted}` && sent.every(({ layers }) => `${layers}` === "0");
    return { ok: right, seen: sent.map(({ user, layers }) => `${user}: ${layers}`) };
  });
}

/** Waits until the diagnostics say that exactly their pictures are decoded. */
async function areDecoded(person, users) {
  await person.press("Diagnostics");
  await until(`${users.length} cameras are decoded`, SLOW, async () => {
    const seen = await person.page.evaluate(() => {
      const names = document.querySelectorAll("[data-numbers-from]");
      const decoded = [...names].filter((from) => {
        const fps = from.querySelector('[data-numbers-of="camera"] [data-reading="fps"]');
        return Number(fps?.dataset.value) > 0;
      });
      return decoded.map((from) => from.querySelector("h3").textContent).sort();
    });
    return { ok: `${seen}` === `${users}`, seen };
  });
  await person.press("Close diagnostics");
}

/** Waits until exactly the guests who speak are heard. */
function areVoices(person, guests) {
  const speakers = guests.people.slice(0, SPEAKERS).map(({ user }) => user);
  return until(`${person.name} hears those who speak`, SLOW, async () => {
    const seen = await person.page.evaluate(async () => {
      const heard = new Set();
      const end = performance.now() + 1000;
      while (performance.now() < end) {
        for (const { dataset } of document.querySelectorAll("[data-user]:not([data-self])")) {
          if (Number(dataset.level) > 0.02) heard.add(dataset.user);
        }
        await new Promise(requestAnimationFrame);
      }
      return [...heard].sort();
    });
    return { ok: `${seen}` === `${speakers}`, seen };
  });
}

/** Waits for a second in which the relay gets no more packets than so many cameras and the rest of the meeting make. */
function relayGets(server, cameras) {
  // Heartbeats, probes and reports.
  const rest = 8 * (GUESTS + 2);
  const most = 1.1 * (cameras * CAMERA + SPEAKERS * MICROPHONE + rest);
  return until(`the relay gets ${cameras} cameras`, SLOW, async () => {
    const seen = await packetsPerSecond(server);
    return { ok: seen <= most, seen: { packets: Math.round(seen), most } };
  });
}
