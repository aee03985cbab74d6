/** What one mock leaves to the next one: nothing, even if the page was not cleaned up. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createTasks } from "../../core/index.js";
import { itemsStore, listStore, taskStore } from "../../store/index.js";
import { mockTasks, type TasksMock } from "../index.js";
import type { Tasks } from "./kinds.js";

const scripts = { tick: "manual", download: "manual" } as const;
const tasks = createTasks<Tasks>();
let mock: TasksMock<Tasks>;

beforeEach(() => {
  vi.useFakeTimers();
  mock = mockTasks<Tasks>(scripts);
});
afterEach(() => {
  mock.restore();
  vi.useRealTimers();
});

/** Ends a test without a word, and begins the next one: at once, within the grace of the stores. */
function nextTest(): void {
  mock.restore();
  mock = mockTasks<Tasks>(scripts);
}

/** Shows a list of ticks for a moment. Returns the ids of all tasks that it has shown. */
async function showTicks(): Promise<string[]> {
  const list = listStore(tasks, { task: "tick" });
  const shown = new Set<string>();
  const look = () => {
    for (const { id } of list.getSnapshot().tasks) shown.add(id);
  };
  look();
  const stop = list.subscribe(look);
  await mock.settle();
  stop();
  return [...shown];
}

describe("two tests in a row", () => {
  it.each(["the first", "the second"])(
    "with the same query see only their own tasks: %s",
    async () => {
      const task = await tasks.start("tick");
      expect(await showTicks()).toEqual([task.id]);
    },
  );

  it("see only their own tasks within one file's fake time, too", async () => {
    for (let test = 0; test < 3; test += 1) {
      const task = await tasks.start("tick");
      expect(await showTicks()).toEqual([task.id]);
      nextTest();
    }
  });

  it("see only their own task of the same id, and its items", async () => {
    // The tasks of others have the same ids in each mock.
    const seen: unknown[] = [];
    for (const item of ["first", "second"]) {
      const theirs = mock.app.start("download", { url: item });
      await theirs.emit(item);
      const task = taskStore(tasks, "download", theirs.id);
      const items = itemsStore(tasks, "download", theirs.id);
      const states = [task.getSnapshot().state, items.getSnapshot().items];
      const stops = [task.subscribe(() => {}), items.subscribe(() => {})];
      await vi.advanceTimersByTimeAsync(40);
      seen.push([...states, task.getSnapshot().state, items.getSnapshot().items]);
      for (const stop of stops) stop();
      nextTest();
    }
    expect(seen).toEqual([
      ["loading", [], "ready", ["first"]],
      ["loading", [], "ready", ["second"]],
    ]);
  });
});

describe("what was not taken off the page", () => {
  it("opens nothing in the next mock, however long it stays", async () => {
    await tasks.start("tick");
    listStore(tasks).subscribe(() => {});
    await tasks.watch({ task: "download" }, () => {});
    await mock.settle();
    nextTest();
    await vi.advanceTimersByTimeAsync(120_000);
    expect([mock.sessions, mock.watches, mock.followed]).toEqual([0, 0, 0]);
    const task = await tasks.start("tick");
    expect(await showTicks()).toEqual([task.id]);
    await vi.advanceTimersByTimeAsync(120_000);
    expect([mock.sessions, mock.watches, mock.followed]).toEqual([1, 0, 1]);
  });
});

describe("another mock", () => {
  it("ends the one before, which puts nothing back afterwards", async () => {
    const [before, signals] = [mock, [] as AbortSignal[]];
    mock = mockTasks<Tasks>({
      tick: ({ signal }) => {
        signals.push(signal);
        return new Promise(() => {});
      },
    });
    await tasks.start("tick");
    await mock.settle();
    mock = mockTasks<Tasks>({ tick: { output: 2 } });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    before.restore();
    const task = await tasks.start("tick");
    await mock.settle();
    expect(await task.result).toBe(2);
    mock.restore();
    expect("__TAURI_INTERNALS__" in globalThis).toBe(false);
  });
});

describe("a reload", () => {
  it("leaves no store open", async () => {
    const task = await tasks.start("tick");
    expect(await showTicks()).toEqual([task.id]);
    mock.reload();
    expect(listStore(tasks, { task: "tick" }).getSnapshot().state).toBe("loading");
    const other = mock.app.start("tick");
    expect(await showTicks()).toEqual([task.id, other.id]);
  });
});
