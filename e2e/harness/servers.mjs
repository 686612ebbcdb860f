// Starts, stops and kills the server binaries and nats-server, on ports that the system picks.
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { Stopwatch, until } from "./until.mjs";

const BINARIES = process.env.VIDEOCALL_BIN_DIR ?? fileURLToPath(new URL("../../target/release/", import.meta.url));
const START_MS = 10_000;

const running = new Set();
const folders = mkdtempSync(join(tmpdir(), "videocall-servers-"));
process.on("exit", () => {
  running.forEach((child) => child.kill("SIGKILL"));
  rmSync(folders, { recursive: true, force: true });
});

/** A child process with what it printed. */
class Process {
  log = "";
  #child;
  #exited;

  constructor(command, args, env) {
    this.#child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    running.add(this.#child);
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      output.setEncoding("utf8").on("data", (text) => (this.log += text));
    }
    this.#exited = new Promise((resolve) => {
      this.#child.once("error", (error) => resolve((this.log += `${error}\n`)));
      this.#child.once("close", () => resolve());
    }).then(() => running.delete(this.#child));
  }

  /** Polls `probe` until the process is ready; fails at once when it ends instead. */
  async ready(probe) {
    const ended = this.#exited.then(() => Promise.reject(new Error("it ended")));
    ended.catch(() => {});
    try {
      return await Promise.race([ended, until("ready", START_MS, probe)]);
    } catch (error) {
      throw new Error(`server did not start: ${error.message}\n${this.log}`, { cause: error });
    }
  }

  /** SIGTERM: it ends when it has told everybody. */
  async stop() {
    this.#child.kill("SIGTERM");
    await this.#exited;
  }

  /** SIGKILL: nobody is told anything. */
  async kill() {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}

/** One of our servers, or nats-server: can be killed and started again where it was. */
export class Server {
  #start;
  #child;
  #runs = [];
  #folder = mkdtempSync(join(folders, "server-"));

  /**
   * `start(folder, before)` returns a `Process` and the properties that the server gets, such as `url`. `before` has those
   * of the time before, so that it can be the same again.
   */
  constructor(name, start) {
    this.name = name;
    this.#start = start;
  }

  /** Starts it, the second time with the addresses of the first time. Returns a stopwatch from when it was up. */
  async start() {
    const { child, ...addresses } = await this.#start(this.#folder, this);
    this.#child = child;
    this.#runs.push(child);
    Object.assign(this, addresses);
    return new Stopwatch();
  }

  /** Ends it in order, and waits for the end. */
  async stop() {
    await this.#child?.stop();
  }

  /** Ends it so that nobody is told anything. */
  async kill() {
    await this.#child?.kill();
  }

  /** What it printed, all runs. */
  get log() {
    return this.#runs.map((run) => run.log).join(`\n--- ${this.name} started again\n`);
  }
}

/**
 * Everything in one process; `settings` are environment variables. Gives `url`, `webtransport` (a URL) and, whatever the
 * settings tell clients, `webtransportAddress`.
 */
export function videocallServer(settings = {}) {
  return new Server("videocall-server", async (folder, before) => {
    const port = before.webtransport ? new URL(before.webtransport).port : 0;
    const env = { DATA_DIR: folder, WEBTRANSPORT_ADDR: `127.0.0.1:${port}`, ...settings };
    return serveApi("videocall-server", before, env);
  });
}

/** HTTP, the web app and WebSocket. Gives `url`; with `WEBTRANSPORT_HEALTH_URL` it is up when it has found that server. */
export function actixApi(settings) {
  return new Server("actix-api", (folder, before) => serveApi("actix-api", before, { DATA_DIR: folder, ...settings }));
}

/** WebTransport alone. Gives `url`, where its health is served. */
export function webtransportServer(settings) {
  return new Server("webtransport-server", (_, before) =>
    serve("webtransport-server", {
      HEALTH_ADDR: `127.0.0.1:${before.url ? new URL(before.url).port : 0}`,
      WEBTRANSPORT_ADDR: "127.0.0.1:0",
      ...settings,
    }),
  );
}

/** A real NATS server. Gives `url`. */
export function natsServer() {
  return new Server("nats-server", async (folder, before) => {
    const port = before.url ? new URL(before.url).port : "-1"; // -1: any
    const path = `${process.env.PATH}:/usr/sbin`; // where Debian puts it
    const args = ["--addr", "127.0.0.1", "--port", port, "--ports_file_dir", folder];
    readdirSync(folder).forEach((file) => rmSync(join(folder, file)));
    const child = new Process("nats-server", args, { PATH: path });
    const url = await child.ready(() => {
      const file = readdirSync(folder).find((name) => name.endsWith(".ports"));
      return file && readPorts(join(folder, file))?.nats?.[0];
    });
    return { child, url };
  });
}

/** A UDP port on which nobody listens: a connection to it is refused at once. */
export async function closedUdpPort() {
  const { socket, port } = await udpSocket();
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

/** A UDP port that swallows everything, like a firewall. `close()` it. */
export async function silentUdpPort() {
  const { socket, port } = await udpSocket();
  return { port, close: () => new Promise((resolve) => socket.close(resolve)) };
}

async function serveApi(name, before, env) {
  const port = before.url ? new URL(before.url).port : 0;
  const { child, url } = await serve(name, { HTTP_ADDR: `127.0.0.1:${port}`, ...env });
  const { webtransport } = await child.ready(async () => {
    const config = await (await fetch(`${url}/api/v1/config`)).json();
    return config.webtransport && config;
  });
  const webtransportAddress = /\bwebtransport=(127\.0\.0\.1:\d+)/.exec(child.log)?.[1];
  return { child, url, webtransport: webtransport.url, webtransportAddress };
}

/** Starts a binary and waits until it serves HTTP. */
async function serve(name, env) {
  const child = new Process(binary(name), [], { NO_COLOR: "1", ...env });
  const url = await child.ready(() => {
    const port = /\b(?:http|health)=127\.0\.0\.1:(\d+)/.exec(child.log)?.[1];
    return port && healthy(`http://localhost:${port}`);
  });
  return { child, url };
}

/** The path of a binary of ours; says what to do when it is not built. */
export function binary(name) {
  const path = join(BINARIES, name);
  if (!existsSync(path)) throw new Error(`${path} is missing: run cargo build --release --bins`);
  return path;
}

async function healthy(url) {
  try {
    return (await fetch(`${url}/healthz`)).ok && url;
  } catch {
    return false; // not listening yet
  }
}

// Half written while nats-server starts.
function readPorts(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

async function udpSocket() {
  const socket = createSocket("udp4");
  await new Promise((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return { socket, port: socket.address().port };
}

/** How many packets the server has got in the next second. */
export async function packetsPerSecond(server) {
  const received = async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    return { packets: Number(/^relay_packets_received_total (\d+)/m.exec(metrics)[1]), at: performance.now() };
  };
  const before = await received();
  await delay(1000);
  const after = await received();
  return ((after.packets - before.packets) * 1000) / (after.at - before.at);
}
