/** What a component that shows a list must do. */
import { expect, it } from "vitest";
import { GRACE_MS } from "../backend.js";
import type { Shown } from "../harness.js";
import { backend, expectFewRenders, mount, pass } from "../page.js";

export function describeList(): void {
  it("shows the current list to a component that comes late, with one watch", async () => {
    backend.begin("tick");
    const first = await mount({ use: "tasks", query: { task: "tick" } });
    const late = await mount({ use: "tasks", query: { task: ["tick"] } });
    expect(late.seen()[0]).toBe(first.state());
    expect([late.state().tasks.length, backend.kept().watches]).toEqual([1, 1]);
  });

  it("shows all tasks without a query", async () => {
    const ids = [backend.begin("tick"), backend.begin("download")];
    const shown = await mount({ use: "tasks" });
    expect(shown.state().tasks.map(({ id }) => id)).toEqual(ids);
  });

  it("never shows the old list after its query has changed", async () => {
    backend.begin("tick");
    const other = backend.begin("download");
    const shown = await mount({ use: "tasks", query: { task: "tick" } });
    const before = shown.renders();
    const answer = backend.hold("watch");
    await shown.rerender({ use: "tasks", query: { task: "download" } });
    expect(shown.state()).toEqual({ state: "loading", tasks: [] });
    await pass();
    answer();
    await pass(2 * GRACE_MS);
    const since = shown.seen().slice(before);
    const ids = since.flatMap(({ tasks }) => tasks.map(({ id }) => id));
    expect(new Set(ids)).toEqual(new Set([other]));
    expect(backend.kept().watches).toBe(1);
  });

  it("keeps its watch when an equal query is written anew with each render", async () => {
    backend.begin("tick");
    const shown = await mount({
      use: "tasks",
      query: { task: "tick", status: ["queued", "running"] },
    });
    const state = shown.state();
    await shown.rerender({ use: "tasks", query: { status: ["running", "queued"], task: "tick" } });
    await pass(2 * GRACE_MS);
    expect(shown.state()).toBe(state);
    expect(backend.calls("watch")).toBe(1);
  });

  it("shrinks", async () => {
    const ids = [backend.begin("tick"), backend.begin("tick"), backend.begin("tick")];
    const shown = await mount({ use: "tasks" });
    for (const id of ids.slice(1)) backend.forget(id);
    await pass();
    expect(shown.state().tasks.map(({ id }) => id)).toEqual(ids.slice(0, 1));
  });

  it("goes on in a new session, with the same objects for what has not changed", async () => {
    const [still, moves] = [backend.begin("tick"), backend.begin("tick")];
    const shown = await mount({ use: "tasks" });
    const [row] = shown.state().tasks;
    backend.disconnect();
    backend.run(moves);
    await pass(60_000);
    expect(shown.state().tasks.map(({ status }) => status)).toEqual(["queued", "running"]);
    expect(row?.id).toBe(still);
    expect(shown.state().tasks[0]).toBe(row);
  });

  it("shows that the plugin can't be reached, and recovers", async () => {
    backend.begin("tick");
    backend.breakConnection();
    const shown = await mount({ use: "tasks" });
    expect(shown.state()).toMatchObject({ state: "error", tasks: [], error: { kind: "ipc" } });
    await pass(10_000);
    expect(shown.state()).toMatchObject({ state: "ready", tasks: [{ task: "tick" }] });
    expect(shown.state().error).toBeUndefined();
  });

  it("renders no more than 60 times a second", async () => {
    const ids = Array.from({ length: 10 }, () => backend.begin("tick"));
    const shown = await mount({ use: "tasks" });
    await expectFewRenders(shown, (count) => backend.report(ids[count % 10] ?? "", count));
    expect(shown.state().tasks[0]?.progress.completed).toBe(1_000);
  });

  it("renders a selection only when it changes, though the selector is another one with each render", async () => {
    const id = backend.begin("tick");
    backend.run(id);
    const statuses = (): Shown => ({
      use: "tasks",
      select: ({ tasks }) => tasks.map(({ status }) => status),
      isEqual: (a, b) => String(a) === String(b),
    });
    const shown = await mount(statuses());
    const [before, selected] = [shown.renders(), shown.state()];
    expect(selected).toEqual(["running"]);
    for (const completed of [1, 2, 3]) {
      backend.report(id, completed);
      await pass();
    }
    expect(shown.renders()).toBe(before);
    await shown.rerender(statuses());
    await pass();
    expect(shown.state()).toBe(selected);
    backend.complete(id, 4);
    await pass();
    expect(shown.state()).toEqual(["completed"]);
    expect(backend.calls("watch")).toBe(1);
  });

  it("uses a selector that has changed", async () => {
    backend.begin("tick");
    const shown = await mount({ use: "tasks", select: ({ tasks }) => tasks.length });
    await shown.rerender({ use: "tasks", select: ({ tasks }) => `${tasks.length} tasks` });
    expect(shown.state()).toBe("1 tasks");
  });
}
