import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createTasks, TaskFailedError, TaskKeyTakenError } from "../../core/index.js";
import { failure, mockTasks, type TasksMock } from "../index.js";
import type { Tasks } from "./kinds.js";

const tasks = createTasks<Tasks>();
let mock: TasksMock<Tasks>;

beforeEach(() => {
  vi.useFakeTimers();
  mock = mockTasks<Tasks>({ download: "manual", tick: "manual", tidy: { output: null } });
});
afterEach(() => {
  mock.restore();
  vi.useRealTimers();
});

const failed = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

describe("a task that the test drives", () => {
  it("reports, emits and completes", async () => {
    const task = await tasks.start("download", { url: "u" });
    const items = task.items();
    const driven = mock.task("download", task.id);
    expect([driven.name, driven.input]).toEqual(["download", { url: "u" }]);
    driven.progress({ completed: 3, total: 4, detail: { file: "a" } });
    await driven.emit("x");
    await mock.settle();
    expect(task.status).toBe("running");
    expect(task.snapshot.progress).toMatchObject({ fraction: 0.75, detail: { file: "a" } });
    expect((await items.next()).value).toBe("x");
    driven.complete({ bytes: 9 });
    await mock.settle();
    expect(await task.result).toEqual({ bytes: 9 });
  });

  it("may be completed before anybody has waited for what it emits", async () => {
    const task = await tasks.start("download", { url: "u" });
    const driven = mock.last("download");
    const emitted = driven.emit("x");
    driven.complete({ bytes: 1 });
    await emitted;
    await expect(driven.emit("y")).rejects.toThrow("has ended");
    expect((await task.items().next()).value).toBe("x");
  });

  it("fails, and is driven no longer", async () => {
    const task = await tasks.start("tick");
    const error = failed(task.result);
    mock.last("tick").fail(failure("broken"));
    await mock.settle();
    expect(await error).toBeInstanceOf(TaskFailedError);
    expect(() => mock.task(task.id).complete(1)).toThrow("has ended: it is failed");
    expect(() => mock.task(task.id).progress({ completed: 1 })).toThrow("has ended");
  });

  it("is tried again, and its progress begins anew", async () => {
    const task = await tasks.start("tick");
    const statuses: string[] = [];
    task.onStatus((status) => void statuses.push(status));
    const driven = mock.last("tick");
    driven.progress({ completed: 3 });
    await mock.settle();
    driven.retry(failure("no network"), 2_000);
    await mock.settle();
    expect(task.snapshot.error).toEqual({ kind: "error", message: "no network" });
    expect(() => driven.complete(1)).toThrow("let the time until its next attempt pass");
    await vi.advanceTimersByTimeAsync(2_100);
    expect([task.snapshot.attempt, task.snapshot.progress.completed]).toEqual([2, 0]);
    driven.complete(8);
    await mock.settle();
    expect(await task.result).toBe(8);
    expect(statuses).toEqual(["queued", "running", "retrying", "queued", "running", "completed"]);
  });

  it("says whether it was told to stop, and then ends as it likes within 5 seconds", async () => {
    const [stops, completes, neither] = await Promise.all([1, 2, 3].map(() => tasks.start("tick")));
    const all = [stops, completes, neither].flatMap((task) => task ?? []);
    const results = all.map(({ result }) => failed(result));
    await mock.settle();
    await Promise.all(all.map((task) => task.cancel()));
    await mock.settle();
    const [first, second, third] = all.map(({ id }) => mock.task("tick", id));
    expect([first?.cancelled, second?.cancelled, third?.cancelled]).toEqual([true, true, true]);
    expect(all.map(({ status }) => status)).toEqual(["cancelling", "cancelling", "cancelling"]);
    first?.stop();
    second?.complete(4);
    await mock.settle();
    expect(all.map(({ status }) => status)).toEqual(["cancelled", "completed", "cancelling"]);
    await vi.advanceTimersByTimeAsync(5_100);
    expect(all.map(({ status }) => status)).toEqual(["cancelled", "completed", "cancelled"]);
    expect(await results[1]).toBe(4);
  });

  it("can't be driven while it waits", async () => {
    const task = await tasks.start("tick", null, { held: true });
    const driven = mock.task(task.id);
    expect(() => driven.progress({ completed: 1 })).toThrow(`Task ${task.id} is queued`);
    await expect(driven.emit("x")).rejects.toThrow("resume it if it is paused");
    await task.resume();
    driven.complete(1);
    await mock.settle();
    expect(task.status).toBe("completed");
  });

  it("is found by its id and its kind", async () => {
    const task = await tasks.start("tick");
    expect(() => mock.task("no such id")).toThrow("no task no such id");
    expect(() => mock.task("download", task.id)).toThrow('is a "tick", not a "download"');
    expect(() => mock.last("download")).toThrow('no task of the kind "download"');
    expect(mock.last("tick").id).toBe(task.id);
  });
});

it("keeps what the page has started, with what it was started with", async () => {
  const first = await tasks.start("download", { url: "u" }, { key: "k", tags: ["a"] });
  await tasks.start("download", { url: "u" }, { key: "k", onConflict: "join" });
  const batch = await tasks.batch("tidy", [null, null], { label: "all" });
  mock.app.start("tick");
  expect(mock.started).toEqual([
    { id: first.id, name: "download", input: { url: "u" }, options: { key: "k", tags: ["a"] } },
    { id: batch.id, name: "tidy", input: null, options: { label: "all", tags: [] } },
  ]);
});

describe("another window", () => {
  it("starts tasks that the page may follow, cancel and read", async () => {
    const seen: (string | null)[][] = [];
    await tasks.watch({}, (all) => void seen.push(all.map(({ owner }) => owner)));
    const other = mock.otherWindow("settings").start("download", { url: "u" }, { label: "theirs" });
    mock.app.start("tick");
    await mock.settle();
    expect(seen.at(-1)).toEqual(["settings", null]);
    const task = await tasks.attach("download", other.id);
    expect(task.snapshot.label).toBe("theirs");
    other.complete({ bytes: 1 });
    await mock.settle();
    expect(await task.result).toEqual({ bytes: 1 });
    expect(mock.started).toEqual([]);
  });

  it("keeps what the page has joined going, and takes and finds keys", async () => {
    const controller = new AbortController();
    const other = mock.otherWindow("settings");
    const theirs = other.start("tick", null, { key: "k" });
    await expect(tasks.start("tick", null, { key: "k" })).rejects.toBeInstanceOf(TaskKeyTakenError);
    const { signal } = controller;
    const task = await tasks.start("tick", null, { key: "k", onConflict: "join", signal });
    expect(task.id).toBe(theirs.id);
    const error = failed(task.result);
    controller.abort("gone");
    expect(await error).toBe("gone");
    await mock.settle();
    expect(theirs.cancelled).toBe(false);
    expect(() => other.start("tick", null, { key: "k" })).toThrow(
      expect.objectContaining({ kind: "keyTaken" }),
    );
    expect(other.start("tick", null, { key: "k", onConflict: "join" }).id).toBe(theirs.id);
    const newer = other.start("tick", null, { key: "k", onConflict: "replace" });
    await mock.settle();
    expect(theirs.snapshot.cancelReason).toBe("replaced");
    theirs.stop();
    await mock.settle();
    expect(newer.snapshot.status).toBe("running");
  });
});

describe("what a page holds", () => {
  it("is counted: sessions, lists and tasks", async () => {
    const counts = () => [mock.sessions, mock.watches, mock.followed];
    expect(counts()).toEqual([0, 0, 0]);
    const task = await tasks.start("tick");
    const stop = await tasks.watch({}, () => {});
    expect(counts()).toEqual([1, 1, 1]);
    task.detach();
    stop();
    await mock.settle();
    expect(counts()).toEqual([1, 0, 0]);
  });
});

describe("calls", () => {
  it("are refused as a test wants it, and as often", async () => {
    mock.refuse("start", { kind: "queueFull", message: "full", data: { limit: 1 } }, 2);
    await expect(tasks.start("tick")).rejects.toMatchObject({ kind: "queueFull" });
    await expect(tasks.start("tick")).rejects.toMatchObject({ kind: "queueFull" });
    await tasks.start("tick");
  });

  it("are answered when a test wants it", async () => {
    const answer = mock.hold("start");
    let task: unknown;
    const starting = tasks.start("tick").then((started) => {
      task = started;
    });
    await mock.settle();
    expect(task).toBeUndefined();
    expect(mock.calls("start")).toHaveLength(1);
    answer();
    await starting;
    expect(task).toBeDefined();
  });

  it("with names of several words are found, too", async () => {
    await tasks.cancelAll({ task: "tick" });
    expect(mock.calls("cancelAll")).toEqual([{ filter: { task: ["tick"] }, reason: "user" }]);
  });
});

it("has schedules", async () => {
  mock.addSchedule("hourly", "tick");
  const run = await tasks.trigger("hourly");
  mock.last("tick").complete(1);
  await mock.settle();
  expect(await tasks.schedules()).toMatchObject([{ name: "hourly", lastRun: { id: run.id } }]);
});
