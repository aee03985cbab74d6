import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { emptyProgress } from "../../mocks/plugin/progress.js";
import type { TaskSnapshot } from "../ipc/bindings.js";
import { type LoadedPage, loadPage, settle, stateOf } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

/** Returns a short form of what a list shows. */
function short(snapshots: readonly TaskSnapshot[]): string {
  return snapshots.map((s) => `${s.id.slice(-1)} ${s.status} ${s.progress.completed}`).join(", ");
}

describe("a live list", () => {
  it("first shows all tasks, oldest first, then what changes", async () => {
    const { plugin, tasks } = page;
    const old = plugin.begin("tick");
    vi.advanceTimersByTime(5);
    plugin.begin("tick");
    const seen: string[] = [];
    const stop = await tasks.watch({}, (all) => seen.push(short(all)));
    plugin.status(old, "running");
    plugin.progress(old, { completed: 1 });
    plugin.progress(old, { completed: 2 });
    await plugin.frame();
    plugin.begin("tick");
    plugin.complete(old, 1);
    plugin.evict(old);
    await plugin.frame();
    expect(seen).toEqual([
      "1 queued 0, 2 queued 0",
      "1 running 2, 2 queued 0",
      "2 queued 0, 3 queued 0",
    ]);
    stop();
  });

  it("passes on a new array each time", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    const seen: TaskSnapshot[][] = [];
    await tasks.watch({}, (all) => seen.push(all));
    plugin.status(id, "running");
    await plugin.frame();
    expect(seen[0]).not.toBe(seen[1]);
    expect(seen[0]?.[0]?.status).toBe("queued");
  });

  it("drops tasks that no longer match", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    plugin.begin("download");
    const seen: string[] = [];
    await tasks.watch({ task: ["tick"], status: "queued" }, (all) => seen.push(short(all)));
    plugin.status(id, "running");
    await plugin.frame();
    expect(seen).toEqual(["1 queued 0", ""]);
  });

  it("holds back changes that come before the answer, and applies them after it", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    const seen: string[] = [];
    const answer = plugin.hold("watch");
    const watched = tasks.watch({}, (all) => seen.push(short(all)));
    await settle();
    plugin.status(id, "running");
    await plugin.frame();
    expect(seen).toEqual([]);
    answer();
    await watched;
    await settle();
    expect(seen).toEqual(["1 running 0"]);
  });

  it("ignores snapshots that are older than what it shows", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    const before = plugin.tasks.get(id)?.snapshot;
    plugin.status(id, "running");
    const callback = vi.fn();
    await tasks.watch({}, callback);
    if (!before) throw new Error("no snapshot");
    await plugin.push({
      message: 1,
      events: [],
      lists: [{ watch: 1, changed: [before], progressed: [], removed: ["another"] }],
      more: false,
    });
    expect(callback).toHaveBeenCalledTimes(1);
  });

  it("applies progress that comes without a snapshot", async () => {
    const { plugin, tasks } = page;
    const [one, two] = [plugin.begin("tick"), plugin.begin("tick")];
    plugin.status(one, "running");
    plugin.status(two, "running");
    const seen: TaskSnapshot[][] = [];
    await tasks.watch({}, (all) => seen.push(all));
    await settle();
    const before = seen[0]?.[0];
    plugin.progress(one, { completed: 1 });
    await plugin.frame();
    expect(seen.map(short)).toEqual(["1 running 0, 2 running 0", "1 running 1, 2 running 0"]);
    expect(before?.progress.completed).toBe(0);
    expect(seen[1]?.[0]).toEqual({ ...before, progress: { ...before?.progress, completed: 1 } });
    expect(seen[1]?.[1]).toBe(seen[0]?.[1]);
  });

  it("ignores progress of tasks that it doesn't show, and progress older than what it shows", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    plugin.status(id, "running");
    const callback = vi.fn();
    await tasks.watch({}, callback);
    const progress = { ...emptyProgress(), completed: 9 };
    const old = [
      { id, sequence: 1, progress },
      { id: "another", sequence: 5, progress },
    ];
    await plugin.push({
      message: 1,
      events: [],
      lists: [{ watch: 1, changed: [], progressed: old, removed: [] }],
      more: false,
    });
    expect(callback).toHaveBeenCalledTimes(1);
  });

  it("calls back once per message, whatever is in it", async () => {
    const { plugin, tasks } = page;
    const ids = [1, 2, 3, 4].map(() => plugin.begin("tick"));
    const seen: string[] = [];
    await tasks.watch({}, (all) => seen.push(short(all)));
    plugin.status(String(ids[0]), "running");
    plugin.progress(String(ids[1]), { completed: 5 });
    plugin.evict(String(ids[2]));
    plugin.begin("tick");
    await plugin.frame();
    expect(seen.slice(1)).toEqual(["1 running 0, 2 queued 5, 4 queued 0, 5 queued 0"]);
  });

  it("is brought up to date in a new session", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    const seen: string[] = [];
    await tasks.watch({}, (all) => seen.push(short(all)));
    plugin.dropSessions();
    plugin.complete(id, 1);
    plugin.evict(id);
    plugin.begin("tick");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seen).toEqual(["1 queued 0", "2 queued 0"]);
    plugin.begin("tick");
    await plugin.frame();
    expect(seen).toHaveLength(3);
  });

  it("never calls back after it was stopped, and makes the plugin stop, too", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    const callback = vi.fn();
    const stop = await tasks.watch({}, callback);
    await settle();
    plugin.status(id, "running");
    stop();
    stop();
    await plugin.frame();
    expect(callback).toHaveBeenCalledTimes(1);
    expect(plugin.calls("unwatch")).toEqual([
      {
        session: plugin.session().nonce,
        target: { type: "list", data: { watch: 1, filter: {} } },
      },
    ]);
    expect(page.kept()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("can be stopped by its own callback, even by the first call", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    const batch = await tasks.batch("tick", [null]);
    const callback = vi.fn();
    const stop = await tasks.watch({}, (all) => {
      callback(all.length);
      stop();
    });
    expect(callback).not.toHaveBeenCalled();
    const stopMembers = await batch.watchMembers((all) => {
      callback(all.length);
      stopMembers();
    });
    await settle();
    plugin.status(id, "running");
    plugin.status(String(plugin.members(batch.id)[0]), "running");
    await plugin.frame();
    expect(callback.mock.calls).toEqual([[3], [1]]);
    expect(page.page.lists.size).toBe(0);
  });

  it("leaves a refusal that nobody handles to the page", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    page.plugin.refuse("watch", { kind: "notAllowed", message: "no", data: null });
    void page.tasks.watch({}, () => {});
    await settle();
    vi.useRealTimers();
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", unhandled);
    expect(unhandled).toHaveBeenCalledTimes(1);
  });

  it("never calls back if it is stopped before the first call", async () => {
    const { plugin, tasks } = page;
    plugin.begin("tick");
    const callback = vi.fn();
    (await tasks.watch({}, callback))();
    await settle();
    expect(callback).not.toHaveBeenCalled();
  });

  it("first shows the newest state, once", async () => {
    const { plugin, tasks } = page;
    plugin.begin("tick");
    const seen: string[] = [];
    const watched = tasks.watch({}, (all) => seen.push(short(all)));
    const stop = await watched;
    const before = [...plugin.tasks.values()].map(({ snapshot }) => snapshot);
    const changed = before.map((one) => ({ ...one, sequence: 2, status: "running" as const }));
    page.page.lists.receive(
      [{ watch: 1, changed, progressed: [], removed: [] }],
      false,
      plugin.session().nonce,
    );
    expect(seen).toEqual([]);
    await settle();
    expect(seen).toEqual(["1 running 0"]);
    stop();
  });

  it("leaves nothing behind when it is refused", async () => {
    const { plugin, tasks } = page;
    plugin.refuse("watch", { kind: "internal", message: "no", data: null });
    const callback = vi.fn();
    await expect(tasks.watch({}, callback)).rejects.toMatchObject({ kind: "internal" });
    await settle();
    expect(callback).not.toHaveBeenCalled();
    expect(page.kept()).toBe(0);
  });

  it("is separate from another live list", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    const ticks = vi.fn();
    const downloads = vi.fn();
    await tasks.watch({ task: "tick" }, ticks);
    await tasks.watch({ task: "download" }, downloads);
    plugin.status(id, "running");
    await plugin.frame();
    expect([ticks.mock.calls.length, downloads.mock.calls.length]).toEqual([2, 1]);
  });

  it("continues when its callback throws", async () => {
    const { plugin, tasks } = page;
    vi.stubGlobal("reportError", vi.fn());
    const id = plugin.begin("tick");
    const callback = vi.fn(() => {
      throw new Error("mine");
    });
    await tasks.watch({}, callback);
    plugin.status(id, "running");
    await plugin.frame();
    expect(callback).toHaveBeenCalledTimes(2);
    expect(plugin.calls("ack")).toHaveLength(1);
    vi.unstubAllGlobals();
  });
});

describe("a live list with an AbortSignal", () => {
  it("is not requested if the signal is already aborted", async () => {
    const { plugin, tasks } = page;
    const watched = tasks.watch({}, () => {}, { signal: AbortSignal.abort("no") });
    await expect(watched).rejects.toBe("no");
    expect(plugin.commands()).toEqual([]);
  });

  it("rejects if the signal is aborted before the answer, and is released after the answer", async () => {
    const { plugin, tasks } = page;
    const controller = new AbortController();
    const callback = vi.fn();
    const answer = plugin.hold("watch");
    const watched = tasks.watch({}, callback, { signal: controller.signal });
    await settle();
    controller.abort("no");
    expect(await stateOf(watched)).toEqual({ reason: "no" });
    expect(plugin.calls("unwatch")).toEqual([]);
    answer();
    await settle();
    expect(callback).not.toHaveBeenCalled();
    expect(plugin.calls("unwatch")).toHaveLength(1);
    expect(page.kept()).toBe(0);
  });

  it("is not requested again when it was stopped while its session was lost", async () => {
    const { plugin, tasks } = page;
    const controller = new AbortController();
    const answer = plugin.hold("watch");
    const watched = tasks.watch({}, () => {}, { signal: controller.signal });
    await settle();
    controller.abort("no");
    expect(await stateOf(watched)).toEqual({ reason: "no" });
    // The page learns of the loss through another call, before the answer comes.
    plugin.dropSessions();
    await tasks.start("tick");
    answer();
    await vi.advanceTimersByTimeAsync(30_000);
    const left = [...plugin.sessions.values()].map((session) => session.lists.size);
    expect(left).toEqual([0]);
  });

  it("stops when the signal is aborted later, and removes its listener when it is stopped", async () => {
    const { plugin, tasks } = page;
    const controller = new AbortController();
    const removed = vi.spyOn(controller.signal, "removeEventListener");
    const callback = vi.fn();
    await tasks.watch({}, callback, { signal: controller.signal });
    const stop = await tasks.watch({}, callback, { signal: controller.signal });
    await settle();
    stop();
    expect(removed).toHaveBeenCalledTimes(1);
    controller.abort("enough");
    plugin.begin("tick");
    await plugin.frame();
    expect(callback).toHaveBeenCalledTimes(2);
    expect(page.kept()).toBe(0);
  });
});

describe("changes that don't fit into one message", () => {
  it("are one update of a list with a pace, and leave room for the events of a task", async () => {
    const { plugin, tasks } = page;
    const ids = Array.from({ length: 50 }, () => plugin.begin("tick"));
    const task = await tasks.start("tick");
    const statuses: string[] = [];
    task.onStatus((status) => statuses.push(status));
    const seen: number[] = [];
    await tasks.watch(
      {},
      (all) => seen.push(all.filter(({ status }) => status === "running").length),
      { everyMs: 50 },
    );
    await vi.advanceTimersByTimeAsync(60);
    for (const id of [...ids, task.id]) plugin.status(id, "running");
    await plugin.frame();
    expect(plugin.sent.length).toBeGreaterThan(2);
    expect(plugin.sent[0]?.events).toHaveLength(1);
    expect(plugin.sent.map(({ more }) => more)).toEqual([
      ...plugin.sent.slice(1).map(() => true),
      false,
    ]);
    for (const message of plugin.sent)
      expect(JSON.stringify(JSON.stringify(message)).length).toBeLessThan(9_000);
    expect(statuses).toEqual(["queued", "running"]);
    expect(seen).toEqual([0, 51]);
  });
});

describe("a query or a reason that the plugin doesn't know", () => {
  it("is refused by the plugin, and the error passed on", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const query = { status: "done" as "completed" };
    const calls = [
      () => tasks.list(query),
      () => tasks.watch(query, () => {}),
      () => tasks.cancelAll(query),
      () => task.cancel("shutdown"),
      () => tasks.cancelAll({ all: true }, "parent"),
    ];
    for (const call of calls)
      await expect(call()).rejects.toMatchObject({ kind: "invalidOptions" });
    expect(page.page.lists.size).toBe(0);
    plugin.complete(task.id, 1);
    await expect(task.cancel()).rejects.toMatchObject({
      kind: "alreadyEnded",
      data: { status: "completed" },
    });
  });
});
