// One person in one page: what they do, and what they see and hear.
import assert from "node:assert/strict";

import { PEOPLE, isPictureOf, isPictureOfScreen } from "./media.mjs";
import { listen, tapSpeakers, timeToPictures, watchCanvas } from "./probes.mjs";
import { Stopwatch, until } from "./until.mjs";

// A beep arrives at -15 to -25 dB of its pitch; what leaks into a pitch from elsewhere stays below -70 dB.
const AUDIBLE = { tone: -45, level: 0.02 };
const SILENT = { tone: -65, level: 0.005 };
const NETWORK_ERROR =
  /net::ERR_|WebSocket connection to .* failed|Failed to establish a connection|Failed to fetch|connection to wss?:.* was interrupted|can.t establish a connection/;

export class Participant {
  /** Errors of the console and uncaught ones, of the page and of its workers. */
  errors = [];
  #networkMayFail = false;

  constructor(name, page) {
    this.name = name;
    /** The user id, which is the name unless the server's home page has made one. */
    this.user = name;
    this.page = page;
    page.on("console", (message) => message.type() === "error" && this.#note(message.text()));
    page.on("pageerror", (error) => this.#note(`uncaught ${error.stack ?? error}`));
  }

  /** From here on, failing requests and connections are part of the test. */
  expectNetworkErrors() {
    this.#networkMayFail = true;
  }

  /** Opens the pre-join page. `transport: "web_socket"`: as if the server offered nothing else. */
  async open(server, { meeting = "daily", transport } = {}) {
    await this.page.addInitScript(tapSpeakers);
    if (transport === "web_socket") {
      await this.page.route("**/api/v1/config", withoutWebTransport);
    }
    await this.page.goto(`${server.url}/meeting/${this.name}/${meeting}`);
  }

  /**
   * Has this function run in the engine's Worker before the app. Returns how often that has happened, as a function. Only
   * Chromium can.
   */
  async prepareEngine(prepare) {
    let times = 0;
    // A Worker whose script does not come from the server counts as one of a remote network.
    await this.page.context().grantPermissions(["local-network-access"]);
    await this.page.route("**/assets/engine-*.js", async (route) => {
      const response = await route.fetch();
      times++;
      await route.fulfill({ response, body: `(${prepare})();\n${await response.text()}` });
    });
    return () => times;
  }

  /** The Worker of the engine. */
  engine() {
    return this.page.workers().find((worker) => worker.url().includes("/assets/engine-"));
  }

  /**
   * Has the page capture something else as "video" or "audio": `source` runs in the page before the app, and returns a function
   * that makes a stream each time.
   */
  captures(kind, source) {
    return this.page.addInitScript({ content: `(${captureInstead})("${kind}", (${source})())` });
  }

  /** Opens the pre-join page, joins, with the microphone off if `muted`, and waits until connected. */
  async join(server, { muted, within = 10_000, since = new Stopwatch(), ...options } = {}) {
    await this.open(server, options);
    if (muted) await this.press("Mute");
    await this.press(/^Join/);
    await this.connected({ within, since });
  }

  /** Presses the button whose accessible name matches. */
  press(name) {
    return this.page.getByRole("button", { name }).click();
  }

  /** Waits until the page says that it is connected, over `transport` if given. */
  connected({ transport, within = 10_000, since } = {}) {
    return until(`${this.name} connected`, within, async () => {
      const call = await this.call();
      return { ok: call?.connection === "connected" && (transport ?? call.transport) === call.transport, seen: call };
    }, since);
  }

  /** The `data-` attributes of the call, or null when the page shows none. */
  call() {
    return this.page.evaluate(() => {
      const call = document.querySelector("[data-connection]");
      return call && { ...call.dataset };
    });
  }

  /** The `data-` attributes of the own tile, such as the session, which a reconnect changes. */
  self() {
    return this.page.locator("[data-self]").evaluate((tile) => ({ ...tile.dataset }));
  }

  /** The `data-` attributes of somebody's tile, or null when there is none. */
  tile(other, track = "camera") {
    return this.page.evaluate((selector) => {
      const tile = document.querySelector(selector);
      return tile && { ...tile.dataset };
    }, selectorOf(other, track));
  }

  /** Waits until their tile has these `data-` attributes. */
  shows(other, attributes, { within = 1000, since } = {}) {
    const wanted = Object.entries(attributes);
    return until(`${this.name} shows ${other.name} with ${JSON.stringify(attributes)}`, within, async () => {
      const tile = await this.tile(other);
      return { ok: tile !== null && wanted.every(([key, value]) => tile[key] === value), seen: tile };
    }, since);
  }

  /** Waits until a tile is no longer there. */
  loses(other, { track = "camera", within, since }) {
    return until(`${other.name}'s ${track} gone for ${this.name}`, within, async () => {
      const tile = await this.tile(other, track);
      return { ok: tile === null, seen: tile };
    }, since);
  }

  /** Waits until their picture moves: this many distinct frames in 2 s, which are those of their camera (or screen). */
  sees(other, { track = "camera", frames = 10, within = 5000, since } = {}) {
    const selector = selectorOf(other, track);
    return until(`${this.name} sees ${other.name}'s ${track}`, within, async () => {
      const seen = await this.page.evaluate(watchCanvas, { selector, ms: 2000, enough: frames });
      const theirs = track === "screen" ? isPictureOfScreen(seen) : isPictureOf(other.name, seen);
      return { ok: seen.distinct >= frames && theirs, seen };
    }, since);
  }

  /** The users whose tiles there are, in their order. */
  usersWithTile() {
    const tiles = this.page.locator("[data-user]:not([data-self])");
    return tiles.evaluateAll((found) => found.map((tile) => tile.dataset.user));
  }

  /** The element in which their picture is drawn. */
  canvas(other) {
    return this.page.locator(`${selectorOf(other, "camera")} canvas`).elementHandle();
  }

  /** The rows of pixels in which their camera comes; 0 while there is no picture. */
  async rowsOf(other) {
    if (!(await this.tile(other))) return 0;
    return (await this.canvas(other)).evaluate((element) => element.height);
  }

  /** Waits until their picture stands still for 1 s. */
  standsStill(other, { within = 5000, since } = {}) {
    const selector = selectorOf(other, "camera");
    return until(`${other.name}'s picture stands still for ${this.name}`, within, async () => {
      const seen = await this.page.evaluate(watchCanvas, { selector, ms: 1000, enough: 2 });
      return { ok: seen.distinct < 2, seen };
    }, since);
  }

  /** Puts another tab in front of the page, as far as the page can tell. */
  hide() {
    return this.#becomes("hidden");
  }

  /** Takes away what is in front of the page. */
  show() {
    return this.#becomes("visible");
  }

  /** Puts another tab in front of the page, for real. Only headless Firefox can. */
  async openTabInFront() {
    await this.page.evaluate(() => void window.open("about:blank"));
    await until(`${this.name}'s page is hidden`, 5000, () => this.page.evaluate(() => document.hidden));
  }

  /** Waits until their beep comes out of the loudspeaker and their tile shows it. */
  hears(other, { within = 5000, since } = {}) {
    return until(`${this.name} hears ${other.name}`, within, async () => {
      const seen = await this.#listen(other, AUDIBLE);
      return { ok: seen.tone > AUDIBLE.tone && seen.level > AUDIBLE.level, seen };
    }, since);
  }

  /** Waits until their beep comes out of the loudspeaker, whatever shows it: a screen's sound is no voice. */
  hearsScreenOf(other, { within = 5000, since } = {}) {
    return until(`${this.name} hears the screen of ${other.name}`, within, async () => {
      const seen = await this.#listen(other, { ...AUDIBLE, level: -1 });
      return { ok: seen.tone > AUDIBLE.tone, seen };
    }, since);
  }

  /** Waits until nothing of their beep was heard for 1 s. */
  hearsNothingOf(other, { within = 2000, since } = {}) {
    return until(`${this.name} does not hear ${other.name}`, within, async () => {
      const seen = await this.#listen(other, { tone: Infinity, level: Infinity });
      return { ok: seen.tone < SILENT.tone && seen.level < SILENT.level, seen };
    }, since);
  }

  /** Joins, and measures the milliseconds from "connected" until there is a picture of all of these people. */
  async joinAndTimePictures(server, others) {
    await this.open(server);
    const selectors = others.map((other) => selectorOf(other, "camera"));
    const time = this.page.evaluate(timeToPictures, { selectors, since: "connected", ms: 15_000 });
    await this.press(/^Join/);
    const ms = await time;
    assert.notEqual(ms, null, `${this.name} never had a picture of everyone`);
    return ms;
  }

  #becomes(visibility) {
    return this.page.evaluate((value) => {
      Object.defineProperty(document, "visibilityState", { value, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, visibility);
  }

  #listen(other, enough) {
    const hertz = PEOPLE[other.name].hertz;
    return this.page.evaluate(listen, { selector: selectorOf(other, "camera"), hertz, ms: 1000, enough });
  }

  #note(text) {
    if (!(this.#networkMayFail && NETWORK_ERROR.test(text))) this.errors.push(text);
  }
}

async function withoutWebTransport(route) {
  const response = await route.fetch().catch(() => null);
  if (!response) return route.abort("connectionrefused");
  await route.fulfill({ response, json: { ...(await response.json()), webtransport: null } });
}

/** Run in the page. */
function captureInstead(kind, make) {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async ({ [kind]: wanted, ...others }) => {
    const stream = Object.values(others).some(Boolean) ? await real(others) : new MediaStream();
    if (wanted) for (const track of (await make()).getTracks()) stream.addTrack(track);
    return stream;
  };
}

/** Where their tile is. */
export function selectorOf(other, track) {
  return `[data-user="${other.user}"][data-track="${track}"]`;
}
