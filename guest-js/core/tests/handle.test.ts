import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type LoadedPage, loadPage, settle, stateOf } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

const input = { url: "https://example.org/a.zip" };
const failed = {
  status: "failed",
  data: { kind: "error", message: "HTTP 404", error: { code: 404 } },
} as const;

describe("onProgress and onStatus", () => {
  it("call back right after only if progress was reported", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const before = vi.fn();
    task.onProgress(before);
    await settle();
    expect(before).not.toHaveBeenCalled();
    plugin.progress(task.id, { message: "hello" });
    await plugin.frame();
    const after = vi.fn();
    task.onProgress(after);
    await settle();
    expect(before).toHaveBeenCalledTimes(1);
    expect(after).toHaveBeenCalledTimes(1);
  });

  it("first call back when they have returned, so that a callback can remove itself", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    plugin.progress(id, { completed: 1 });
    const task = await tasks.attach("tick", id);
    const seen: string[] = [];
    const offs = [
      task.onStatus(() => {
        seen.push("status");
        offs[0]?.();
      }),
      task.onProgress(() => {
        seen.push("progress");
        offs[1]?.();
      }),
      task.onQueue(() => {
        seen.push("queue");
        offs[2]?.();
      }),
    ];
    expect(seen).toEqual([]);
    await settle();
    expect(seen).toEqual(["status", "progress", "queue"]);
    plugin.status(id, "running");
    plugin.progress(id, { completed: 2 });
    await plugin.frame();
    expect(seen).toHaveLength(3);
  });

  it("first call back with the newest value, and only once with it", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const seen: unknown[] = [];
    task.onStatus((status) => seen.push(status));
    task.onProgress((progress) => seen.push(progress.completed));
    task.onQueue((place) => seen.push(place));
    plugin.status(task.id, "running");
    plugin.progress(task.id, { completed: 3 });
    const { nonce, events } = plugin.session();
    for (const event of events) page.page.tasks.receive(event, nonce);
    await settle();
    expect(seen).toEqual(["running", 3]);
  });

  it("never call a callback that is removed before its first call", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    plugin.progress(task.id, { completed: 1 });
    await plugin.frame();
    const callback = vi.fn();
    task.onStatus(callback)();
    task.onProgress(callback)();
    task.onQueue(callback)();
    plugin.status(task.id, "running");
    await plugin.frame();
    expect(callback).not.toHaveBeenCalled();
  });

  it("never call a removed callback, even if another one has just removed it", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const second = vi.fn();
    let off = () => {};
    const offFirst = task.onProgress(() => off());
    off = task.onProgress(second);
    plugin.progress(task.id, { completed: 1 });
    await plugin.frame();
    expect(second).not.toHaveBeenCalled();
    offFirst();
    off();
  });

  it("call a function once for each time it was added", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const callback = vi.fn();
    const off = task.onProgress(callback);
    task.onProgress(callback);
    plugin.progress(task.id, { completed: 1 });
    await plugin.frame();
    expect(callback).toHaveBeenCalledTimes(2);
    off();
    plugin.progress(task.id, { completed: 2 });
    await plugin.frame();
    expect(callback).toHaveBeenCalledTimes(3);
  });

  it("call back with the last value after the end", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    plugin.progress(task.id, { completed: 3 });
    plugin.complete(task.id, 1);
    await plugin.frame();
    const seen: unknown[] = [];
    task.onProgress((progress) => seen.push(progress.completed));
    task.onStatus((status) => seen.push(status));
    await settle();
    expect(seen).toEqual([3, "completed"]);
  });

  it("report an error that the first call throws, and don't throw it", async () => {
    const { tasks } = page;
    const reported = vi.fn();
    vi.stubGlobal("reportError", reported);
    const task = await tasks.start("tick");
    task.onStatus(() => {
      throw new Error("mine");
    });
    await settle();
    expect(reported).toHaveBeenCalledTimes(1);
    vi.unstubAllGlobals();
  });
});

describe("result", () => {
  it("is the same promise each time", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    expect(task.result).toBe(task.result);
    expect(task.outcome).toBe(task.outcome);
    expect(task.closed).toBe(task.closed);
    plugin.complete(task.id, 1);
    await plugin.frame();
    expect(await task.result).toBe(await task.result);
  });

  const refusals = ["the call was lost", { kind: "notAllowed", message: "no", data: null }];
  it.each(refusals)("and the outcome can be fetched again if that failed: %j", async (refusal) => {
    const { plugin, tasks } = page;
    for (const end of ["result", "outcome"] as const) {
      const task = await tasks.start("download", { url: "u" });
      plugin.complete(task.id, "x".repeat(5_000));
      await plugin.frame();
      plugin.refuse("outcome", refusal);
      const failed = task[end];
      expect(task[end]).toBe(failed);
      await expect(failed).rejects.toBeInstanceOf(page.api.TaskError);
      const again = task[end];
      await expect(again).resolves.toBeDefined();
      expect(task[end]).toBe(again);
    }
  });

  it.each(["result", "outcome"] as const)(
    "is final if it is the task's own end, or if that is gone: %s",
    async (end) => {
      const { plugin, tasks } = page;
      const [failed, gone] = [await tasks.start("tick"), await tasks.start("tick")];
      plugin.end(failed.id, {
        status: "failed",
        data: { kind: "error", message: "m", error: "e" },
      });
      plugin.evict(gone.id);
      await plugin.frame();
      plugin.dropSessions();
      await vi.advanceTimersByTimeAsync(10_000);
      for (const task of [failed, gone]) {
        const first = task[end];
        await first.catch(() => {});
        expect(task[end]).toBe(first);
      }
      await expect(gone[end]).rejects.toMatchObject({ kind: "outcomeExpired" });
    },
  );

  it("causes no unhandled rejection when nobody reads it", async () => {
    const { plugin, tasks } = page;
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const controller = new AbortController();
    const task = await tasks.start("download", input, { signal: controller.signal });
    const outcomeOnly = await tasks.attach("download", task.id);
    const { outcome } = outcomeOnly;
    controller.abort("enough");
    plugin.end(task.id, failed);
    await plugin.frame();
    await outcome;
    vi.useRealTimers();
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it("rejects with the error for how the task ended", async () => {
    const { plugin, tasks, api } = page;
    const cases = [
      [failed, api.TaskFailedError, { kind: "failed", error: { code: 404 }, message: "HTTP 404" }],
      [
        { status: "failed", data: { kind: "panic", message: "index out of bounds", error: null } },
        api.TaskPanicError,
        { kind: "panic", message: "index out of bounds" },
      ],
      [
        { status: "failed", data: { kind: "unserializable", message: "NaN key", error: null } },
        api.TaskPanicError,
        { kind: "unserializable" },
      ],
      [
        { status: "failed", data: { kind: "runtimeEnded", message: "ended", error: null } },
        api.TaskPanicError,
        { kind: "runtimeEnded", message: "ended" },
      ],
      [
        { status: "cancelled", data: { reason: "replaced" } },
        api.TaskCancelledError,
        { kind: "cancelled", reason: "replaced", message: "The task was cancelled (replaced)." },
      ],
      [
        { status: "timedOut", data: { limit: "stalled", message: "no progress for 10 s" } },
        api.TaskTimedOutError,
        { kind: "timedOut", limit: "stalled", message: "no progress for 10 s" },
      ],
    ] as const;
    for (const [outcome, type, shape] of cases) {
      const task = await tasks.start("download", input);
      const { result } = task;
      result.catch(() => {});
      plugin.end(task.id, outcome);
      await plugin.frame();
      const error = await result.catch((e: unknown) => e);
      expect(error).toBeInstanceOf(type);
      expect(error).toMatchObject(shape);
      expect(await task.outcome).toEqual({ status: outcome.status, error });
    }
  });
});

describe("outcome", () => {
  it("of a small output comes with the end", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", input);
    plugin.complete(task.id, "/tmp/a");
    await plugin.frame();
    expect(await task.outcome).toEqual({ status: "completed", output: "/tmp/a" });
    expect(plugin.calls("outcome")).toEqual([]);
  });

  it("of a big output is fetched when it is read, once for all handles", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", input);
    const other = await tasks.attach("download", task.id);
    const big = "x".repeat(10_000);
    plugin.complete(task.id, big);
    await plugin.frame();
    expect(await stateOf(task.closed)).toEqual({ value: undefined });
    expect(plugin.calls("outcome")).toEqual([]);
    expect(await task.result).toBe(big);
    expect(await other.outcome).toEqual({ status: "completed", output: big });
    expect(await other.result).toBe(big);
    expect(plugin.calls("outcome")).toEqual([{ id: task.id }]);
  });

  it("has expired when a big output was evicted before anybody read it", async () => {
    const { plugin, tasks, api } = page;
    const task = await tasks.start("download", input);
    plugin.complete(task.id, "x".repeat(10_000));
    await plugin.frame();
    plugin.evict(task.id);
    await expect(task.result).rejects.toBeInstanceOf(api.OutcomeExpiredError);
    await expect(task.outcome).rejects.toBeInstanceOf(api.OutcomeExpiredError);
  });
});

describe("an AbortSignal", () => {
  it("rejects the result at once, and the task closes when it has really stopped", async () => {
    const { plugin, tasks, api } = page;
    const controller = new AbortController();
    const task = await tasks.start("download", input, { signal: controller.signal });
    const other = await tasks.attach("download", task.id);
    const mine = stateOf(task.result);
    const theirs = other.result.catch((e: unknown) => e);
    controller.abort("enough");
    expect(await mine).toEqual({ reason: "enough" });
    expect(plugin.calls("leave")).toEqual([{ id: task.id }]);
    expect(await stateOf(task.closed)).toEqual({ pending: true });
    await plugin.frame();
    expect(task.status).toBe("cancelling");
    plugin.end(task.id, { status: "cancelled", data: { reason: "signal" } });
    await plugin.frame();
    expect(await stateOf(task.closed)).toEqual({ value: undefined });
    expect(await theirs).toBeInstanceOf(api.TaskCancelledError);
    expect(await theirs).toMatchObject({ reason: "signal" });
    expect(await task.outcome).toMatchObject({ status: "cancelled", error: { reason: "signal" } });
    expect(page.kept()).toBe(0);
  });

  it("decides the result even if the result is first read later", async () => {
    const { plugin, tasks } = page;
    const controller = new AbortController();
    const task = await tasks.start("download", input, { signal: controller.signal });
    controller.abort("enough");
    plugin.complete(task.id, "/tmp/a");
    await plugin.frame();
    await expect(task.result).rejects.toBe("enough");
    expect(await task.outcome).toEqual({ status: "completed", output: "/tmp/a" });
  });

  it("has no effect and no listener after the end", async () => {
    const { plugin, tasks } = page;
    const controller = new AbortController();
    const added = vi.spyOn(controller.signal, "addEventListener");
    const removed = vi.spyOn(controller.signal, "removeEventListener");
    const task = await tasks.start("download", input, { signal: controller.signal });
    plugin.complete(task.id, "/tmp/a");
    await plugin.frame();
    expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
    controller.abort("late");
    await settle();
    expect(plugin.calls("leave")).toEqual([]);
    expect(await task.result).toBe("/tmp/a");
  });

  it("has no effect when it is aborted by the callback that hears of the end", async () => {
    const { plugin, tasks } = page;
    const controller = new AbortController();
    const task = await tasks.start("download", input, { signal: controller.signal });
    task.onStatus((status) => {
      if (status === "completed") controller.abort("late");
    });
    plugin.complete(task.id, "/tmp/a");
    await plugin.frame();
    expect(await task.result).toBe("/tmp/a");
    expect(plugin.calls("leave")).toEqual([]);
  });

  it("isn't listened to once the plugin has forgotten the task", async () => {
    const { plugin, tasks } = page;
    const controller = new AbortController();
    const removed = vi.spyOn(controller.signal, "removeEventListener");
    const task = await tasks.start("tick", null, { signal: controller.signal });
    const before = removed.mock.calls.length;
    plugin.dropSessions();
    plugin.complete(task.id, 1);
    plugin.evict(task.id);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(removed).toHaveBeenCalledTimes(before + 1);
  });

  it("doesn't mind that the task has ended in the meantime", async () => {
    const { plugin, tasks } = page;
    const controller = new AbortController();
    const task = await tasks.start("tick", null, { signal: controller.signal });
    plugin.complete(task.id, 1);
    controller.abort("late");
    await settle();
    expect(plugin.calls("leave")).toHaveLength(1);
    await plugin.frame();
    await expect(task.result).rejects.toBe("late");
    expect(task.status).toBe("completed");
  });
});

describe("a handle", () => {
  it("has its getters on its prototype, and keeps none of the task's state itself", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const getters = ["id", "status", "snapshot", "result", "outcome", "closed"];
    expect(Object.keys(task)).toEqual([]);
    expect(getters.filter((key) => !(key in task))).toEqual([]);
    plugin.status(task.id, "running");
    await plugin.frame();
    expect(task.status).toBe("running");
  });

  it("has methods that can be passed as callbacks", async () => {
    const { plugin, tasks } = page;
    const { id, onStatus, cancel, rerun } = await tasks.start("tick");
    const seen: unknown[] = [];
    onStatus((status) => seen.push(status));
    await cancel();
    plugin.end(id, { status: "cancelled", data: { reason: "user" } });
    await plugin.frame();
    expect(seen).toEqual(["queued", "cancelling", "cancelled"]);
    expect((await rerun()).status).toBe("queued");
  });
});

/** An event of a framework, as React makes it: of a class that is not the platform's. */
class SyntheticEvent {
  readonly nativeEvent = new Event("click");
  readonly type = "click";
  readonly target = document.createElement("button");
}

describe("as a callback that is given an event,", () => {
  const events = {
    "of the page": () => new Event("click"),
    "of the page, with data": () => new CustomEvent("mine", { detail: { signal: 5 } }),
    "of a framework": () => new SyntheticEvent(),
    "of Tauri": () => ({ event: "quit", id: 5, payload: "x" }),
  };

  it.each(Object.entries(events))(
    "%s: cancel gives no reason, and rerun has no options",
    async (_, make) => {
      const { plugin, tasks } = page;
      const task = await tasks.start("tick");
      await task.cancel(make());
      expect(plugin.calls("cancel")).toEqual([{ id: task.id, reason: "user" }]);
      plugin.end(task.id, { status: "cancelled", data: { reason: "user" } });
      expect((await task.rerun(make())).status).toBe("queued");
    },
  );

  it("a button cancels and reruns", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const button = document.createElement("button");
    button.onclick = task.cancel;
    button.click();
    await settle();
    plugin.end(task.id, { status: "cancelled", data: { reason: "user" } });
    button.onclick = null;
    button.addEventListener("click", task.rerun);
    button.click();
    await settle();
    expect(plugin.commands()).toEqual(["open", "start", "cancel", "rerun"]);
  });

  it("a rerun still has the options of an object with a signal", async () => {
    const { tasks } = page;
    const task = await tasks.start("tick");
    const signal = AbortSignal.abort("before");
    await expect(task.rerun({ signal })).rejects.toBe("before");
    const odd = { type: "click", signal } as { signal: AbortSignal };
    await expect(task.rerun(odd)).rejects.toMatchObject({ kind: "invalidOptions" });
  });
});

describe("cancel and remove", () => {
  it("send the reason `user`", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    expect(await task.cancel()).toBeUndefined();
    expect(await task.cancel()).toBeUndefined();
    expect(plugin.calls("cancel")[0]).toEqual({ id: task.id, reason: "user" });
    await task.cancel("the disk is full");
    const reasons = plugin.calls("cancel").map(({ reason }) => reason);
    expect(reasons.slice(2)).toEqual(["the disk is full"]);
  });

  it("reject if the plugin refuses, or if the page already knows that it would", async () => {
    const { plugin, tasks, api } = page;
    const task = await tasks.start("tick");
    await expect(task.remove()).rejects.toMatchObject({ kind: "notEnded" });
    plugin.complete(task.id, 1);
    await expect(task.cancel()).rejects.toBeInstanceOf(api.TaskError);
    await plugin.frame();
    expect(await task.remove()).toBeUndefined();
    await expect(task.cancel()).rejects.toMatchObject({ kind: "alreadyEnded" });
  });
});
