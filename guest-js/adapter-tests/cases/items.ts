/** What a component that shows items must do. */
import { expect, it } from "vitest";
import { FRAME_MS, GRACE_MS } from "../backend.js";
import { attached, backend, expectFewRenders, harness, mount, pass } from "../page.js";

export function describeItems(): void {
  it("keeps its reading when it is mounted twice, and is never locked", async () => {
    const id = backend.begin("tail");
    backend.emit(id, "a");
    const task = await attached("tail", id);
    const shown = await harness.mountTwice({ use: "items", task });
    await pass(2 * GRACE_MS);
    backend.emit(id, "b");
    await pass(2 * FRAME_MS);
    expect(shown.state()).toEqual({ items: ["a", "b"], missed: 0, done: false });
    expect(shown.seen().filter(({ error }) => error)).toEqual([]);
  });

  it("loses no item when it is mounted again at once", async () => {
    const id = backend.begin("tail");
    const task = await attached("tail", id);
    const first = await mount({ use: "items", task });
    backend.emit(id, 1);
    await pass(2 * FRAME_MS);
    first.unmount();
    backend.emit(id, 2);
    await pass(GRACE_MS / 2);
    const again = await mount({ use: "items", task });
    backend.emit(id, 3);
    await pass(GRACE_MS);
    expect(again.seen()[0]?.items).toContain(1);
    expect(again.state()).toEqual({ items: [1, 2, 3], missed: 0, done: false });
    expect(again.seen().filter(({ error }) => error)).toEqual([]);
  });

  it("shows the newest items, and the end after all of them", async () => {
    const id = backend.begin("tail");
    const task = await attached("tail", id);
    const shown = await mount({ use: "items", task, limit: 3 });
    backend.emit(id, 1, 2, 3, 4, 5);
    backend.complete(id, 5);
    await pass(4 * FRAME_MS);
    expect(shown.state()).toEqual({ items: [3, 4, 5], missed: 0, done: true });
  });

  it("never shows the items of the old task", async () => {
    const [old, other] = [backend.begin("tail"), backend.begin("tail")];
    backend.emit(old, "old");
    backend.emit(other, "new");
    const shown = await mount({ use: "items", task: await attached("tail", old) });
    await pass(2 * FRAME_MS);
    const before = shown.renders();
    await shown.rerender({ use: "items", task: await attached("tail", other) });
    await pass(2 * GRACE_MS);
    const since = shown
      .seen()
      .slice(before)
      .flatMap(({ items }) => items);
    expect(new Set(since)).toEqual(new Set(["new"]));
    await shown.rerender({ use: "items", task: undefined });
    expect(shown.state()).toEqual({ items: [], missed: 0, done: false });
  });

  it("goes on with the same reading when the limit changes, and beside another limit", async () => {
    const id = backend.begin("tail");
    const task = await attached("tail", id);
    const shown = await mount({ use: "items", task, limit: 2 });
    const beside = await mount({ use: "items", task, limit: 1 });
    backend.emit(id, 1, 2, 3);
    await pass(2 * FRAME_MS);
    expect([shown.state().items, beside.state().items]).toEqual([[2, 3], [3]]);
    await shown.rerender({ use: "items", task, limit: 3 });
    backend.emit(id, 4);
    await pass(2 * GRACE_MS);
    expect([shown.state().items, beside.state().items]).toEqual([[2, 3, 4], [4]]);
    expect([...shown.seen(), ...beside.seen()].filter(({ error }) => error)).toEqual([]);
  });

  it("renders no more than 60 times a second", async () => {
    const id = backend.begin("tail");
    const shown = await mount({ use: "items", task: await attached("tail", id) });
    await expectFewRenders(shown, (count) => backend.emit(id, count));
    expect(shown.state().items.length).toBe(1_000);
  });
}
