import { kill, launchFor } from "../harness/browser.mjs";
import { test } from "../harness/stage.mjs";
import { Stopwatch } from "../harness/until.mjs";

test("camera and microphone: the others see within a second what is on", async (stage) => {
  const server = await stage.start();
  const alice = await stage.join("alice", server);
  const bob = await stage.join("bob", server);
  await bob.sees(alice);
  await bob.shows(alice, { camera: "true", muted: "false" });

  await alice.press("Turn camera off");
  await bob.shows(alice, { camera: "false", muted: "false" }, { within: 1000 });
  await alice.press(/^Mute/);
  await bob.shows(alice, { camera: "false", muted: "true" }, { within: 1000 });

  await alice.press("Turn camera on");
  await bob.shows(alice, { camera: "true", muted: "true" }, { within: 1000 });
  await bob.sees(alice);
  await alice.press(/^Unmute/);
  await bob.shows(alice, { camera: "true", muted: "false" }, { within: 1000 });
});

test("somebody who leaves is gone within 2 s", async (stage) => {
  const server = await stage.start();
  const alice = await stage.join("alice", server);
  const bob = await stage.join("bob", server);
  await bob.sees(alice);

  const left = new Stopwatch();
  await alice.press(/^Leave/);
  await bob.loses(alice, { within: 2000, since: left });
});

for (const transport of ["web_transport", "web_socket"]) {
  test(`somebody who closes the tab is gone within 2 s (${transport})`, async (stage) => {
    const server = await stage.start();
    const alice = await stage.join("alice", server, { transport });
    const bob = await stage.join("bob", server);
    await bob.sees(alice);

    const closed = new Stopwatch();
    await alice.page.close();
    await bob.loses(alice, { within: 2000, since: closed });
  });

  test(`somebody whose browser is killed is gone within 10 s (${transport})`, async (stage) => {
    const server = await stage.start();
    const browser = await launchFor("alice");
    const alice = await stage.person("alice", browser);
    await alice.join(server, { transport });
    const bob = await stage.join("bob", server);
    await bob.sees(alice);

    const killed = new Stopwatch();
    await kill(browser);
    await bob.loses(alice, { within: 10_000, since: killed });
  });
}
