// People for benchmarks: alice and bob in browsers that stay open, a new page each time.
import { launchFor } from "../harness/browser.mjs";
import { Participant } from "../harness/participant.mjs";

/** The transports by their names in the page, and in tables. */
export const TRANSPORTS = { web_transport: "WebTransport", web_socket: "WebSocket" };

// Painting the rest of the page is not what is measured, and without a GPU it costs much.
const VIEWPORT = { width: 640, height: 480 };

/** Launches the browsers of these people, gives them to `body` by name, and closes them. */
export async function withBrowsers(names, body) {
  const browsers = await Promise.all(names.map(launchFor));
  try {
    return await body(Object.fromEntries(names.map((name, index) => [name, browsers[index]])));
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()));
  }
}

/** Gives `body` somebody with a page of their own in a browser, which is closed after it. */
export async function withPerson(name, browser, body) {
  const context = await browser.newContext({ viewport: VIEWPORT });
  try {
    return await body(new Participant(name, await context.newPage()));
  } finally {
    await context.close();
  }
}

/** Starts a server for `body` and stops it. */
export async function withServer(server, body) {
  try {
    await server.start();
    return await body(server);
  } finally {
    await server.kill();
  }
}
