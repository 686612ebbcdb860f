// How much processor time a browser takes, by what its threads are for. Reads /proc, and so works on Linux alone.
import { readFileSync, readdirSync } from "node:fs";

// Of the kernel's clock per second, on every Linux that runs these tests.
const TICKS = 100;

/** Processor seconds that each thread of the browser with this main process has used: `process`, `thread`, `seconds`. */
export function threadsOf(main) {
  const threads = [];
  for (const process of tree(main)) {
    try {
      const kind = kindOf(process);
      for (const id of readdirSync(`/proc/${process}/task`)) {
        const { name, seconds } = readStat(`/proc/${process}/task/${id}/stat`);
        threads.push({ process, kind, id, thread: name, seconds });
      }
    } catch {
      // it has ended
    }
  }
  return threads;
}

/** The main process of a browser. */
export async function mainProcess(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  return processInfo.find(({ type }) => type === "browser").id;
}

function tree(main) {
  const children = new Map();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const { parent } = readStat(`/proc/${name}/stat`);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // it has ended
    }
  }
  const found = [main];
  for (const process of found) found.push(...(children.get(process) ?? []));
  return found;
}

/** What a process is for, as Chromium tells it: `browser`, `renderer`, `gpu-process`, .. */
function kindOf(process) {
  const command = readFileSync(`/proc/${process}/cmdline`, "utf8");
  return /--type=([\w-]+)/.exec(command)?.[1] ?? "browser";
}

// The name stands in parentheses and may have any character.
function readStat(path) {
  const text = readFileSync(path, "utf8");
  const end = text.lastIndexOf(")");
  const rest = text.slice(end + 2).split(" ");
  return {
    name: text.slice(text.indexOf("(") + 1, end),
    parent: Number(rest[1]),
    seconds: (Number(rest[11]) + Number(rest[12])) / TICKS,
  };
}
