/** What mounting and unmounting must leave behind: nothing. */
import { expect, it } from "vitest";
import { GRACE_MS } from "../backend.js";
import type { Shown } from "../harness.js";
import { attached, backend, harness, keptAtRest, mount, pass } from "../page.js";

export function describeMounts(): void {
  it("leaves one watch when mounted twice", async () => {
    const id = backend.begin("tick");
    await harness.mountTwice({ use: "tasks" });
    await harness.mountTwice({ use: "task", name: "tick", id });
    await pass(2 * GRACE_MS);
    const { watches, followed } = backend.kept();
    expect([watches, followed, backend.calls("watch")]).toEqual([1, 1, 2]);
  });

  it("keeps nothing of what is unmounted", async () => {
    const before = await keptAtRest();
    for (const shown of await everything()) (await mount(shown)).unmount();
    const mounted = [];
    for (const shown of await everything()) mounted.push(await mount(shown));
    await pass();
    for (const { unmount } of mounted) unmount();
    await pass(2 * GRACE_MS);
    expect(backend.kept()).toEqual(before);
  });

  it("keeps nothing of what is unmounted before an answer", async () => {
    const before = await keptAtRest();
    for (const shown of await everything()) (await harness.mount(shown)).unmount();
    await pass(2 * GRACE_MS);
    expect(backend.kept()).toEqual(before);
  });

  it("leaves everything where it was after 10,000 mounts", async () => {
    const before = await keptAtRest();
    const shown = await everything();
    for (let count = 0; count < 10_000; count += 1) {
      const one = shown[count % shown.length];
      if (one) (await harness.mount(one)).unmount();
      // Most come back within the grace, and some after it.
      if (count % 500 === 0) await pass(2 * GRACE_MS);
    }
    await pass(2 * GRACE_MS);
    expect(backend.kept()).toEqual(before);
  });
}

/** Returns one of each. */
async function everything(): Promise<Shown[]> {
  const [tick, tail] = [backend.begin("tick"), backend.begin("tail")];
  return [
    { use: "task", name: "tick", id: tick },
    { use: "tasks", query: { task: "tick" } },
    { use: "tasks", select: ({ tasks }) => tasks.length },
    { use: "start", name: "tick" },
    { use: "batch", name: "tick" },
    { use: "progress", task: await attached("tick", tick) },
    { use: "items", task: await attached("tail", tail) },
  ];
}
