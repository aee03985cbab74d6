import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type LoadedPage, loadPage, settle, stateOf } from "./load-page.js";

let page: LoadedPage;
const unhandled = vi.fn();
beforeEach(async () => {
  page = await loadPage();
  unhandled.mockClear();
  process.on("unhandledRejection", unhandled);
});
afterEach(async () => {
  page.unload();
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

const detached = { reason: expect.objectContaining({ name: "TaskError", kind: "detached" }) };

describe("copying, logging or cloning a handle", () => {
  it("starts nothing", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", { url: "secret" }, { key: "secret" });
    const batch = await tasks.batch("tick", [null]);
    const before = plugin.commands().length;
    plugin.end(task.id, { status: "failed", data: { kind: "error", message: "m", error: null } });
    plugin.end(batch.id, { status: "cancelled", data: { reason: "user" } });
    for (const handle of [task, batch]) {
      expect({ ...handle }).toEqual({});
      expect(Object.entries(handle)).toEqual([]);
      expect(structuredClone(handle)).toEqual({});
      expect(inspect(handle, { getters: true, depth: 9 })).toMatch(/^\w+Handle \{\}$/);
      expect(JSON.parse(JSON.stringify({ handle }))).toEqual({
        handle: {
          id: handle.id,
          task: handle.snapshot.task,
          status: "queued" === handle.status ? "queued" : "running",
        },
      });
      expect(`${handle}`).toBe("[object Object]");
    }
    await plugin.frame();
    await settle();
    expect(plugin.commands().slice(before)).toEqual(["ack"]);
  });

  it("keeps the methods, which are those of the class", async () => {
    const { tasks } = page;
    const task = await tasks.start("tick");
    expect(Object.getPrototypeOf(task)).toHaveProperty("rerun");
    expect(task.cancel).toBe(task.cancel);
    expect(vi.spyOn(task, "cancel").mockResolvedValue()).toBe(task.cancel);
    // As the stores of some frameworks wrap and freeze what they are given.
    const frozen = new Proxy(Object.freeze(await tasks.start("tick")), {});
    expect(frozen.status).toBe("queued");
    await frozen.cancel();
  });
});

/**
 * Wraps an object as the reactive proxies of frameworks do: whatever object is read from it is wrapped, too. Only promises are not,
 * since they don't work in a proxy.
 */
function reactive<T extends object>(target: T): T {
  return new Proxy(target, {
    get(of, key, receiver) {
      const value: unknown = Reflect.get(of, key, receiver);
      const isWrapped = typeof value === "object" && value !== null && !(value instanceof Promise);
      return isWrapped ? reactive(value) : value;
    },
  });
}

describe.each([
  ["", <T>(handle: T) => handle],
  ["frozen ", <T>(handle: T) => Object.freeze(handle)],
])("a %shandle in a reactive proxy", (_, prepare) => {
  it("has its state, its callbacks and its end", async () => {
    const { plugin, tasks } = page;
    const task = reactive(prepare(await tasks.start("tail")));
    const batch = reactive(prepare(await tasks.batch("tick", [null])));
    const seen: unknown[] = [];
    task.onStatus((status) => seen.push(status));
    task.onQueue((place) => seen.push(place?.position));
    task.onProgress(({ completed }) => seen.push(completed));
    expect([task.id, task.snapshot.task]).toEqual([plugin.calls("start")[0]?.["id"], "tail"]);
    const stop = await batch.watchMembers((members) => seen.push(members.length));
    await settle();
    stop();
    plugin.status(task.id, "running");
    plugin.progress(task.id, { completed: 5 });
    plugin.emit(task.id, "a");
    await plugin.frame();
    expect(seen).toEqual(["queued", 1, 1, undefined, "running", 5]);
    expect(task.status).toBe("running");
    expect((await task.items().next.call(undefined)).value).toBe("a");
    await task.cancel();
    plugin.complete(task.id, 7);
    await plugin.frame();
    expect(await task.result).toBe(7);
    expect(await task.outcome).toMatchObject({ status: "completed" });
    await task.closed;
    expect(JSON.stringify(task)).toContain('"status":"completed"');
    const waited = stateOf(batch.result);
    batch.detach();
    task.detach();
    expect(await waited).toEqual(detached);
    expect(page.kept()).toBe(0);
  });

  it("is disposed", async () => {
    const { plugin, tasks } = page;
    const task = reactive(prepare(await tasks.start("tick")));
    const disposed = Promise.resolve(task[Symbol.asyncDispose]());
    await settle();
    expect(plugin.calls("cancel")).toEqual([{ id: task.id, reason: "user" }]);
    task.detach();
    expect(await stateOf(disposed)).toEqual({ value: undefined });
    expect(page.kept()).toBe(0);
  });
});

describe("detach", () => {
  it("ends the callbacks of this handle alone", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const other = await tasks.attach("tick", task.id);
    const [mine, theirs] = [vi.fn(), vi.fn()];
    for (const [handle, callback] of [
      [task, mine],
      [other, theirs],
    ] as const) {
      handle.onStatus(callback);
      handle.onProgress(callback);
      handle.onQueue(callback);
    }
    await settle();
    expect(mine).toHaveBeenCalledTimes(2);
    task.onStatus(mine);
    task.detach();
    task.detach();
    task.onStatus(mine);
    plugin.status(task.id, "running");
    plugin.progress(task.id, { completed: 1 });
    await plugin.frame();
    expect(mine).toHaveBeenCalledTimes(2);
    expect(theirs).toHaveBeenCalledTimes(5);
    expect(plugin.calls("unwatch")).toEqual([]);
    // The page still follows it, for the other.
    expect(task.status).toBe("running");
  });

  it("stops following the task when no handle is left, and the task goes on", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const other = await tasks.attach("tick", task.id);
    task.detach();
    task.detach();
    expect(page.page.tasks.size).toBe(1);
    other.detach();
    await settle();
    expect(plugin.calls("unwatch")).toEqual([
      { session: plugin.session().nonce, target: { type: "task", data: { id: task.id } } },
    ]);
    expect(page.kept()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    expect(plugin.calls("leave")).toEqual([]);
    plugin.status(task.id, "running");
    await plugin.frame();
    expect(task.status).toBe("queued");
    const again = await tasks.attach("tick", task.id);
    expect(again.status).toBe("running");
  });

  it("rejects what is waited for, and what is asked for later", async () => {
    const { tasks } = page;
    const task = await tasks.start("tick");
    const waits = [stateOf(task.result), stateOf(task.outcome)];
    const closed = stateOf(task.closed);
    task.detach();
    expect(await Promise.all(waits)).toEqual([detached, detached]);
    expect(await stateOf(task.result)).toEqual(detached);
    expect(await stateOf(task.outcome)).toEqual(detached);
    expect(await closed).toEqual({ pending: true });
    const late = await tasks.attach("tick", task.id);
    late.detach();
    expect(await Promise.all([stateOf(late.result), stateOf(late.outcome)])).toEqual([
      detached,
      detached,
    ]);
  });

  it("causes no unhandled rejection of a promise that nobody waits for", async () => {
    const { tasks } = page;
    const task = await tasks.start("tick");
    const { result, outcome, closed } = task;
    task.detach();
    await settle();
    expect([result, outcome, closed]).toHaveLength(3);
  });

  it("causes none of a promise that is first read later, either", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    task.detach();
    const controller = new AbortController();
    const attached = await tasks.attach("tick", plugin.begin("tick"), {
      signal: controller.signal,
    });
    controller.abort("gone");
    const batch = await tasks.batch("tick", [null]);
    batch.detach();
    for (const handle of [task, attached, batch]) {
      expect([handle.result, handle.outcome]).toHaveLength(2);
    }
    await settle();
  });

  it("lets what could not be fetched of a known end be fetched again", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", { url: "u" });
    plugin.complete(task.id, "x".repeat(5_000));
    await plugin.frame();
    task.detach();
    for (const read of [() => task.outcome, () => task.result]) {
      plugin.refuse("outcome", "the call was lost");
      await expect(read()).rejects.toMatchObject({ kind: "ipc" });
    }
    expect(await task.result).toHaveLength(5_000);
    expect(await task.outcome).toMatchObject({ status: "completed" });
  });

  it("keeps the end that is known, and what is fetched of it", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", { url: "u" });
    plugin.complete(task.id, "x".repeat(5_000));
    await plugin.frame();
    const fetched = task.outcome;
    task.detach();
    expect(await fetched).toMatchObject({ status: "completed" });
    expect(await task.result).toHaveLength(5_000);
    expect(await stateOf(task.closed)).toEqual({ value: undefined });
  });

  it("leaves the commands of the handle", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    task.detach();
    await task.setPriority(3);
    await task.pause();
    await task.resume();
    await task.cancel();
    plugin.end(task.id, { status: "cancelled", data: { reason: "user" } });
    expect((await task.rerun()).status).toBe("queued");
    await task.remove();
  });

  it("takes the signal off the start", async () => {
    const { plugin, tasks } = page;
    const controller = new AbortController();
    const added = vi.spyOn(controller.signal, "addEventListener");
    const removed = vi.spyOn(controller.signal, "removeEventListener");
    const task = await tasks.start("tick", null, { signal: controller.signal });
    const batch = await tasks.batch("tick", [null], { signal: controller.signal });
    task.detach();
    batch.detach();
    expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
    controller.abort("late");
    await settle();
    expect(plugin.calls("leave")).toEqual([]);
    expect(await stateOf(task.result)).toEqual(detached);
  });

  it("keeps the reason of a signal that was aborted before", async () => {
    const { tasks } = page;
    const controller = new AbortController();
    const task = await tasks.start("tick", null, { signal: controller.signal });
    controller.abort("enough");
    task.detach();
    expect(await stateOf(task.result)).toEqual({ reason: "enough" });
    expect(await stateOf(task.outcome)).toEqual(detached);
  });

  it("ends the readings, and leaves their items to the next one", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tail");
    plugin.emit(id, "a", "b");
    const task = await tasks.attach("tail", id);
    const items = task.items();
    const unread = task.items();
    expect((await items.next()).value).toBe("a");
    task.detach();
    expect(await items.next()).toEqual({ value: undefined, done: true });
    await settle();
    expect(plugin.calls("cancel_read")).toMatchObject([{ position: 1 }]);
    for (const reading of [unread, task.items()]) {
      await expect(reading.next()).rejects.toMatchObject({ kind: "detached" });
    }
    await expect(task.stream().getReader().read()).rejects.toMatchObject({ kind: "detached" });
    expect((await (await tasks.attach("tail", id)).items().next()).value).toBe("b");
  });

  it("ends a reading and a stream that wait for items, or for the end of the task", async () => {
    const { plugin, tasks } = page;
    const ids = [plugin.begin("tail"), plugin.begin("tail"), plugin.begin("tail")];
    const [one, two, three] = await Promise.all(ids.map((id) => tasks.attach("tail", id)));
    const next = one?.items().next();
    const read = two?.stream().getReader().read();
    const last = three?.items().next();
    await settle();
    plugin.complete(String(ids[2]), 1);
    await settle();
    for (const task of [one, two, three]) task?.detach();
    expect(await next).toEqual({ value: undefined, done: true });
    expect(await read).toEqual({ value: undefined, done: true });
    expect(await last).toEqual({ value: undefined, done: true });
    await settle();
    expect(plugin.reads().waiting).toBe(0);
  });

  it("ends the live lists of a batch, even before they are there", async () => {
    const { plugin, tasks } = page;
    const batch = await tasks.batch("tick", [null]);
    const callback = vi.fn();
    const stop = await batch.watchMembers(callback);
    await settle();
    const answer = plugin.hold("watch");
    const pending = batch.watchMembers(callback);
    await settle();
    batch.detach();
    answer();
    await expect(pending).rejects.toMatchObject({ kind: "detached" });
    const watches = plugin.calls("watch").length;
    await expect(batch.watchMembers(callback)).rejects.toMatchObject({ kind: "detached" });
    expect(plugin.calls("watch")).toHaveLength(watches);
    stop();
    plugin.status(String(plugin.members(batch.id)[0]), "running");
    await plugin.frame();
    expect(callback).toHaveBeenCalledTimes(1);
    expect(page.kept()).toBe(0);
  });

  it("leaves nothing behind, however often it is repeated", async () => {
    const { plugin, tasks } = page;
    const controller = new AbortController();
    const { signal } = controller;
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    const id = plugin.begin("tail");
    const held = await tasks.attach("tail", id);
    const { tracked } = { tracked: await page.page.tasks.attach(id) };
    const over = vi.spyOn(tracked, "onOver");
    const offs: unknown[] = [];
    over.mockImplementation((callback) => {
      offs.push(callback);
      return () => offs.splice(offs.indexOf(callback), 1);
    });
    for (let round = 0; round < 100; round += 1) {
      const task = await tasks.attach("tail", id, { signal });
      task.onStatus(() => {});
      task.onProgress(() => {})();
      const { result, outcome } = task;
      const next = task.items().next();
      await settle();
      task.detach();
      expect(await next).toMatchObject({ done: true });
      await settle();
      expect([result, outcome]).toHaveLength(2);
    }
    expect(offs).toEqual([]);
    expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
    expect(page.page.tasks.size).toBe(1);
    page.page.tasks.release(tracked);
    held.detach();
    await settle();
    expect(page.kept()).toBe(0);
    expect(plugin.session().tasks.size).toBe(0);
    for (let round = 0; round < 100; round += 1)
      (await tasks.attach("tail", id, { signal })).detach();
    await settle();
    expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
    expect(page.kept()).toBe(0);
    expect(plugin.session().tasks.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a signal for attach", () => {
  it("lets go of the task, which goes on, and rejects with its reason", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    const controller = new AbortController();
    const task = await tasks.attach("tick", id, { signal: controller.signal });
    const callback = vi.fn();
    task.onStatus(callback);
    await settle();
    const waits = [stateOf(task.result), stateOf(task.outcome)];
    controller.abort("gone");
    expect(await Promise.all(waits)).toEqual([{ reason: "gone" }, { reason: "gone" }]);
    await settle();
    expect(plugin.calls("unwatch")).toHaveLength(1);
    expect(plugin.calls("leave")).toEqual([]);
    plugin.status(id, "running");
    await plugin.frame();
    expect(callback).toHaveBeenCalledTimes(1);
    expect(page.kept()).toBe(0);
  });

  it("is one for all tasks of attachAll, and for attachBatch", async () => {
    const { plugin, tasks } = page;
    const { id } = await tasks.batch("tick", [null, null]);
    const controller = new AbortController();
    const { signal } = controller;
    const all = await tasks.attachAll({}, { signal });
    const batch = await tasks.attachBatch("tick", id, { signal });
    const waits = [...all, batch].map((handle) => stateOf(handle.result));
    controller.abort("gone");
    expect(await Promise.all(waits)).toEqual(Array(3).fill({ reason: "gone" }));
    expect(plugin.calls("leave")).toEqual([]);
    // The handle that the start returned.
    expect(page.page.tasks.size).toBe(1);
  });

  it("has no effect after the end", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    const controller = new AbortController();
    const task = await tasks.attach("tick", id, { signal: controller.signal });
    plugin.complete(id, 5);
    await plugin.frame();
    controller.abort("late");
    expect(await task.result).toBe(5);
  });

  const ways = {
    attach: (signal: AbortSignal) =>
      page.tasks.attach("tick", page.plugin.begin("tick"), { signal }),
    attachAll: (signal: AbortSignal) => {
      page.plugin.begin("tick");
      return page.tasks.attachAll({}, { signal });
    },
    attachBatch: async (signal: AbortSignal) => {
      const batch = await page.tasks.batch("tick", [null]);
      batch.detach();
      return page.tasks.attachBatch("tick", batch.id, { signal });
    },
  };

  it.each(Object.entries(ways))("that is aborted before %s sends nothing", async (_, attach) => {
    const before = page.plugin.calls("watch").length + page.plugin.calls("list").length;
    await expect(attach(AbortSignal.abort("before"))).rejects.toBe("before");
    await settle();
    expect(page.plugin.calls("watch").length + page.plugin.calls("list").length).toBe(before);
    expect(page.kept()).toBe(0);
  });

  it.each(Object.entries(ways))(
    "that is aborted during %s leaves nothing behind",
    async (_, attach) => {
      const { plugin } = page;
      const controller = new AbortController();
      const removed = vi.spyOn(controller.signal, "removeEventListener");
      const added = vi.spyOn(controller.signal, "addEventListener");
      const answer = plugin.hold("watch");
      const attached = attach(controller.signal);
      await settle();
      controller.abort("during");
      await expect(attached).rejects.toBe("during");
      expect(added).toHaveBeenCalled();
      answer();
      await settle();
      expect(removed).toHaveBeenCalled();
      expect(page.kept()).toBe(0);
      expect(plugin.session().tasks.size).toBe(0);
    },
  );

  it("is not listened to any more when the attach is refused", async () => {
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, "removeEventListener");
    await expect(page.tasks.attach("tick", "nobody", { signal })).rejects.toMatchObject({
      kind: "notFound",
    });
    await settle();
    expect(removed).toHaveBeenCalledTimes(1);
    expect(page.kept()).toBe(0);
  });
});

describe("disposing a handle", () => {
  const dispose = (handle: AsyncDisposable) => Promise.resolve(handle[Symbol.asyncDispose]());

  it("cancels, and resolves when the work has stopped", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const disposed = dispose(task);
    await settle();
    expect(plugin.calls("cancel")).toEqual([{ id: task.id, reason: "user" }]);
    expect(await stateOf(disposed)).toEqual({ pending: true });
    plugin.end(task.id, { status: "cancelled", data: { reason: "user" } });
    await plugin.frame();
    expect(await stateOf(disposed)).toEqual({ value: undefined });
    expect(page.kept()).toBe(0);
  });

  it("does nothing if the task has ended, whether the page knows it or not, or is forgotten", async () => {
    const { plugin, tasks } = page;
    const [known, ended, forgotten] = [
      await tasks.start("tick"),
      await tasks.start("tick"),
      await tasks.start("tick"),
    ];
    plugin.complete(known.id, 1);
    await plugin.frame();
    plugin.complete(ended.id, 1);
    plugin.complete(forgotten.id, 1);
    plugin.evict(forgotten.id);
    for (const task of [known, ended, forgotten])
      expect(await stateOf(dispose(task))).toEqual({ value: undefined });
    expect(known.status).toBe("completed");
  });

  it("does nothing after detach, and stops to wait when the handle is detached", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const disposed = dispose(task);
    await settle();
    task.detach();
    expect(await stateOf(disposed)).toEqual({ value: undefined });
    await dispose(task);
    expect(plugin.calls("cancel")).toHaveLength(1);
  });

  it("rejects if the cancel is refused", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    plugin.refuse("cancel", "Command plugin:tasks|cancel not allowed by ACL");
    await expect(dispose(task)).rejects.toMatchObject({ name: "TaskPermissionError" });
  });

  it("cancels a batch, too", async () => {
    const { plugin, tasks } = page;
    const batch = await tasks.batch("tick", [null]);
    const disposed = dispose(batch);
    await settle();
    for (const id of plugin.members(batch.id))
      plugin.end(id, { status: "cancelled", data: { reason: "parent" } });
    await plugin.frame();
    expect(await stateOf(disposed)).toEqual({ value: undefined });
  });

  it("is left out where the webview doesn't have the symbol", async () => {
    const { Symbol: original } = globalThis;
    const without = new Proxy(() => {}, {
      get: (_, key) => (key === "asyncDispose" ? undefined : Reflect.get(original, key)),
      apply: (_, __, [name]: [string]) => original(name),
    });
    vi.stubGlobal("Symbol", without);
    const task = await (await page.reload()).start("tick");
    vi.unstubAllGlobals();
    expect(Symbol.asyncDispose in task).toBe(false);
    expect("undefined" in task).toBe(false);
    await task.cancel();
  });
});
