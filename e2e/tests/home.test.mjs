import { test } from "../harness/stage.mjs";

test("a meeting made on the home page is joined by its link", async (stage) => {
  const server = await stage.start();
  const alice = await stage.person("alice");
  await alice.page.goto(server.url);
  await alice.page.getByLabel("Your name").fill("Alice Liddell");
  await alice.press("Create a meeting");
  await enter(alice);

  const bob = await stage.person("bob");
  await bob.page.goto(alice.page.url());
  await bob.page.getByLabel("Your name").fill("Bob");
  await enter(bob);

  await bob.sees(alice);
  await alice.sees(bob);
  await bob.page.getByRole("group", { name: "Alice Liddell" }).waitFor();
});

async function enter(person) {
  await person.press(/^Join now/);
  await person.connected();
  person.user = (await person.self()).user;
}
