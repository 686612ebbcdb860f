// Real Chromium, headless, with fake devices and a fresh profile per launch.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

import { deviceSwitches } from "./media.mjs";

const SWITCHES = [
  "--no-sandbox", // refused for root, as which CI runs
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
  "--auto-select-desktop-capture-source=Entire screen",
];
const ALLOW = "--use-fake-ui-for-media-stream";
const FAKE_DEVICES = "--use-fake-device-for-media-stream";

/** Launches the browser of `person`, whose camera and microphone are theirs and allowed. */
export function launchFor(person) {
  return launch([FAKE_DEVICES, ALLOW, ...deviceSwitches(person)]);
}

/** Launches a browser on a machine that has neither camera nor microphone. */
export function launchWithoutDevices() {
  return launch([ALLOW]);
}

/** Launches a browser whose person has devices but refuses to let the page use them. */
export function launchRefusing() {
  return launch([FAKE_DEVICES, "--deny-permission-prompts"]);
}

/** Kills the browser with all its processes at once, so that none of them can say goodbye. */
export async function kill(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const main = processInfo.find(({ type }) => type === "browser");
  process.kill(-main.id, "SIGKILL"); // it leads a process group of its own
}

function launch(switches) {
  return chromium.launch({ executablePath: executable(), args: [...SWITCHES, ...switches] });
}

function executable() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const folder of process.env.PATH.split(delimiter)) {
    for (const name of ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // not in this folder
      }
    }
  }
  throw new Error("no Chromium on PATH; install it or set CHROMIUM");
}
