// Counts the instructions of the packet path under callgrind and compares them with bench/instructions.json.
//   node scripts/instructions.mjs [--record]
// Expects valgrind (scripts/setup.sh test). Unlike times, the counts are the same however busy the machine is.
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const RECORD = "bench/instructions.json";
/** A count that is further away from the recorded one fails, in either direction: what was gained shall stay. */
const TOLERANCE = 0.03;
/** How often an operation is done; the same again is what is counted, so that everything else cancels out. */
const TIMES = 1000;

// Nothing of the caller's environment but where programs are: it lies on the stack and would move it. glibc chooses
// memcpy and its like by what the processor can do; without these features every x86-64 machine gets the same ones.
const without = ["AVX", "AVX2", "AVX512F", "AVX512VL", "AVX_Fast_Unaligned_Load", "BMI2", "ERMS", "FSRM", "SSE4_1", "SSE4_2", "SSSE3"];
const env = { PATH: process.env.PATH, GLIBC_TUNABLES: `glibc.cpu.hwcaps=${without.map((name) => `-${name}`).join(",")}` };

const program = join(process.env.CARGO_TARGET_DIR ?? "target", "release/examples/instructions");

/** The instructions of a run that does `operation` `times` times. */
function collected(operation, times) {
  const options = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
  const run = spawnSync("valgrind", [...options, program, operation, String(times)], { env, encoding: "utf8" });
  if (run.error) throw run.error;
  const total = run.stderr.match(/Collected : (\d+)/);
  if (run.status !== 0 || !total) throw new Error(`valgrind ${program} ${operation} ${times}:\n${run.stderr}`);
  return Number(total[1]);
}

if (process.arch !== "x64") {
  console.log(`instructions: recorded for x86-64, not for ${process.arch}; nothing to compare`);
  process.exit(0);
}
// Named in a build of the whole workspace: each package alone would be built with other features of its dependencies.
execFileSync("cargo", ["build", "--release", "--example", "instructions"], { stdio: "inherit" });
const compiler = execFileSync("rustc", ["--version"], { encoding: "utf8" }).trim();
const operations = execFileSync(program, { encoding: "utf8" }).trim().split("\n");

const counts = {};
for (const operation of operations) {
  counts[operation] = Math.round((collected(operation, 2 * TIMES) - collected(operation, TIMES)) / TIMES);
}

if (process.argv[2] === "--record") {
  writeFileSync(RECORD, `${JSON.stringify({ compiler, instructions: counts }, null, 2)}\n`);
  console.log(`instructions: recorded in ${RECORD}`);
}
const recorded = JSON.parse(readFileSync(RECORD, "utf8"));

let failed = 0;
console.log(`${"instructions per operation".padEnd(28)} recorded      now   change`);
for (const operation of new Set([...Object.keys(recorded.instructions), ...operations])) {
  const [before, now] = [recorded.instructions[operation], counts[operation]];
  const change = now / before - 1; // NaN where there is no such operation
  const good = Math.abs(change) <= TOLERANCE;
  if (!good) failed += 1;
  const percent = Number.isNaN(change) ? "" : `${(100 * change).toFixed(1)} %`;
  const row = [String(before ?? "-").padStart(8), String(now ?? "-").padStart(8), percent.padStart(8)];
  console.log(`${operation.padEnd(28)} ${row.join(" ")}${good ? "" : "  <-"}`);
}
if (failed && compiler !== recorded.compiler) {
  console.log(`instructions: not compared: recorded with ${recorded.compiler}, this is ${compiler}`);
} else if (failed) {
  console.log(`instructions: ${failed} changed by more than ${100 * TOLERANCE} %. If that is meant, record them: node scripts/instructions.mjs --record`);
  process.exitCode = 1;
}
