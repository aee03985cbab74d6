import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { emptyProgress } from "../../mocks/plugin/progress.js";
import type { TaskStatus } from "../ipc/bindings.js";
import { type LoadedPage, loadPage, settle, stateOf } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

const input = { url: "https://example.org/a.zip" };

describe("following a task", () => {
  it("reports each status in order and the newest progress before the end", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", input);
    const seen: string[] = [];
    task.onStatus((status) => seen.push(status));
    task.onProgress((progress) => seen.push(`${progress.completed} of ${progress.total}`));
    plugin.status(task.id, "running");
    plugin.progress(task.id, { completed: 1, total: 3 });
    await plugin.frame();
    plugin.progress(task.id, { completed: 2 });
    plugin.progress(task.id, { completed: 3 });
    plugin.complete(task.id, "/tmp/a.zip");
    await plugin.frame();
    expect(seen).toEqual(["queued", "running", "1 of 3", "3 of 3", "completed"]);
  });

  it("shows which tasks the handler waits for", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", input);
    task.onStatus(() => {});
    plugin.status(task.id, "running");
    plugin.waitsFor(task.id, ["b"]);
    await plugin.frame();
    expect(task.snapshot.waitsFor).toEqual(["b"]);
    plugin.complete(task.id, "/tmp/a.zip");
    await plugin.frame();
    expect(task.snapshot.waitsFor).toEqual([]);
  });

  it("passes on a snapshot with each status", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", input);
    const seen: unknown[] = [];
    task.onStatus((status, snapshot) => {
      const { startedAt, endedAt, attempt, error, overdue, cancelReason } = snapshot;
      seen.push({ status, startedAt, endedAt, attempt, error, overdue, cancelReason });
    });
    const first = Date.now();
    plugin.status(task.id, "running", { attempt: 1 });
    const error = { kind: "error", message: "broken pipe" } as const;
    plugin.status(task.id, "retrying", { error });
    plugin.status(task.id, "queued");
    plugin.status(task.id, "running", { attempt: 2 });
    plugin.status(task.id, "cancelling", { cancelReason: "user" });
    plugin.status(task.id, "cancelling", { overdue: true });
    plugin.end(task.id, { status: "cancelled", data: { reason: "user" } });
    await plugin.frame();
    const none = { startedAt: null, endedAt: null, attempt: 1, error: null };
    const calm = { overdue: false, cancelReason: null };
    const begun = { ...none, startedAt: first };
    expect(seen).toEqual([
      { status: "queued", ...none, ...calm, attempt: 0 },
      { status: "running", ...begun, ...calm },
      { status: "retrying", ...begun, ...calm, error },
      { status: "queued", ...begun, ...calm },
      { status: "running", ...begun, ...calm, attempt: 2 },
      { status: "cancelling", ...begun, attempt: 2, overdue: false, cancelReason: "user" },
      { status: "cancelling", ...begun, attempt: 2, overdue: true, cancelReason: "user" },
      {
        status: "cancelled",
        ...begun,
        attempt: 2,
        overdue: false,
        cancelReason: "user",
        endedAt: first,
      },
    ]);
  });

  it("ignores events that are older than the known state", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const seen: unknown[] = [];
    plugin.status(task.id, "running");
    await plugin.frame();
    task.onStatus((status) => seen.push(status));
    task.onProgress((progress) => seen.push(progress.completed));
    const status = (sequence: number, status: TaskStatus) => ({
      id: task.id,
      sequence,
      change: {
        type: "status" as const,
        data: {
          status,
          at: 0,
          attempt: 1,
          cancelReason: null,
          timeLimit: null,
          overdue: false,
          nextAttemptAt: null,
          endedAt: null,
          outcome: null,
          error: null,
        },
      },
    });
    const progress = (sequence: number, completed: number) => ({
      id: task.id,
      sequence,
      change: { type: "progress" as const, data: { ...emptyProgress(), completed } },
    });
    await plugin.push({
      message: 2,
      events: [progress(1, 4), status(2, "running"), progress(2, 5), status(1, "queued")],
      lists: [],
      more: false,
    });
    expect(seen).toEqual(["running", 5]);
  });

  it("continues after a gap, and the sequence shows what was missed", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const seen: [string, number][] = [];
    task.onStatus((status, snapshot) => seen.push([status, snapshot.sequence]));
    await plugin.push({
      message: 1,
      events: [
        { id: task.id, sequence: 5, change: { type: "gap", data: { missed: 3 } } },
        {
          id: task.id,
          sequence: 5,
          change: {
            type: "status",
            data: {
              status: "running",
              at: 5,
              attempt: 2,
              cancelReason: null,
              timeLimit: null,
              overdue: false,
              nextAttemptAt: null,
              endedAt: null,
              outcome: null,
              error: null,
            },
          },
        },
      ],
      lists: [],
      more: false,
    });
    expect(seen).toEqual([
      ["queued", 1],
      ["running", 5],
    ]);
  });

  it("ignores events of tasks that are not followed", async () => {
    const { plugin, tasks } = page;
    await tasks.start("tick");
    const progress = { type: "progress" as const, data: emptyProgress() };
    await plugin.push({
      message: 1,
      events: [{ id: "another", sequence: 0, change: progress }],
      lists: [],
      more: false,
    });
    expect(plugin.calls("ack")).toHaveLength(1);
  });

  it("releases everything at the end", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    task.onStatus(() => {});
    expect(page.kept()).toBe(2);
    expect(vi.getTimerCount()).toBeGreaterThan(0);
    plugin.complete(task.id, 1);
    await plugin.frame();
    expect(page.kept()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    expect(await task.result).toBe(1);
    expect(page.kept()).toBe(0);
  });

  it("is in its final state when the last callback is called", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const seen: unknown[] = [];
    task.onStatus((status) => seen.push([status, task.status, page.kept()]));
    plugin.complete(task.id, 1);
    await plugin.frame();
    expect(seen).toEqual([
      ["queued", "queued", 2],
      ["completed", "completed", 0],
    ]);
  });
});

describe("following a task from one session to the next", () => {
  it("brings it up to date from the snapshot and continues, reporting nothing twice", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", input);
    const seen: unknown[] = [];
    task.onStatus((status) => seen.push(status));
    task.onProgress((progress) => seen.push(progress.completed));
    plugin.status(task.id, "running");
    plugin.progress(task.id, { completed: 1 });
    await plugin.frame();
    plugin.dropSessions();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(plugin.calls("watch")).toHaveLength(1);
    expect(seen).toEqual(["queued", "running", 1]);
    plugin.progress(task.id, { completed: 2 });
    await plugin.frame();
    plugin.dropSessions();
    plugin.progress(task.id, { completed: 3 });
    plugin.status(task.id, "cancelling");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seen).toEqual(["queued", "running", 1, 2, 3, "cancelling"]);
    plugin.complete(task.id, "done");
    await plugin.frame();
    expect(seen.slice(6)).toEqual(["completed"]);
    expect(await task.result).toBe("done");
  });

  it("settles a task that ended in the meantime, and reports progress before the end", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", input);
    const seen: unknown[] = [];
    task.onStatus((status) => seen.push(status));
    task.onProgress((progress) => seen.push(progress.completed));
    const { result, closed } = task;
    plugin.dropSessions();
    plugin.status(task.id, "running");
    plugin.progress(task.id, { completed: 9 });
    plugin.complete(task.id, "/tmp/a.zip");
    expect(await stateOf(closed)).toEqual({ pending: true });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seen).toEqual(["queued", 9, "completed"]);
    expect(await result).toBe("/tmp/a.zip");
    expect(plugin.calls("outcome")).toEqual([{ id: task.id }]);
    expect(await stateOf(closed)).toEqual({ value: undefined });
    expect(page.kept()).toBe(0);
  });

  it("closes a task that was evicted in the meantime, and its result has expired", async () => {
    const { plugin, tasks, api } = page;
    const task = await tasks.start("download", input);
    const { result, outcome, closed } = task;
    const both = Promise.allSettled([result, outcome]);
    plugin.dropSessions();
    plugin.complete(task.id, "/tmp/a.zip");
    plugin.evict(task.id);
    await vi.advanceTimersByTimeAsync(10_000);
    for (const settled of await both) {
      expect(settled.status === "rejected" && settled.reason).toBeInstanceOf(
        api.OutcomeExpiredError,
      );
    }
    expect(await stateOf(closed)).toEqual({ value: undefined });
    expect(page.kept()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("buffers events of the new session until the snapshot has come", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", input);
    const seen: unknown[] = [];
    task.onStatus((status) => seen.push(status));
    task.onProgress((progress) => seen.push(progress.completed));
    plugin.dropSessions();
    plugin.status(task.id, "running");
    const answer = plugin.hold("watch");
    await vi.advanceTimersByTimeAsync(10_000);
    plugin.progress(task.id, { completed: 2 });
    plugin.status(task.id, "cancelling");
    await plugin.frame();
    expect(seen).toEqual(["queued"]);
    answer();
    await settle();
    expect(seen).toEqual(["queued", "running", "cancelling", 2]);
  });

  it("starts over when the session is lost between a watch and its answer", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", input);
    const other = await tasks.start("tick");
    plugin.dropSessions();
    const answer = plugin.hold("watch");
    await vi.advanceTimersByTimeAsync(10_000);
    // Another command finds out that this session is gone, too, before the watch of `task` is answered.
    plugin.dropSessions();
    plugin.status(task.id, "running");
    await tasks.start("tick");
    answer();
    await settle();
    expect(task.status).toBe("running");
    plugin.status(task.id, "cancelling");
    plugin.status(other.id, "running");
    await plugin.frame();
    expect([task.status, other.status]).toEqual(["cancelling", "running"]);
  });

  it("repeats a watch that failed for another reason at the next ping", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", input);
    plugin.dropSessions();
    plugin.status(task.id, "running");
    plugin.refuse("watch", "the network of this machine is out");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(task.status).toBe("queued");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(task.status).toBe("running");
  });

  it("doesn't go back to a snapshot that is older than the events it has received", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", input);
    const kept = plugin.tasks.get(task.id);
    const older = kept?.snapshot;
    const seen: unknown[] = [];
    task.onStatus((status) => seen.push(status));
    plugin.status(task.id, "running");
    await plugin.frame();
    const newer = kept?.snapshot;
    if (!kept || !older || !newer) throw new Error("There is no such task.");
    plugin.dropSessions();
    kept.snapshot = older;
    await vi.advanceTimersByTimeAsync(10_000);
    kept.snapshot = newer;
    expect(plugin.calls("watch")).toHaveLength(1);
    expect(task.status).toBe("running");
    plugin.status(task.id, "cancelling");
    await plugin.frame();
    expect(seen).toEqual(["queued", "running", "cancelling"]);
  });
});
