// Tables of PERFORMANCE.md: each stands between two comments with its name, as those of `bench report` do.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PATH = fileURLToPath(new URL("../../PERFORMANCE.md", import.meta.url));

/** A table of rows, which are objects with the same keys. */
export function markdown(rows) {
  const head = Object.keys(rows[0]);
  const lines = [head, head.map(() => "---"), ...rows.map(Object.values)];
  return lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

/** Puts a table in the place of the one that has this name. */
export function write(name, table) {
  const document = readFileSync(PATH, "utf8");
  const [begin, end] = [`<!-- begin: ${name} -->\n`, `<!-- end: ${name} -->`];
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`PERFORMANCE.md has no place for ${name}`);
  writeFileSync(PATH, document.slice(0, from + begin.length) + table + document.slice(to));
}

/** Of numbers; 0.5 is the median. */
export function percentile(numbers, fraction) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.floor(fraction * (sorted.length - 1))]);
}
