import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { QueuePlace } from "../ipc/bindings.js";
import { type LoadedPage, loadPage, settle } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

/** Returns a short form of a place. */
function short(place: QueuePlace | null): string {
  if (!place) return "none";
  return `${place.position ?? "-"}${place.held ? " held" : ""} p${place.priority}`;
}

describe("onQueue", () => {
  it("calls back with the place at once, with each change, and with null when the wait ends", async () => {
    const { plugin, tasks } = page;
    const first = plugin.begin("tick");
    const task = await tasks.start("tick", null, { priority: -1 });
    const seen: string[] = [];
    task.onQueue((place) => seen.push(short(place)));
    await settle();
    expect(seen).toEqual(["2 p-1"]);
    plugin.status(first, "running");
    await plugin.frame();
    plugin.status(task.id, "running");
    await plugin.frame();
    expect(seen).toEqual(["2 p-1", "1 p-1", "none"]);
    expect(task.snapshot.queue).toBeNull();
  });

  it("doesn't call back at once for a task that doesn't wait", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    plugin.status(task.id, "running");
    await plugin.frame();
    const callback = vi.fn();
    task.onQueue(callback);
    await settle();
    expect(callback).not.toHaveBeenCalled();
    plugin.complete(task.id, 1);
    await plugin.frame();
    task.onQueue(callback);
    await settle();
    expect(callback).not.toHaveBeenCalled();
  });

  it("doesn't call back after the callback was removed", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const callback = vi.fn();
    const off = task.onQueue(callback);
    await settle();
    off();
    await task.pause();
    await plugin.frame();
    expect(callback).toHaveBeenCalledTimes(1);
  });

  it("reports the end of waiting before the end of a task that never ran", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const seen: string[] = [];
    task.onStatus((status, snapshot) => seen.push(`${status} ${short(snapshot.queue)}`));
    task.onQueue((place) => seen.push(short(place)));
    plugin.end(task.id, { status: "cancelled", data: { reason: "user" } });
    await plugin.frame();
    expect(seen).toEqual(["queued 1 p0", "1 p0", "none", "cancelled none"]);
    expect(page.kept()).toBe(0);
  });

  it("reports a place again before another attempt, as soon as the plugin sends it", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const seen: string[] = [];
    task.onStatus((status, snapshot) => seen.push(`${status} ${short(snapshot.queue)}`));
    task.onQueue((place) => seen.push(short(place)));
    plugin.status(task.id, "running", { attempt: 1 });
    plugin.status(task.id, "retrying", { nextAttemptAt: 5 });
    plugin.status(task.id, "queued");
    await plugin.frame();
    expect(seen).toEqual([
      "queued 1 p0",
      "1 p0",
      "none",
      "running none",
      "retrying none",
      "queued none",
      "1 p0",
    ]);
    expect(task.snapshot.queue).toEqual({ position: 1, priority: 0, held: false });
  });

  it("ignores a place that is older than the status, or of a task that doesn't wait", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const seen: string[] = [];
    task.onQueue((place) => seen.push(short(place)));
    const place = (sequence: number, position: number) => ({
      id: task.id,
      sequence,
      change: { type: "queue" as const, data: { position, priority: 0, held: false } },
    });
    plugin.status(task.id, "running", { attempt: 1 });
    plugin.status(task.id, "retrying");
    plugin.status(task.id, "queued");
    await plugin.frame();
    await plugin.push({ message: 2, events: [place(1, 9)], lists: [], more: false });
    plugin.status(task.id, "running", { attempt: 2 });
    plugin.session().last = 2;
    plugin.session().open = undefined;
    await plugin.frame();
    await plugin.push({ message: 4, events: [place(5, 8)], lists: [], more: false });
    expect(seen).toEqual(["1 p0", "none", "1 p0", "none"]);
    expect(task.snapshot).toMatchObject({ status: "running", queue: null });
  });

  it("brings the place up to date in a new session", async () => {
    const { plugin, tasks } = page;
    const first = plugin.begin("tick");
    const task = await tasks.start("tick");
    const seen: string[] = [];
    task.onQueue((place) => seen.push(short(place)));
    plugin.dropSessions();
    plugin.status(first, "running");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seen).toEqual(["2 p0", "1 p0"]);
    plugin.dropSessions();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seen).toHaveLength(2);
    plugin.dropSessions();
    plugin.status(task.id, "running");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seen).toEqual(["2 p0", "1 p0", "none"]);
  });
});

describe("pause, resume and setPriority", () => {
  it("change the place of a waiting task", async () => {
    const { plugin, tasks } = page;
    const first = await tasks.start("tick");
    const second = await tasks.start("tick");
    const seen: string[] = [];
    second.onQueue((place) => seen.push(short(place)));
    expect(await first.pause()).toBeUndefined();
    await plugin.frame();
    expect(await first.resume()).toBeUndefined();
    await plugin.frame();
    expect(await second.setPriority(5)).toBeUndefined();
    await plugin.frame();
    expect(seen).toEqual(["2 p0", "1 p0", "2 p0", "1 p5"]);
    expect(plugin.calls("pause")).toEqual([{ id: first.id }]);
    expect(plugin.calls("resume")).toEqual([{ id: first.id }]);
    expect(plugin.calls("set_priority")).toEqual([{ id: second.id, priority: 5 }]);
  });

  it("are refused if the task is not waiting", async () => {
    const { plugin, tasks, api } = page;
    const task = await tasks.start("tick");
    plugin.status(task.id, "running");
    for (const [kind, refused] of [
      ["notPausable", task.pause()],
      ["notPausable", task.resume()],
      ["notQueued", task.setPriority(1)],
    ] as const) {
      const error = await refused.catch((e: unknown) => e);
      expect(error).toBeInstanceOf(api.TaskError);
      expect(error).toMatchObject({ kind, data: { status: "running" } });
    }
  });
});

describe("the options of a start", () => {
  it("are sent without the signal and without what is undefined", async () => {
    const { plugin, tasks } = page;
    const { signal } = new AbortController();
    const all = {
      priority: 3,
      held: true,
      key: "k",
      onConflict: "append",
      label: "Tick",
      tags: ["a", "b"],
      delayMs: 1_000,
      timeoutMs: 2_000,
      deadlineMs: 3_000,
    } as const;
    await tasks.start("tick", null, { signal, ...all });
    await tasks.start("tick", null, { signal: undefined, priority: undefined, tags: undefined });
    const sent = plugin.calls("start").map((args) => args["options"]);
    expect(sent).toStrictEqual([all, {}]);
  });

  it("show in the snapshot, and a delay is over once the task has a place", async () => {
    const { plugin, tasks } = page;
    const options = { key: "k", label: "Tick", tags: ["a"], delayMs: 1_000 };
    const task = await tasks.start("tick", null, options);
    expect(task.snapshot).toMatchObject({
      key: "k",
      label: "Tick",
      tags: ["a"],
      parent: null,
      waitsFor: [],
      members: null,
      nextAttemptAt: Date.now() + 1_000,
      queue: { position: null, priority: 0, held: false },
    });
    await task.setPriority(2);
    await plugin.frame();
    expect(task.snapshot.nextAttemptAt).toBe(Date.now() + 1_000);
    plugin.due(task.id);
    await plugin.frame();
    expect(task.snapshot).toMatchObject({ nextAttemptAt: null, queue: { position: 1 } });
  });
});

describe("another attempt", () => {
  it("reports the error of the attempt before it, its own start, and that progress starts over", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const seen: unknown[] = [];
    task.onStatus((status, { error, nextAttemptAt }) => {
      seen.push([status, error?.message ?? null, nextAttemptAt]);
    });
    task.onProgress((progress) => seen.push(progress.completed));
    plugin.status(task.id, "running", { attempt: 1 });
    plugin.progress(task.id, { completed: 8 });
    await plugin.frame();
    const error = { kind: "error", message: "HTTP 503" } as const;
    plugin.status(task.id, "retrying", { error, nextAttemptAt: 9_000 });
    await plugin.frame();
    plugin.status(task.id, "queued");
    plugin.status(task.id, "running", { attempt: 2 });
    await plugin.frame();
    expect(seen).toEqual([
      ["queued", null, null],
      ["running", null, null],
      8,
      ["retrying", "HTTP 503", 9_000],
      ["queued", null, null],
      ["running", null, null],
      0,
    ]);
  });

  it("is not made after a time limit, which the snapshot names", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    plugin.end(task.id, { status: "timedOut", data: { limit: "deadline", message: "too late" } });
    await plugin.frame();
    expect(task.snapshot).toMatchObject({ status: "timedOut", timeLimit: "deadline" });
  });
});
