// A bad network in front of a server: the `impaired-proxy` of testkit, which says what can be bad.
import { converse } from "./conversation.mjs";
import { videocallServer } from "./servers.mjs";

/** Takes everything and delivers nothing. */
export const BLACK_HOLE = { black_hole: true };

/** The same conditions in both directions. */
export const both = (conditions) => ({ up: conditions, down: conditions });

/**
 * Starts one. Gives `udp` and `tcp`, the addresses for clients, and `settings` of a server whose WebTransport is behind it;
 * `change({ udp_to, tcp_to, udp, tcp })` takes effect before it returns; `leadTo(server)` returns where its page and its
 * WebSocket are behind it, too; `close()` it. It ends with this process, too.
 */
export async function impairedProxy(setup = {}, seed = 1) {
  const { first, tell, close } = await converse("impaired-proxy", [JSON.stringify(setup), `${seed}`]);
  const { udp, tcp } = JSON.parse(first);
  const change = async (change) => void (await tell(JSON.stringify(change)));
  return {
    udp,
    tcp,
    settings: { WEBTRANSPORT_PUBLIC_URL: `https://${udp}` },
    change,
    async leadTo(server) {
      await change({ udp_to: server.webtransportAddress, tcp_to: new URL(server.url).host.replace("localhost", "127.0.0.1") });
      return { url: `http://localhost:${tcp.split(":")[1]}` };
    },
    close,
  };
}

/** A server whose WebTransport is behind a proxy. `far`: where its page and its WebSocket are behind it, too. */
export async function withProxy(stage, body) {
  const proxy = await impairedProxy();
  // Not before it is known that no page has errors: those that are open try to come back.
  stage.atEnd(() => proxy.close());
  const server = await stage.start(videocallServer(proxy.settings));
  const far = await proxy.leadTo(server);
  await body({ proxy, server, far });
}
