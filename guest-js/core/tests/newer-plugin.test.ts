/** A newer plugin that speaks the same protocol may add fields, statuses, kinds and reasons. This client must get along with them. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TaskError } from "../errors/task-error.js";
import type {
  CancelReason,
  Outcome,
  SessionMessage,
  TaskSnapshot,
  TaskStatus,
} from "../ipc/bindings.js";
import { type LoadedPage, loadPage, stateOf } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

/** A value that the types of this version don't have. */
const newer = <T>(value: unknown): T => value as T;

const DORMANT = newer<TaskStatus>("dormant");
const SKIPPED = newer<TaskStatus>("skipped");

describe("a status that this package doesn't know", () => {
  it("is shown and passed on like the others", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const seen: string[] = [];
    const lists: string[][] = [];
    task.onStatus((status) => seen.push(status));
    await tasks.watch({}, (all) => lists.push(all.map(({ status }) => status)));
    plugin.status(task.id, DORMANT);
    await plugin.frame();
    expect([task.status, task.snapshot.endedAt]).toEqual(["dormant", null]);
    plugin.status(task.id, "running");
    plugin.complete(task.id, 1);
    await plugin.frame();
    expect(seen).toEqual(["queued", "dormant", "running", "completed"]);
    expect(lists).toEqual([["queued"], ["dormant"], ["completed"]]);
    expect(await task.result).toBe(1);
  });

  it("doesn't keep a task from being attached to and listed", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    plugin.status(id, DORMANT);
    expect((await tasks.attach("tick", id)).status).toBe("dormant");
    expect((await tasks.list()).tasks.map(({ status }) => status)).toEqual(["dormant"]);
    expect((await tasks.attachAll()).map(({ status }) => status)).toEqual(["dormant"]);
  });

  for (const inline of [true, false]) {
    it(`ends the task if it is final, with an outcome that ${inline ? "is pushed" : "has to be fetched"}`, async () => {
      const { plugin, tasks } = page;
      const task = await tasks.start("tick");
      const outcome = newer<Outcome>({
        status: "skipped",
        data: { message: "Not today.", why: 7 },
      });
      const entry = plugin.tasks.get(task.id);
      if (entry) entry.outcome = outcome;
      plugin.status(task.id, SKIPPED, { endedAt: 5, outcome: inline ? outcome : null });
      await plugin.frame();
      await task.closed;
      expect([task.status, task.snapshot.endedAt, page.kept()]).toEqual(["skipped", 5, 0]);
      const told = await task.outcome;
      expect(told.status).toBe("skipped");
      const state = await stateOf(task.result);
      const { reason } = newer<{ reason: TaskError }>(state);
      expect(reason).toBeInstanceOf(page.api.TaskError);
      expect([reason.kind, reason.message, reason.data]).toEqual([
        "skipped",
        "Not today.",
        { message: "Not today.", why: 7 },
      ]);
    });
  }

  it("is an end even if the task had it when this page attached to it", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    const entry = plugin.tasks.get(id);
    if (entry) entry.outcome = newer<Outcome>({ status: "skipped" });
    plugin.status(id, SKIPPED, { endedAt: 5 });
    const task = await tasks.attach("tick", id);
    await task.closed;
    await expect(task.result).rejects.toMatchObject({
      kind: "skipped",
      message: expect.stringContaining("update it"),
      data: null,
    });
  });
});

describe("an outcome with something new in it", () => {
  async function ended(outcome: unknown): Promise<TaskError> {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    plugin.end(task.id, newer<Outcome>(outcome));
    await plugin.frame();
    const told = await task.outcome;
    return newer<{ error: TaskError }>(told).error;
  }

  it("may have another reason of a cancellation", async () => {
    const error = await ended({ status: "cancelled", data: { reason: "battery", level: 3 } });
    expect(error).toBeInstanceOf(page.api.TaskCancelledError);
    expect(error).toMatchObject({ reason: "battery" });
  });

  it("may have another sort of failure, whose error is kept", async () => {
    const data = { kind: "crash", message: "It crashed.", error: { code: 9 }, core: "dump" };
    const error = await ended({ status: "failed", data });
    expect(error).toBeInstanceOf(page.api.TaskFailedError);
    expect(error).toMatchObject({ kind: "failed", message: "It crashed.", error: { code: 9 } });
  });

  it("may have another time limit", async () => {
    const error = await ended({ status: "timedOut", data: { limit: "idle", message: "Idle." } });
    expect(error).toMatchObject({ kind: "timedOut", limit: "idle", message: "Idle." });
  });

  it("may be that of a member of a batch", async () => {
    const { plugin, tasks } = page;
    const batch = await tasks.batch("tick", [null, null]);
    plugin.complete(batch.id, [
      { status: "skipped", data: null },
      { status: "completed", data: { output: 2 } },
    ]);
    await plugin.frame();
    expect(await batch.result).toMatchObject([
      { status: "rejected", reason: { kind: "skipped" } },
      { status: "fulfilled", value: 2 },
    ]);
  });
});

describe("a message with something new in it", () => {
  it("may have unknown fields, events and changes, and the rest of it counts", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const lists: TaskSnapshot[][] = [];
    await tasks.watch({}, (all) => lists.push(all));
    const { snapshot } = task;
    const reason = newer<CancelReason>("battery");
    const message = {
      message: 1,
      weather: "fine",
      schedules: [{ name: "nightly" }],
      events: [
        { id: task.id, sequence: 1, change: { type: "mood", data: { mood: "good" } }, extra: 1 },
        { id: task.id, sequence: 1, change: { type: "mood" } },
        {
          id: task.id,
          sequence: 2,
          change: {
            type: "status",
            data: {
              status: "cancelling",
              at: 5,
              attempt: 1,
              cancelReason: reason,
              timeLimit: null,
              overdue: false,
              nextAttemptAt: null,
              endedAt: null,
              outcome: null,
              error: null,
              temperature: 37,
            },
          },
        },
      ],
      lists: [
        {
          watch: 1,
          changed: [{ ...snapshot, sequence: 2, colour: "red" }],
          progressed: [],
          removed: [],
          moved: [1],
        },
        { watch: 99, changed: [], progressed: [], removed: [] },
      ],
      more: false,
    };
    await plugin.push(newer<SessionMessage>(message));
    expect([task.status, task.snapshot.cancelReason]).toEqual(["cancelling", "battery"]);
    expect(lists.at(-1)).toMatchObject([{ id: task.id, sequence: 2, colour: "red" }]);
    expect(plugin.calls("ack")).toHaveLength(1);
  });

  it("may refuse a call for a reason that this package doesn't know", async () => {
    const { plugin, tasks } = page;
    plugin.refuse("list", { kind: "tired", message: "Later.", data: { until: 5 }, hint: "x" });
    await expect(tasks.list()).rejects.toMatchObject({
      name: "TaskError",
      kind: "tired",
      message: "Later.",
      data: { until: 5 },
    });
  });
});
