// People without a browser whose pictures and sound a browser has encoded: the `synthetic-publishers` of testkit.
import { converse } from "./conversation.mjs";

/**
 * Lets people of these `names` join, in turns with one of these `clips` (paths). The first `speakers` of them speak. They end
 * with this process, or when they are told to `close()`. `status()` gives what each does: its `user`, the `layers` of its camera
 * and of its `screen` that it sends, the number of `frames` that it has sent. `share(user)`: they share a screen, or nobody.
 */
export async function syntheticPublishers(server, { names, clips, speakers = 0, meeting = "daily" }) {
  const people = names.map((user, index) => ({ user, clip: clips[index % clips.length], speaks: index < speakers }));
  const room = { server: `127.0.0.1:${new URL(server.url).port}`, meeting, people };
  const { tell, close } = await converse("synthetic-publishers", [JSON.stringify(room)]);
  let sharing = "";
  return {
    people: people.map(({ user }, index) => ({ name: user, user, clip: index % clips.length })),
    async status() {
      return JSON.parse(await tell(sharing));
    },
    share(user = "") {
      sharing = user;
      return this.status();
    },
    close,
  };
}
