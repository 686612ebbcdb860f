import { setTimeout as delay } from "node:timers/promises";

/** Moment from which a promise of "within N ms" counts. */
export class Stopwatch {
  #start = performance.now();

  /** Milliseconds since it was made. */
  get elapsed() {
    return performance.now() - this.#start;
  }
}

/**
 * Waits until `probe` returns something truthy and returns it. Fails when a probe that begins `within` milliseconds after
 * `since` is still not satisfied, and says what the last probe saw: its `seen` property if it returned an object with one.
 */
export async function until(what, within, probe, since = new Stopwatch()) {
  for (;;) {
    const begun = since.elapsed;
    const result = await probe();
    if (result && result.ok !== false) return result;
    if (begun > within) {
      const seen = result?.seen === undefined ? "" : `; last saw ${JSON.stringify(result.seen)}`;
      throw new Error(`${what}: not within ${within} ms${seen}`);
    }
    await delay(20);
  }
}
