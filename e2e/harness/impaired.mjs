// A bad network in front of a server: the `impaired-proxy` of testkit, which says what can be bad.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { binary, videocallServer } from "./servers.mjs";

/** Takes everything and delivers nothing. */
export const BLACK_HOLE = { black_hole: true };

/** The same conditions in both directions. */
export const both = (conditions) => ({ up: conditions, down: conditions });

/**
 * Starts one. Gives `udp` and `tcp`, the addresses for clients; `change({ udp_to, tcp_to, udp, tcp })` takes effect before it
 * returns; `close()` it. It ends with this process, too.
 */
export async function impairedProxy(setup = {}, seed = 1) {
  const child = spawn(binary("impaired-proxy"), [JSON.stringify(setup), `${seed}`], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("impaired-proxy has ended");
    return value;
  };
  return {
    ...JSON.parse(await next()),
    async change(change) {
      child.stdin.write(`${JSON.stringify(change)}\n`);
      await next();
    },
    close() {
      child.stdin.end();
    },
  };
}

/** A server whose WebTransport is behind a proxy. `far`: where its page and its WebSocket are behind it, too. */
export async function withProxy(stage, body) {
  const proxy = await impairedProxy();
  try {
    const server = await stage.start(videocallServer({ WEBTRANSPORT_PUBLIC_URL: `https://${proxy.udp}` }));
    await proxy.change({ udp_to: server.webtransportAddress, tcp_to: new URL(server.url).host.replace("localhost", "127.0.0.1") });
    await body({ proxy, server, far: { url: `http://localhost:${proxy.tcp.split(":")[1]}` } });
  } finally {
    proxy.close();
  }
}
