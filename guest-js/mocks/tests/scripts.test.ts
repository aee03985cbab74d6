import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  createTasks,
  TaskCancelledError,
  TaskFailedError,
  TaskPanicError,
  TaskTimedOutError,
} from "../../core/index.js";
import { failure, type MockOptions, mockTasks, type Scripts, type TasksMock } from "../index.js";
import type { Tasks } from "./kinds.js";

const tasks = createTasks<Tasks>();
let mock: TasksMock<Tasks>;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  mock.restore();
  vi.useRealTimers();
});

function run(scripts: Scripts<Tasks>, options?: MockOptions<Tasks>): void {
  mock = mockTasks<Tasks>(scripts, options);
}

/** Waits until a script is told to stop. */
function told(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
}

const failed = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

describe("a script that is a function", () => {
  it("gets the context of its task and its input, and returns the output", async () => {
    const seen: unknown[] = [];
    run({
      download: async (ctx, input) => {
        seen.push({ id: ctx.id, name: ctx.name, attempt: ctx.attempt, input });
        ctx.progress({ completed: 1, total: 2, unit: "bytes", detail: { file: "a" } });
        return { bytes: 2 };
      },
    });
    const task = await tasks.start("download", { url: "u" });
    expect(task.status).toBe("queued");
    const reports: unknown[] = [];
    task.onProgress(({ completed, fraction, unit, detail }) => {
      reports.push({ completed, fraction, unit, detail });
    });
    await mock.settle();
    expect(await task.result).toEqual({ bytes: 2 });
    expect(seen).toEqual([{ id: task.id, name: "download", attempt: 1, input: { url: "u" } }]);
    expect(reports).toEqual([
      { completed: 1, fraction: 0.5, unit: "bytes", detail: { file: "a" } },
    ]);
    expect(task.status).toBe("completed");
  });

  it("may return nothing if its kind's output is null", async () => {
    run({ tidy: async () => {} });
    const task = await tasks.start("tidy");
    await mock.settle();
    expect(await task.result).toBeNull();
  });

  it("reports as often as it likes: a frame has the newest state alone", async () => {
    run({
      tick: (ctx) => {
        for (let completed = 1; completed <= 1_000; completed += 1) ctx.progress({ completed });
        return new Promise(() => {});
      },
    });
    const task = await tasks.start("tick");
    const reports: number[] = [];
    task.onProgress(({ completed }) => void reports.push(completed));
    await mock.settle();
    expect(reports).toEqual([1_000]);
  });

  it("fails with what `failure` returns, and panics with whatever else it throws", async () => {
    run({
      download: () => {
        throw failure("busy", { code: 503 });
      },
      tick: () => {
        throw new TypeError("a mistake");
      },
    });
    const [download, tick] = [
      await tasks.start("download", { url: "u" }),
      await tasks.start("tick"),
    ];
    const errors = [failed(download.result), failed(tick.result)];
    await mock.settle();
    expect(await errors[0]).toBeInstanceOf(TaskFailedError);
    expect(await errors[0]).toMatchObject({ data: { code: 503 }, message: "busy" });
    expect(await errors[1]).toBeInstanceOf(TaskPanicError);
    expect(download.snapshot.error).toEqual({ kind: "error", message: "busy" });
  });

  it("has no effect once its attempt is over", async () => {
    let go = () => {};
    run({
      tick: async (ctx) => {
        await new Promise<void>((resolve) => {
          go = resolve;
        });
        ctx.progress({ completed: 9 });
        return 5;
      },
    });
    const task = await tasks.start("tick");
    const error = failed(task.result);
    await mock.settle();
    await task.cancel();
    await mock.settle();
    expect(await error).toBeInstanceOf(TaskCancelledError);
    go();
    await mock.settle();
    expect([task.status, task.snapshot.progress.completed]).toEqual(["cancelled", 0]);
  });
});

describe("a script without a function", () => {
  it("completes, or fails, at once", async () => {
    run({ tick: { output: 7 }, download: { error: failure("no", { code: 1 }) } });
    const [tick, download] = [
      await tasks.start("tick"),
      await tasks.start("download", { url: "u" }),
    ];
    const error = failed(download.result);
    await mock.settle();
    expect(await tick.result).toBe(7);
    expect(await error).toMatchObject({ data: { code: 1 } });
  });

  it("is needed for each kind that is started", async () => {
    run({});
    await expect(tasks.start("tick")).rejects.toMatchObject({ kind: "unknownTask" });
    await expect(tasks.batch("tick", [null])).rejects.toMatchObject({ kind: "unknownTask" });
  });
});

describe("what a script emits", () => {
  it("is read in order, and the last of it before the end", async () => {
    run({
      download: async (ctx) => {
        for (const item of ["a", "b", "c"]) await ctx.emit(item);
        return { bytes: 3 };
      },
    });
    const task = await tasks.start("download", { url: "u" });
    await mock.settle();
    const read: string[] = [];
    for await (const item of task.items()) read.push(item);
    expect(read).toEqual(["a", "b", "c"]);
  });

  it("may be bytes", async () => {
    run({ cat: (ctx) => ctx.emit(new Uint8Array([1, 2, 250])).then(() => null) });
    const task = await tasks.start("cat");
    await mock.settle();
    const { value } = await task.bytes().next();
    expect(value).toEqual(new Uint8Array([1, 2, 250]));
  });

  it("waits for a slow reader once the buffer is full, and loses nothing", async () => {
    let emitted = 0;
    run({
      download: async (ctx) => {
        for (let item = 0; item < 70_000; item += 1) {
          await ctx.emit(String(item));
          emitted += 1;
        }
        return { bytes: 0 };
      },
    });
    const task = await tasks.start("download", { url: "u" });
    const chunks = task.chunks();
    const first = chunks.next();
    await mock.settle();
    expect(emitted).toBeGreaterThan(65_000);
    expect(emitted).toBeLessThan(70_000);
    const read = (await first).value ?? [];
    for await (const chunk of chunks) {
      read.push(...chunk);
      await mock.settle();
    }
    expect(read).toEqual(Array.from({ length: 70_000 }, (_, item) => String(item)));
  });

  it("makes room for what is newer where nobody reads", async () => {
    run({
      download: async (ctx) => {
        for (let item = 0; item < 65_540; item += 1) await ctx.emit(String(item));
        return { bytes: 0 };
      },
    });
    const task = await tasks.start("download", { url: "u" });
    await mock.settle();
    const items = task.items();
    expect((await items.next()).value).toBe("4");
    expect(items.missed).toBe(4);
    await items.return();
  });
});

describe("a cancel", () => {
  it("ends a script that hasn't asked for its signal there and then", async () => {
    run({ tick: () => new Promise(() => {}) });
    const task = await tasks.start("tick");
    const error = failed(task.result);
    await mock.settle();
    expect(task.status).toBe("running");
    await task.cancel("no room");
    await mock.settle();
    expect(await error).toMatchObject({ reason: "no room" });
    expect(task.status).toBe("cancelled");
  });

  it("gives one that has asked 5 seconds, in which what it returns counts", async () => {
    run({
      tick: async ({ signal }) => {
        await told(signal);
        return 3;
      },
      tidy: async ({ signal }) => {
        await told(signal);
        await new Promise(() => {});
        return null;
      },
    });
    const [tick, tidy] = [await tasks.start("tick"), await tasks.start("tidy")];
    const error = failed(tidy.result);
    await mock.settle();
    await Promise.all([tick.cancel(), tidy.cancel()]);
    await mock.settle();
    expect(await tick.result).toBe(3);
    expect(tidy.status).toBe("cancelling");
    await vi.advanceTimersByTimeAsync(4_900);
    expect(tidy.status).toBe("cancelling");
    await vi.advanceTimersByTimeAsync(200);
    expect(await error).toBeInstanceOf(TaskCancelledError);
  });

  it("ends a wait in `emit`", async () => {
    const reasons: unknown[] = [];
    run({
      download: async (ctx) => {
        await told(ctx.signal);
        await ctx
          .emit("late")
          .catch((reason: unknown) => reasons.push(reason === ctx.signal.reason));
        throw ctx.signal.reason;
      },
    });
    const task = await tasks.start("download", { url: "u" });
    const error = failed(task.result);
    await mock.settle();
    await task.cancel();
    await mock.settle();
    expect(reasons).toEqual([true]);
    expect(await error).toBeInstanceOf(TaskCancelledError);
  });

  it("ends at once what has not begun", async () => {
    run({ tick: { output: 1 } });
    const task = await tasks.start("tick", null, { held: true });
    const error = failed(task.result);
    const statuses: string[] = [];
    task.onStatus((status) => void statuses.push(status));
    await task.cancel();
    await mock.settle();
    expect(await error).toBeInstanceOf(TaskCancelledError);
    expect(statuses).toEqual(["queued", "cancelled"]);
  });

  it("by the last signal that had a share in a task has the reason `signal`", async () => {
    run({ tick: "manual" });
    const [first, second] = [new AbortController(), new AbortController()];
    const join = { key: "k", onConflict: "join" } as const;
    const task = await tasks.start("tick", null, { ...join, signal: first.signal });
    const same = await tasks.start("tick", null, { ...join, signal: second.signal });
    const errors = [failed(task.result), failed(same.result)];
    expect(same.id).toBe(task.id);
    await mock.settle();
    first.abort("one");
    await mock.settle();
    expect(mock.task(task.id).cancelled).toBe(false);
    second.abort("two");
    await mock.settle();
    expect(mock.task(task.id).snapshot.cancelReason).toBe("signal");
    expect(await Promise.all(errors)).toEqual(["one", "two"]);
  });
});

describe("the queue", () => {
  it("lets as many run as `concurrency` says, those with the highest priority first", async () => {
    run({ tick: "manual" }, { concurrency: 1 });
    const first = await tasks.start("tick");
    const second = await tasks.start("tick");
    const third = await tasks.start("tick", null, { priority: 5 });
    await mock.settle();
    const statuses = () => [first, second, third].map(({ status }) => status);
    expect(statuses()).toEqual(["running", "queued", "queued"]);
    expect([second, third].map(({ snapshot }) => snapshot.queue?.position)).toEqual([2, 1]);
    mock.task("tick", first.id).complete(1);
    await mock.settle();
    expect(statuses()).toEqual(["completed", "queued", "running"]);
    await tasks.setLimit({ type: "app" }, null);
    await mock.settle();
    expect(statuses()).toEqual(["completed", "running", "running"]);
  });

  it("may have a limit for a kind, and a batch one of its own", async () => {
    run({ tick: "manual", tidy: "manual" }, { concurrency: { tick: 1 } });
    await tasks.start("tick");
    await tasks.start("tick");
    await tasks.batch("tidy", [null, null, null], { concurrency: 2 });
    await mock.settle();
    const [counted] = (await tasks.counts()).filter(({ task }) => task === "tick");
    expect(counted).toMatchObject({ limit: 1, running: 1, queued: 1 });
    const [tidy] = (await tasks.counts()).filter(({ task }) => task === "tidy");
    expect(tidy).toMatchObject({ running: 2, queued: 1 });
  });

  it("keeps a task back until it is resumed, its delay is over, or its key is free", async () => {
    run({ tick: "manual" });
    const held = await tasks.start("tick", null, { held: true });
    const delayed = await tasks.start("tick", null, { delayMs: 1_000 });
    const holder = await tasks.start("tick", null, { key: "k" });
    const after = await tasks.start("tick", null, { key: "k", onConflict: "append" });
    await mock.settle();
    const statuses = () => [held, delayed, after].map(({ status }) => status);
    expect(statuses()).toEqual(["queued", "queued", "queued"]);
    await held.resume();
    mock.task("tick", holder.id).complete(1);
    await vi.advanceTimersByTimeAsync(1_100);
    expect(statuses()).toEqual(["running", "running", "running"]);
  });
});

describe("time limits", () => {
  it("end a task that runs, and one that waits", async () => {
    run({ tick: () => new Promise(() => {}) });
    const runs = await tasks.start("tick", null, { timeoutMs: 60_000 });
    const waits = await tasks.start("tick", null, { held: true, deadlineMs: 1_500 });
    const errors = [failed(runs.result), failed(waits.result)];
    await vi.advanceTimersByTimeAsync(61_000);
    const [timeout, deadline] = await Promise.all(errors);
    expect(timeout).toBeInstanceOf(TaskTimedOutError);
    expect(timeout).toMatchObject({ message: 'task "tick" took longer than its timeout of 1m' });
    expect(deadline).toMatchObject({ limit: "deadline" });
    expect([runs.snapshot.timeLimit, waits.snapshot.timeLimit]).toEqual(["timeout", "deadline"]);
  });
});

describe("a batch", () => {
  it("sums up the progress of its members, and completes with their outcomes", async () => {
    run({ download: "manual" });
    const batch = await tasks.batch("download", [{ url: "a" }, { url: "b" }]);
    const reports: unknown[] = [];
    batch.onProgress(
      ({ completed, total, fraction }) => void reports.push([completed, total, fraction]),
    );
    await mock.settle();
    const [a, b] = (await tasks.list({ parent: batch.id })).tasks.map(({ id }) =>
      mock.task("download", id),
    );
    a?.progress({ completed: 1, total: 2 });
    await mock.settle();
    b?.progress({ completed: 0, total: 6 });
    await mock.settle();
    a?.complete({ bytes: 1 });
    await mock.settle();
    b?.fail(failure("broken", { code: 4 }));
    await mock.settle();
    expect(reports).toEqual([
      [1, null, 0.25],
      [1, 8, 0.125],
      [1, 7, 0.142857],
      [1, 1, 1],
    ]);
    expect(await batch.result).toMatchObject([
      { status: "fulfilled", value: { bytes: 1 } },
      { status: "rejected", reason: { data: { code: 4 } } },
    ]);
  });

  it("is cancelled with all its members", async () => {
    run({ tidy: () => new Promise(() => {}) }, { concurrency: 1 });
    const batch = await tasks.batch("tidy", [null, null]);
    const error = failed(batch.result);
    await mock.settle();
    await batch.cancel();
    await mock.settle();
    expect(await error).toBeInstanceOf(TaskCancelledError);
    const { tasks: members } = await tasks.list({ parent: batch.id });
    expect(members.map(({ status, cancelReason }) => [status, cancelReason])).toEqual([
      ["cancelled", "parent"],
      ["cancelled", "parent"],
    ]);
  });
});

it("keeps the last 1,000 tasks that have ended", async () => {
  run({ tick: { output: 1 } });
  for (let round = 0; round < 11; round += 1) {
    await Promise.all(Array.from({ length: 100 }, () => tasks.start("tick")));
    await mock.settle();
  }
  expect(mock.started).toHaveLength(1_100);
  expect((await tasks.list({}, { limit: 10_000 })).tasks).toHaveLength(1_000);
  expect(mock.followed).toBe(0);
});
