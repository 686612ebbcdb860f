// What a test stands on: it starts servers and lets people join, cleans up, and explains failures.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test as nodeTest } from "node:test";
import { fileURLToPath } from "node:url";

import { launchFor } from "./browser.mjs";
import { recordClips } from "./clip.mjs";
import { Participant } from "./participant.mjs";
import { videocallServer } from "./servers.mjs";
import { syntheticPublishers } from "./synthetic.mjs";

const ARTIFACTS = fileURLToPath(new URL("../artifacts/", import.meta.url));
const TIMEOUT_MS = 60_000;
// Without a GPU every pixel costs: three calls at once must leave two cores some air.
const VIEWPORT = { width: 640, height: 480 };
// For one click or one text to appear.
const ACTION_MS = 15_000;

// Launched once per test file; every test gets fresh contexts in them.
const browsers = new Map();
after(() => Promise.all([...browsers.values()].map(async (browser) => (await browser).close())));

/**
 * A test whose body gets a `Stage`. It also fails when a page reports an error that the test does not expect, and when it is
 * not over after `timeout` milliseconds.
 */
export function test(name, body, { timeout = TIMEOUT_MS } = {}) {
  nodeTest(name, { timeout }, async () => {
    const stage = new Stage();
    try {
      await body(stage);
      await stage.assertNoErrors();
    } catch (error) {
      error.stack += await stage.report(name);
      throw error;
    } finally {
      await stage.close();
    }
  });
}

class Stage {
  #people = [];
  #servers = [];
  #closers = [];

  /** Starts a server; without an argument the one that serves everything. */
  async start(server = videocallServer()) {
    this.#servers.push(server);
    await server.start();
    return server;
  }

  /** Somebody with a page of their own. `browser`: theirs for this test alone, closed after it. */
  async person(name, browser) {
    if (browser) this.#closers.push(() => browser.close());
    else if (!browsers.has(name)) browsers.set(name, launchFor(name));
    const context = await (browser ?? (await browsers.get(name))).newContext({ viewport: VIEWPORT });
    if (!browser) this.#closers.push(() => context.close());
    context.setDefaultTimeout(ACTION_MS);
    const person = new Participant(name, await context.newPage());
    this.#people.push(person);
    return person;
  }

  /** Somebody who has joined. */
  async join(name, server, options) {
    const person = await this.person(name);
    await person.join(server, options);
    return person;
  }

  /** Lets `count` people without a browser join, see `syntheticPublishers`. */
  async guests(server, count, options) {
    const names = Array.from({ length: count }, (_, index) => `guest-${index}`);
    const guests = await syntheticPublishers(server, { names, clips: await recordClips(server), ...options });
    this.#closers.push(() => guests.close());
    return guests;
  }

  /** Does this when the test is over. */
  atEnd(close) {
    this.#closers.push(close);
  }

  async assertNoErrors() {
    for (const { name, page, errors } of this.#people) {
      await page.evaluate(() => {}).catch(() => {}); // what the page has reported is here by then, unless it is closed
      assert.deepEqual(errors, [], `errors in the page of ${name}`);
    }
  }

  /** What servers and pages say, for the message of a failed test. Screenshots go to `artifacts/`. */
  async report(title) {
    const lines = ["\n"];
    for (const server of this.#servers) lines.push(`--- ${server.name}`, server.log.slice(-4000));
    for (const person of this.#people) {
      lines.push(`--- ${person.name}`, ...person.errors.slice(0, 10));
      lines.push(await this.screenshot(person, `${title} ${person.name}`).catch((error) => error.message));
    }
    return lines.join("\n");
  }

  /** Saves what the person's page shows in `artifacts/` and returns the path. */
  async screenshot(person, name) {
    const path = join(ARTIFACTS, `${name.replaceAll(/[^a-z0-9]+/gi, "-")}.png`);
    await person.page.screenshot({ path, timeout: ACTION_MS });
    return path;
  }

  async close() {
    for (const close of this.#closers) await close();
    for (const server of this.#servers) await server.kill();
  }
}
