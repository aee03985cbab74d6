import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TaskCancelledError } from "../../core/errors/task-error.js";
import { settle } from "../../core/tests/load-page.js";
import { collect, type LoadedStores, loadStores, passGrace } from "./load-stores.js";

let page: LoadedStores;
beforeEach(async () => {
  page = await loadStores();
});
afterEach(() => page.unload());

describe("a store of a task", () => {
  it("opens with its first subscriber and closes some time after the last one", async () => {
    const { plugin, stores, tasks } = page;
    const id = plugin.begin("download");
    const before = page.kept();
    const store = stores.taskStore(tasks, "download", id);
    await settle();
    expect([store.getSnapshot().state, page.kept()]).toEqual(["loading", before]);
    const [one, two] = [collect(store), collect(stores.taskStore(tasks, "download", id))];
    await settle();
    expect(one.seen.map(({ state }) => state)).toEqual(["loading", "ready"]);
    expect(two.seen.at(-1)).toBe(one.seen.at(-1));
    one.stop();
    one.stop();
    await passGrace();
    expect(store.getSnapshot().state).toBe("ready");
    two.stop();
    await vi.advanceTimersByTimeAsync(99);
    expect(store.getSnapshot().state).toBe("ready");
    await passGrace();
    await settle();
    expect([store.getSnapshot().state, page.kept()]).toEqual(["loading", before]);
  });

  it("goes on for a subscriber that comes back at once", async () => {
    const { plugin, stores, tasks } = page;
    const id = plugin.begin("download");
    const store = stores.taskStore(tasks, "download", id);
    const first = collect(store);
    await settle();
    const calls = plugin.calls("watch").length;
    first.stop();
    await vi.advanceTimersByTimeAsync(50);
    const second = collect(store);
    await passGrace();
    expect(second.seen).toEqual([first.seen.at(-1)]);
    expect(plugin.calls("watch").length).toBe(calls);
  });

  it("shows each change with another object, and the end", async () => {
    const { plugin, stores, tasks } = page;
    const id = plugin.begin("download");
    const { seen } = collect(stores.taskStore(tasks, "download", id));
    await settle();
    plugin.status(id, "running");
    plugin.progress(id, { completed: 1 });
    plugin.progress(id, { completed: 2 });
    await plugin.frame();
    plugin.complete(id, "path");
    await plugin.frame();
    const shown = seen.map(({ snapshot }) => `${snapshot?.status} ${snapshot?.progress.completed}`);
    expect(shown.slice(0, 2)).toEqual(["undefined undefined", "queued 0"]);
    expect(shown.at(-1)).toBe("completed 2");
    expect(new Set(seen).size).toBe(seen.length);
  });

  it("ends an unsubscribed attach before it is answered", async () => {
    const { plugin, stores, tasks } = page;
    const id = plugin.begin("download");
    const before = page.kept();
    const open = plugin.hold("watch");
    const { seen, stop } = collect(stores.taskStore(tasks, "download", id));
    await settle();
    stop();
    await passGrace();
    open();
    await settle();
    await plugin.frame();
    expect([seen.map(({ state }) => state), page.kept()]).toEqual([["loading"], before]);
  });

  it("shows why a task can't be followed, and tries again for a new subscriber", async () => {
    const { plugin, stores, tasks } = page;
    const store = stores.taskStore(tasks, "download", "01890000-0000-7000-8000-000000000099");
    const { stop } = collect(store);
    await settle();
    expect(store.getSnapshot().error?.kind).toBe("notFound");
    stop();
    await passGrace();
    expect(store.getSnapshot().state).toBe("loading");
    const id = plugin.begin("download");
    collect(stores.taskStore(tasks, "download", id));
  });

  it("is idle without an id", () => {
    const { stores, tasks } = page;
    for (const id of [null, undefined]) {
      expect(stores.taskStore(tasks, "download", id).getSnapshot()).toEqual({ state: "idle" });
    }
  });
});

describe("a store of a list", () => {
  it("shares one watch with those of equal queries", async () => {
    const { plugin, stores, tasks } = page;
    plugin.begin("tick");
    const queries = [
      { task: "tick", status: ["queued", "running"] },
      { status: ["running", "queued"], task: ["tick"], tag: undefined },
    ] as const;
    const lists = queries.map((query) => collect(stores.listStore(tasks, query)));
    await settle();
    expect(lists.map(({ seen }) => seen.at(-1)?.tasks.length)).toEqual([1, 1]);
    expect(lists[0]?.seen.at(-1)).toBe(lists[1]?.seen.at(-1));
    expect(plugin.calls("watch").length).toBe(1);
    for (const { stop } of lists) stop();
    await passGrace();
    await settle();
    expect(plugin.calls("unwatch").length).toBe(1);
  });

  it("keeps the objects of tasks that have not changed, in a new session too", async () => {
    const { plugin, stores, tasks } = page;
    const [still, moves] = [plugin.begin("tick"), plugin.begin("tick")];
    const { seen } = collect(stores.listStore(tasks));
    await settle();
    plugin.status(moves, "running");
    await plugin.frame();
    plugin.dropSessions();
    await vi.advanceTimersByTimeAsync(60_000);
    await settle();
    plugin.status(moves, "cancelling");
    await plugin.frame();
    await settle();
    const rows = seen.map(({ tasks }) => tasks.find(({ id }) => id === still)).filter(Boolean);
    expect(new Set(rows).size).toBe(1);
    expect(seen.at(-1)?.tasks[1]?.status).toBe("cancelling");
  });

  it("shows an error with what was known, and recovers when the plugin can be reached again", async () => {
    const { plugin, stores, tasks } = page;
    plugin.begin("tick");
    plugin.refuse("open", "the connection is broken");
    const { seen } = collect(stores.listStore(tasks));
    await settle();
    expect(seen.at(-1)).toMatchObject({ state: "error", tasks: [], error: { kind: "ipc" } });
    await vi.advanceTimersByTimeAsync(5_000);
    await settle();
    expect(seen.at(-1)).toMatchObject({ state: "ready" });
    expect(seen.at(-1)?.tasks.length).toBe(1);
  });

  it("does not try again what is refused", async () => {
    const { plugin, stores, tasks } = page;
    plugin.refuse("watch", { kind: "invalidOptions", message: "no" });
    const { seen } = collect(stores.listStore(tasks));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(seen.at(-1)?.error?.kind).toBe("invalidOptions");
    expect(plugin.calls("watch").length).toBe(1);
  });
});

describe("a selection", () => {
  it("changes only with what it selects", async () => {
    const { plugin, stores, tasks } = page;
    const id = plugin.begin("tick");
    const selector = vi.fn(({ tasks }: { tasks: readonly { status: string }[] }) =>
      tasks.map(({ status }) => status),
    );
    const { seen } = collect(
      stores.select(stores.listStore(tasks), selector, (a, b) => String(a) === String(b)),
    );
    await settle();
    plugin.status(id, "running");
    await plugin.frame();
    plugin.progress(id, { completed: 1 });
    await plugin.frame();
    plugin.progress(id, { completed: 2 });
    await plugin.frame();
    expect(seen).toEqual([[], ["queued"], ["running"]]);
    // Once for each state, not for each look.
    expect(selector.mock.calls.length).toBe(5);
  });

  it("tells of a change between a look and the subscription", async () => {
    const { plugin, stores, tasks } = page;
    const id = plugin.begin("tick");
    const list = stores.listStore(tasks);
    collect(list);
    await settle();
    const statuses = stores.select(list, ({ tasks }) => tasks.map(({ status }) => status).join());
    const looked = statuses.getSnapshot();
    plugin.status(id, "running");
    await plugin.frame();
    const onChange = vi.fn();
    statuses.subscribe(onChange);
    await settle();
    expect([looked, statuses.getSnapshot(), onChange.mock.calls.length]).toEqual([
      "queued",
      "running",
      1,
    ]);
  });
});

describe("a start", () => {
  it("shows what comes of it, with its output at the end", async () => {
    const { plugin, stores, tasks } = page;
    const store = stores.startStore(tasks, "tick");
    const { seen } = collect(store);
    const task = await store.start();
    plugin.status(task.id, "running");
    await plugin.frame();
    plugin.complete(task.id, 7);
    await plugin.frame();
    await settle();
    expect(seen.map(({ state }) => state)).toEqual([
      "idle",
      "starting",
      "queued",
      "running",
      "completed",
    ]);
    expect([seen.at(-1)?.output, seen.at(-1)?.task]).toEqual([7, task]);
  });

  it("shows why it failed or was refused, and reports no rejection that nobody handles", async () => {
    const { plugin, stores, tasks } = page;
    const store = stores.startStore(tasks, "tick");
    const { seen } = collect(store);
    plugin.refuse("start", { kind: "notAllowed", message: "no" });
    void store.start();
    await settle();
    expect(seen.at(-1)).toMatchObject({ state: "refused", error: { kind: "notAllowed" } });
    const task = await store.start();
    plugin.end(task.id, { status: "cancelled", data: { reason: "user" } } as never);
    await plugin.frame();
    await settle();
    expect(seen.at(-1)).toMatchObject({ state: "cancelled", error: { kind: "cancelled" } });
  });

  it("shows the newest of two, while the older goes on", async () => {
    const { plugin, stores, tasks } = page;
    const store = stores.startStore(tasks, "tick");
    const { seen } = collect(store);
    const open = plugin.hold("start");
    const older = store.start();
    await settle();
    const newer = store.start();
    open();
    await settle();
    expect(seen.at(-1)?.task).toBe(await newer);
    expect((await tasks.get((await older).id)).status).toBe("queued");
  });

  it("lets go of its task when nobody subscribes, and shows it again", async () => {
    const { plugin, stores, tasks } = page;
    const before = page.kept();
    const store = stores.startStore(tasks, "tick");
    const first = collect(store);
    const task = await store.start();
    await settle();
    expect(page.kept()).toBeGreaterThan(before);
    first.stop();
    await passGrace();
    await settle();
    expect(page.kept()).toBe(before);
    expect([plugin.calls("cancel"), plugin.calls("leave")]).toEqual([[], []]);
    const again = collect(store);
    await settle();
    plugin.status(task.id, "running");
    await plugin.frame();
    expect(again.seen.at(-1)?.state).toBe("running");
  });

  it("lets go of a task that is answered when nobody subscribes, unless its caller waits", async () => {
    const { plugin, stores, tasks } = page;
    const store = stores.startStore(tasks, "tick");
    await tasks.list();
    const before = page.kept();
    await store.start();
    await passGrace();
    await settle();
    expect(page.kept()).toBe(before);
    const task = await store.start();
    const result = task.result;
    await passGrace();
    plugin.complete(task.id, 7);
    await plugin.frame();
    expect(await result).toBe(7);
  });

  it("reads its defaults at each start", async () => {
    const { stores, tasks } = page;
    let label = "old";
    const store = stores.startStore(tasks, "tick", () => ({ label }));
    label = "new";
    expect((await store.start()).snapshot.label).toBe("new");
    expect((await store.start(null, { label: "own" })).snapshot.label).toBe("own");
  });

  it("cancels nothing after a refusal", async () => {
    const { plugin, stores, tasks } = page;
    const store = stores.startStore(tasks, "tick");
    plugin.refuse("start", { kind: "notAllowed", message: "no" });
    void store.start();
    await store.cancel();
    expect(store.getSnapshot().state).toBe("refused");
    expect(plugin.calls("cancel")).toEqual([]);
  });

  it("keeps following while somebody waits for the result", async () => {
    const { plugin, stores, tasks } = page;
    const store = stores.startStore(tasks, "tick");
    const { stop } = collect(store);
    const task = await store.start();
    const result = task.result;
    stop();
    await passGrace();
    plugin.complete(task.id, 7);
    await plugin.frame();
    expect(await result).toBe(7);
  });

  it("gives its share back when nobody subscribes, only if asked", async () => {
    const { plugin, stores, tasks } = page;
    const store = stores.startStore(tasks, "tick", { cancelOnUnmount: true });
    const { stop } = collect(store);
    const task = await store.start();
    stop();
    await passGrace();
    await settle();
    await plugin.frame();
    expect((await tasks.get(task.id)).cancelReason).toBe("signal");
  });

  it("is cancelled when nobody subscribes before the answer, if asked", async () => {
    const { plugin, stores, tasks } = page;
    const store = stores.startStore(tasks, "tick", { cancelOnUnmount: true });
    const { stop } = collect(store);
    const answer = plugin.hold("start");
    const started = store.start();
    stop();
    await passGrace();
    await expect(started).rejects.toMatchObject({ name: "AbortError" });
    const { state, error } = store.getSnapshot();
    expect([state, error?.kind, error instanceof TaskCancelledError && error.reason]).toEqual([
      "cancelled",
      "cancelled",
      "signal",
    ]);
    answer();
    await settle();
    await plugin.frame();
    const [task] = (await tasks.list()).tasks;
    expect(task?.cancelReason).toBe("signal");
  });

  it("cancels what is being started, and what has ended without an error", async () => {
    const { plugin, stores, tasks } = page;
    const store = stores.startStore(tasks, "tick");
    await store.cancel();
    collect(store);
    const open = plugin.hold("start");
    const started = store.start();
    const cancelled = store.cancel("no more");
    open();
    await cancelled;
    const { id } = await started;
    expect((await tasks.get(id)).cancelReason).toBe("no more");
    await plugin.frame();
    await store.cancel();
    store.reset();
    expect(store.getSnapshot()).toEqual({ state: "idle" });
  });

  it("starts batches", async () => {
    const { stores, tasks } = page;
    const store = stores.batchStore(tasks, "download", { label: "All" });
    collect(store);
    const batch = await store.start([{ url: "a" }, { url: "b" }] as never, { tags: ["x"] });
    await settle();
    expect(store.getSnapshot().snapshot).toMatchObject({ label: "All", tags: ["x"] });
    expect(store.getSnapshot().task).toBe(batch);
  });
});

describe("a store of items", () => {
  it("keeps the newest items, and goes on with the same reading", async () => {
    const { plugin, stores, tasks } = page;
    const id = plugin.begin("tail");
    const first = collect(stores.itemsStore(tasks, "tail", id, { limit: 3 }));
    await settle();
    plugin.emit(id, 1, 2);
    await vi.advanceTimersByTimeAsync(20);
    first.stop();
    await vi.advanceTimersByTimeAsync(50);
    const second = collect(stores.itemsStore(tasks, "tail", id, { limit: 3 }));
    plugin.emit(id, 3, 4);
    await vi.advanceTimersByTimeAsync(20);
    expect(first.seen.at(-1)).toEqual({ items: [1, 2], missed: 0, done: false });
    expect(second.seen.at(-1)).toEqual({ items: [2, 3, 4], missed: 0, done: false });
    plugin.complete(id, 4);
    await plugin.frame();
    await vi.advanceTimersByTimeAsync(20);
    expect(second.seen.at(-1)).toEqual({ items: [2, 3, 4], missed: 0, done: true });
  });

  it("has one reading for all limits", async () => {
    const { plugin, stores, tasks } = page;
    const id = plugin.begin("tail");
    const [few, more] = [2, 3].map((limit) => stores.itemsStore(tasks, "tail", id, { limit }));
    const shown = [few, more].map((store) => store && collect(store));
    await settle();
    plugin.emit(id, 1, 2, 3, 4);
    await vi.advanceTimersByTimeAsync(20);
    expect(shown.map((one) => one?.seen.at(-1))).toEqual([
      { items: [3, 4], missed: 0, done: false },
      { items: [2, 3, 4], missed: 0, done: false },
    ]);
    expect(few?.getSnapshot()).toBe(few?.getSnapshot());
  });

  it("changes at most once a frame, however fast items come", async () => {
    const { plugin, stores, tasks } = page;
    const id = plugin.begin("tail");
    const { seen } = collect(stores.itemsStore(tasks, "tail", id));
    await settle();
    for (let number = 0; number < 200; number += 1) {
      plugin.emit(id, number);
      await vi.advanceTimersByTimeAsync(1);
    }
    await vi.advanceTimersByTimeAsync(20);
    expect(seen.at(-1)?.items.length).toBe(200);
    expect(seen.length).toBeLessThan(20);
  });

  it("ends its reading when nobody subscribes", async () => {
    const { plugin, stores, tasks } = page;
    const id = plugin.begin("tail");
    const { stop } = collect(stores.itemsStore(tasks, "tail", id));
    await settle();
    stop();
    await passGrace();
    await settle();
    const other = (await tasks.attach("tail", id)).items();
    plugin.emit(id, "unread");
    expect((await other.next()).value).toBe("unread");
  });
});
