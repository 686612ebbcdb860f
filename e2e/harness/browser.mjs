// Real browsers, headless, with fake devices and a fresh profile per launch.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium, firefox } from "playwright-core";

import { mainProcess } from "./cpu.mjs";
import { PEOPLE, deviceSwitches } from "./media.mjs";

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
const CHROMIUM = { variable: "CHROMIUM", names: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"] };
const FIREFOX = { variable: "FIREFOX", names: ["firefox-esr", "firefox"] };
const ALLOW = "--use-fake-ui-for-media-stream";
const FAKE_DEVICES = "--use-fake-device-for-media-stream";

/** Launches the browser of `person`, whose camera and microphone are theirs and allowed. */
export function launchFor(person) {
  const { browser, hertz } = PEOPLE[person];
  return browser === "firefox" ? launchFirefox(hertz) : launch([FAKE_DEVICES, ALLOW, ...deviceSwitches(person)]);
}

/** Launches a browser on a machine that has neither camera nor microphone. */
export function launchWithoutDevices() {
  return launch([ALLOW]);
}

/** Launches a browser with its own fake camera, which gives up to 1080 rows. */
export function launchWithLargeCamera() {
  return launch([FAKE_DEVICES, ALLOW]);
}

/** Launches a browser whose person has devices but refuses to let the page use them. */
export function launchRefusing() {
  return launch([FAKE_DEVICES, "--deny-permission-prompts"]);
}

/** Kills the browser with all its processes at once, so that none of them can say goodbye. */
export async function kill(browser) {
  process.kill(-(await mainProcess(browser)), "SIGKILL"); // it leads a process group of its own
}

function launch(switches) {
  return chromium.launch({ executablePath: executable(CHROMIUM), args: [...SWITCHES, ...switches] });
}

/** Firefox as its makers ship it, driven by WebDriver BiDi; `hertz` is what its fake microphone hears. */
function launchFirefox(hertz) {
  return firefox.launch({
    channel: "moz-firefox",
    executablePath: executable(FIREFOX),
    firefoxUserPrefs: {
      "media.navigator.streams.fake": true,
      "media.navigator.audio.fake_frequency": hertz,
      "media.navigator.permission.disabled": true,
      // Playwright keeps pages awake that nobody sees; people's browsers don't.
      "layout.testing.top-level-always-active": false,
      "dom.min_background_timeout_value": 1000,
      "dom.disable_open_during_load": false, // a test may put another tab in front
      "media.cubeb.force_mock_context": true, // loudspeakers, on machines that have none
      // A page that reads a canvas of its engine waits for the engine, which waits for the page while it makes an encoder.
      // Tests read canvases; this ends the wait after so many milliseconds instead of after ten seconds.
      "gfx.offscreencanvas.snapshot-timeout-ms": 100,
    },
  });
}

/** The path of a browser: what the environment says, or else the first of its names on PATH. */
function executable({ variable, names }) {
  if (process.env[variable]) return process.env[variable];
  for (const folder of process.env.PATH.split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // not in this folder
      }
    }
  }
  throw new Error(`no ${names[0]} on PATH; install it or set ${variable}`);
}
