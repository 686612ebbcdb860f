// Where it was measured, and what else the machine did at the beginning.
import { execFileSync } from "node:child_process";
import { cpus, loadavg, release } from "node:os";

import { launchWithoutDevices } from "../harness/browser.mjs";

/** One row. */
export async function machine() {
  const browser = await launchWithoutDevices();
  const version = browser.version();
  await browser.close();
  const commit = execFileSync("git", ["rev-parse", "--short=12", "HEAD"], { encoding: "utf8" }).trim();
  const [{ model }] = cpus();
  return [{ commit, kernel: release(), processor: model, cores: cpus().length, Chromium: version, "load before": loadavg()[0].toFixed(1) }];
}
