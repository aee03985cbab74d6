/** What each adapter must do, whatever the framework. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Backend, FRAME_MS, GRACE_MS, loadBackend } from "./backend.js";
import type { Harness, LoadHarness, Mounted, Shown } from "./harness.js";

let backend: Backend;
let harness: Harness;

/** Runs all cases against an adapter. */
export function describeAdapter(name: string, load: LoadHarness): void {
  describe(name, () => {
    beforeEach(async () => {
      backend = await loadBackend();
      harness = await load(backend.tasks);
    });
    afterEach(() => {
      harness.cleanUp();
      backend.unload();
    });
    describe("a task", describeTask);
    describe("a list", describeList);
    describe("a start", describeStart);
    describe("a batch", describeBatch);
    describe("progress", describeProgress);
    describe("items", describeItems);
    describe("mounting and unmounting", describeMounts);
  });
}

function describeTask(): void {
  it("shows the current state to a component that comes late", async () => {
    const id = backend.begin("tick");
    const first = await mount({ use: "task", name: "tick", id });
    backend.report(id, 3);
    await pass();
    const late = await mount({ use: "task", name: "tick", id });
    expect(late.seen()[0]).toBe(first.state());
    expect(late.state().snapshot?.progress.completed).toBe(3);
  });

  it("never shows the old task after its id has changed", async () => {
    const [old, other] = [backend.begin("tick"), backend.begin("tick")];
    const shown = await mount({ use: "task", name: "tick", id: old });
    const before = shown.renders();
    const answer = backend.hold("watch");
    await shown.rerender({ use: "task", name: "tick", id: other });
    expect(shown.state()).toEqual({ state: "loading" });
    backend.report(old, 1);
    await pass();
    answer();
    await pass();
    expect(idsSince(shown, before)).toEqual([other]);
    expect(shown.state().task.id).toBe(other);
  });

  it("never shows a task whose attach is answered after the id has changed", async () => {
    const [old, other] = [backend.begin("tick"), backend.begin("tick")];
    const answer = backend.hold("watch");
    const shown = await mount({ use: "task", name: "tick", id: old });
    await shown.rerender({ use: "task", name: "tick", id: other });
    answer();
    await pass(2 * GRACE_MS);
    expect(idsSince(shown, 0)).toEqual([other]);
    expect(backend.kept().followed).toBe(1);
  });

  it("is idle without an id", async () => {
    const id = backend.begin("tick");
    const shown = await mount({ use: "task", name: "tick", id });
    await shown.rerender({ use: "task", name: "tick", id: null });
    expect(shown.state()).toEqual({ state: "idle" });
    await shown.rerender({ use: "task", name: "tick", id: undefined });
    expect(shown.state()).toEqual({ state: "idle" });
  });

  it("goes on in a new session", async () => {
    const id = backend.begin("tick");
    const shown = await mount({ use: "task", name: "tick", id });
    backend.disconnect();
    backend.run(id);
    await pass(60_000);
    backend.report(id, 7);
    await pass();
    expect(shown.state().snapshot).toMatchObject({ status: "running", progress: { completed: 7 } });
  });

  it("shows an end that comes while the connection is lost, or before the attach is answered", async () => {
    const [early, lost] = [backend.begin("tick"), backend.begin("tick")];
    const follower = await mount({ use: "task", name: "tick", id: lost });
    const answer = backend.hold("watch");
    const latecomer = await mount({ use: "task", name: "tick", id: early });
    backend.complete(early, 1);
    answer();
    backend.disconnect();
    backend.complete(lost, 2);
    await pass(60_000);
    for (const shown of [follower, latecomer]) {
      expect(shown.state().snapshot?.status).toBe("completed");
    }
  });

  it("shows why a task can't be followed, and another one after that", async () => {
    const [gone, id] = [backend.begin("tick"), backend.begin("tick")];
    backend.forget(gone);
    const shown = await mount({ use: "task", name: "tick", id: gone });
    expect(shown.state()).toMatchObject({ state: "error", error: { kind: "notFound" } });
    await shown.rerender({ use: "task", name: "tick", id });
    await pass();
    expect(shown.state().state).toBe("ready");
  });

  it("renders no more than 60 times a second", async () => {
    const id = backend.begin("tick");
    const shown = await mount({ use: "task", name: "tick", id });
    await expectFewRenders(shown, (count) => backend.report(id, count));
    expect(shown.state().snapshot?.progress.completed).toBe(1_000);
  });
}

function describeList(): void {
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
    const statuses = (): Shown => ({
      use: "tasks",
      select: ({ tasks }) => tasks.map(({ status }) => status),
      isEqual: (a, b) => String(a) === String(b),
    });
    const shown = await mount(statuses());
    const [before, selected] = [shown.renders(), shown.state()];
    expect(selected).toEqual(["queued"]);
    for (const completed of [1, 2, 3]) {
      backend.report(id, completed);
      await pass();
    }
    expect(shown.renders()).toBe(before);
    await shown.rerender(statuses());
    await pass();
    expect(shown.state()).toBe(selected);
    backend.run(id);
    await pass();
    expect(shown.state()).toEqual(["running"]);
    expect(backend.calls("watch")).toBe(1);
  });

  it("uses a selector that has changed", async () => {
    backend.begin("tick");
    const shown = await mount({ use: "tasks", select: ({ tasks }) => tasks.length });
    await shown.rerender({ use: "tasks", select: ({ tasks }) => `${tasks.length} tasks` });
    expect(shown.state()).toBe("1 tasks");
  });
}

function describeStart(): void {
  it("starts nothing unasked, and once for each call", async () => {
    const shown = await harness.mountTwice({ use: "start", name: "tick" });
    await pass();
    await shown.rerender({ use: "start", name: "tick", defaults: { label: "Tick" } });
    await pass(2 * GRACE_MS);
    expect([shown.state().state, backend.calls("start")]).toEqual(["idle", 0]);
    await act(() => shown.controls().start());
    await pass(2 * GRACE_MS);
    expect(backend.calls("start")).toBe(1);
  });

  it("shows each state of the task, and its output with the end", async () => {
    const shown = await mount({ use: "start", name: "tick" });
    const { id } = await started(shown);
    backend.run(id);
    await pass();
    backend.complete(id, 7);
    await pass();
    const states = shown.seen().map(({ state }) => state);
    expect([...new Set(states)]).toEqual(["idle", "starting", "queued", "running", "completed"]);
    expect(shown.state()).toMatchObject({ output: 7, snapshot: { id }, task: { id } });
  });

  it("shows an end that comes before the answer to the start", async () => {
    const shown = await mount({ use: "start", name: "tick" });
    backend.completeNext(3);
    await started(shown);
    await pass();
    expect(shown.state()).toMatchObject({ state: "completed", output: 3 });
  });

  it("keeps its functions, and starts with the newest defaults", async () => {
    const shown = await mount({ use: "start", name: "tick", defaults: { label: "old" } });
    const { start, cancel, reset } = shown.controls();
    await shown.rerender({ use: "start", name: "tick", defaults: { label: "new" } });
    await started(shown);
    expect(shown.controls()).toMatchObject({ start, cancel, reset });
    expect(shown.state().snapshot?.label).toBe("new");
  });

  it("shows why a start was refused, and cancels nothing then", async () => {
    const shown = await mount({ use: "start", name: "tick" });
    backend.refuseStart();
    await act(() =>
      shown
        .controls()
        .start()
        .catch(() => {}),
    );
    await pass();
    expect(shown.state()).toMatchObject({ state: "refused", error: { kind: "notAllowed" } });
    await act(() => shown.controls().cancel());
    await act(async () => shown.controls().reset());
    expect(shown.state().state).toBe("idle");
  });

  it("cancels its task when told so", async () => {
    const shown = await mount({ use: "start", name: "tick" });
    const { id } = await started(shown);
    await act(() => shown.controls().cancel("enough"));
    await pass();
    expect(await backend.reasonOf(id)).toBe("enough");
  });

  it("leaves its task alone when it is unmounted", async () => {
    const shown = await mount({ use: "start", name: "tick" });
    const { id } = await started(shown);
    shown.unmount();
    await pass(2 * GRACE_MS);
    expect(await backend.reasonOf(id)).toBeNull();
    expect([backend.calls("cancel"), backend.calls("leave")]).toEqual([0, 0]);
  });

  it("gives its task up when it is unmounted, if asked", async () => {
    const defaults = { cancelOnUnmount: true };
    const shown = await harness.mountTwice({ use: "start", name: "tick", defaults });
    const { id } = await started(shown);
    await pass(2 * GRACE_MS);
    expect(await backend.reasonOf(id)).toBeNull();
    shown.unmount();
    await pass(2 * GRACE_MS);
    expect(await backend.reasonOf(id)).toBe("signal");
  });

  it("follows nothing if it is unmounted before the start is answered", async () => {
    const before = await keptAtRest();
    const shown = await mount({ use: "start", name: "tick" });
    const answer = backend.hold("start");
    await act(async () => void shown.controls().start());
    shown.unmount();
    await pass(2 * GRACE_MS);
    answer();
    await pass(2 * GRACE_MS);
    expect(backend.kept()).toEqual(before);
  });

  it("follows nothing after a reset", async () => {
    const before = await keptAtRest();
    const shown = await mount({ use: "start", name: "tick" });
    const answer = backend.hold("start");
    await act(async () => void shown.controls().start());
    await act(async () => shown.controls().reset());
    answer();
    await pass(2 * GRACE_MS);
    expect(shown.state().state).toBe("idle");
    expect(backend.kept()).toEqual(before);
  });
}

function describeBatch(): void {
  it("starts many at once, and shows what comes of them", async () => {
    const shown = await mount({ use: "batch", name: "tick", defaults: { label: "All" } });
    await act(() => shown.controls().start([null, null]));
    await pass();
    expect(shown.state()).toMatchObject({ state: "running", snapshot: { label: "All" } });
    const members = (await backend.tasks.list({ parent: shown.state().task.id })).tasks;
    members.forEach(({ id }, index) => {
      backend.complete(id, index);
    });
    await pass();
    await pass();
    expect(shown.state()).toMatchObject({
      state: "completed",
      output: [{ value: 0 }, { value: 1 }],
    });
  });
}

function describeProgress(): void {
  it("shows the newest progress of a task, at most 60 times a second", async () => {
    const id = backend.begin("tick");
    const task = await attached("tick", id);
    const shown = await mount({ use: "progress", task });
    expect(shown.state().completed).toBe(0);
    await expectFewRenders(shown, (count) => backend.report(id, count));
    expect(shown.state().completed).toBe(1_000);
  });

  it("has what the handle knows with the first render", async () => {
    const id = backend.begin("tick");
    backend.report(id, 4);
    const shown = await mount({ use: "progress", task: await attached("tick", id) });
    expect(new Set(shown.seen().map(({ completed }) => completed))).toEqual(new Set([4]));
  });

  it("is undefined without a task, and never that of the old one", async () => {
    const [old, other] = [backend.begin("tick"), backend.begin("tick")];
    backend.report(old, 5);
    backend.report(other, 6);
    const shown = await mount({ use: "progress", task: await attached("tick", old) });
    const before = shown.renders();
    await shown.rerender({ use: "progress", task: await attached("tick", other) });
    await pass();
    expect(
      new Set(
        shown
          .seen()
          .slice(before)
          .map(({ completed }) => completed),
      ),
    ).toEqual(new Set([6]));
    await shown.rerender({ use: "progress", task: null });
    expect(shown.state()).toBeUndefined();
  });

  it("goes on when the handle is let go of", async () => {
    const id = backend.begin("tick");
    const task = await attached("tick", id);
    const shown = await mount({ use: "progress", task });
    task.detach();
    backend.report(id, 2);
    await pass();
    expect(shown.state().completed).toBe(2);
  });
}

function describeItems(): void {
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

function describeMounts(): void {
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

/** Mounts a component, and returns when it has rendered what comes at once. */
async function mount(shown: Shown): Promise<Mounted> {
  const mounted = await harness.mount(shown);
  await pass(0);
  return mounted;
}

async function act(change: () => unknown): Promise<void> {
  await harness.act(async () => {
    await change();
  });
}

async function pass(ms?: number): Promise<void> {
  await harness.act(() => backend.advance(ms));
}

/** Starts a task by what is shown, and returns it when that has rendered. */
async function started(shown: Mounted): Promise<{ readonly id: string }> {
  let task = { id: "" };
  await act(async () => {
    task = await shown.controls().start();
  });
  await pass();
  return task;
}

/** Returns a handle, without following the task by it. */
async function attached(name: "tick" | "tail", id: string) {
  const task = await backend.tasks.attach(name, id);
  task.detach();
  return task;
}

/** Returns what is kept when nothing is mounted. The session is open. */
async function keptAtRest() {
  await backend.tasks.list();
  return backend.kept();
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

/** Returns the ids that were shown since a render, each once. */
function idsSince(shown: Mounted, render: number): string[] {
  const since = shown.seen().slice(render);
  return [...new Set(since.flatMap(({ snapshot }) => snapshot?.id ?? []))];
}

/** Makes 1,000 changes in a second, each of which may render by itself. */
async function expectFewRenders(shown: Mounted, change: (count: number) => void): Promise<void> {
  const before = shown.renders();
  for (let count = 1; count <= 1_000; count += 1) {
    change(count);
    await pass(1);
  }
  const renders = shown.renders() - before;
  await pass(2 * FRAME_MS);
  expect(renders).toBeLessThanOrEqual(60);
  expect(renders).toBeGreaterThan(20);
}
