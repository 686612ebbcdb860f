// Programs of testkit that are told things line by line, and answer each with a line.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { binary } from "./servers.mjs";

/**
 * Starts one with these arguments. Gives the `first` line that it says; `tell(line)` returns its answer; `close()` ends it. It
 * ends with this process, too.
 */
export async function converse(name, args) {
  const child = spawn(binary(name), args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${name} has ended`);
    return value;
  };
  return {
    first: await next(),
    tell(line) {
      child.stdin.write(`${line}\n`);
      return next();
    },
    close() {
      child.stdin.end();
    },
  };
}
