// Measures the product in real browsers on this machine, and writes the tables of PERFORMANCE.md that are about that.
//   node e2e/bench.mjs [--only decoding,joining,latency] [--no-write]
// It fails only when nothing could be measured.
import { parseArgs } from "node:util";

import { decoding } from "./bench/decoding.mjs";
import { joining } from "./bench/joining.mjs";
import { latency } from "./bench/latency.mjs";
import { machine } from "./bench/machine.mjs";
import { markdown, write } from "./bench/tables.mjs";

const PARTS = { machine, decoding, joining, latency };

const { values } = parseArgs({ options: { only: { type: "string" }, "no-write": { type: "boolean", default: false } } });
const names = values.only ? ["machine", ...values.only.split(",")] : Object.keys(PARTS);
for (const name of names) {
  const table = markdown(await PARTS[name]());
  console.log(`${name}\n\n${table}`);
  if (!values["no-write"]) write(`browser-${name}`, table);
}
