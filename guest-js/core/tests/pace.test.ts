import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type LoadedPage, loadPage, settle } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

/** Lets time pass, with a frame every 10 milliseconds. Reports progress in each if `report` is given. */
async function pass(ms: number, report?: () => void): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) {
    await vi.advanceTimersByTimeAsync(10);
    report?.();
    await page.plugin.frame();
  }
}

/** Returns the paces that the page has asked for, for a task or for lists. */
function asked(type: "task" | "list"): unknown[] {
  const calls = page.plugin.calls("watch");
  return calls
    .filter((args) => (args["target"] as { type: string }).type === type)
    .map((args) => args["everyMs"]);
}

describe("a callback for progress with a pace", () => {
  it("gets the newest value at most once in that time, and the plugin sends no more", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const seen: [number, number][] = [];
    const began = performance.now();
    task.onProgress(({ completed }) => seen.push([performance.now() - began, completed]), {
      everyMs: 100,
    });
    await settle();
    let completed = 0;
    await pass(1_000, () => plugin.progress(task.id, { completed: ++completed }));
    expect(seen.length).toBeGreaterThanOrEqual(9);
    expect(seen.length).toBeLessThanOrEqual(10);
    for (const [index, [at, value]] of seen.entries()) {
      expect(at - (seen[index - 1]?.[0] ?? -100)).toBeGreaterThanOrEqual(100);
      expect(value).toBeGreaterThanOrEqual(at / 10 - 2);
    }
    expect(asked("task")).toEqual([100]);
    expect(plugin.calls("ack").length).toBeLessThanOrEqual(11);
    await pass(110);
    expect(seen.at(-1)?.[1]).toBe(completed);
  });

  it("gets the newest value before the end, at once", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const seen: unknown[] = [];
    task.onProgress(({ completed }) => seen.push(completed), { everyMs: 3_600_000 });
    task.onStatus((status) => seen.push(status));
    await settle();
    plugin.status(task.id, "running");
    plugin.progress(task.id, { completed: 1 });
    await pass(1_000);
    plugin.progress(task.id, { completed: 2 });
    plugin.complete(task.id, 1);
    await plugin.frame();
    expect(seen).toEqual(["queued", "running", 2, "completed"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("keeps its own pace beside faster ones, and the plugin keeps the fastest", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const counts = { slow: 0, quick: 0, each: 0 };
    task.onProgress(() => (counts.slow += 1), { everyMs: 500 });
    const off = task.onProgress(() => (counts.quick += 1), { everyMs: 100 });
    const each = (await tasks.attach("tick", task.id)).onProgress(() => (counts.each += 1));
    await settle();
    let completed = 0;
    const report = () => plugin.progress(task.id, { completed: ++completed });
    await pass(1_000, report);
    expect(counts).toEqual({
      slow: expect.toSatisfy((n) => n >= 2 && n <= 3),
      quick: 10,
      each: 100,
    });
    each();
    await pass(1_000, report);
    expect(counts.quick).toBeLessThanOrEqual(21);
    off();
    await pass(1_000, report);
    // The first two callbacks were added together, so the plugin is told only once.
    expect(asked("task")).toEqual([100, 0, 100, 500]);
    expect(counts.slow).toBeLessThanOrEqual(7);
    expect(counts.each).toBe(100);
  });

  it("is asked for again in a new session", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    task.onProgress(() => {}, { everyMs: 250 });
    await settle();
    plugin.dropSessions();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked("task")).toEqual([250, 250]);
  });

  it("is asked for again if the call got lost", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    plugin.refuse("watch", "the call was lost");
    task.onProgress(() => {}, { everyMs: 250 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(asked("task").at(-1)).toBe(250);
    expect(plugin.session().tasks.get(task.id)?.everyMs).toBe(250);
  });

  it("misses nothing that is on its way when the pace changes", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const seen: unknown[] = [];
    task.onStatus((status) => seen.push(status));
    await settle();
    plugin.status(task.id, "running");
    plugin.progress(task.id, { completed: 1 });
    task.onProgress(({ completed }) => seen.push(completed), { everyMs: 100 });
    await settle();
    expect(asked("task")).toEqual([100]);
    await pass(100);
    expect(seen).toEqual(["queued", "running", 1]);
    plugin.complete(task.id, 1);
    task.onProgress(({ completed }) => seen.push(completed), { everyMs: 50 });
    await settle();
    await plugin.frame();
    expect(seen).toEqual(["queued", "running", 1, 1, "completed"]);
  });

  it("calls back no more once it is removed, even if a value waits", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const seen: number[] = [];
    const off = task.onProgress(({ completed }) => seen.push(completed), { everyMs: 100 });
    task.onProgress(() => {});
    plugin.progress(task.id, { completed: 1 });
    await plugin.frame();
    plugin.progress(task.id, { completed: 2 });
    await plugin.frame();
    off();
    await pass(500);
    expect(seen).toEqual([1]);
  });
});

describe("a live list with a pace", () => {
  it("is told of changes at most once in that time, and of ends at once", async () => {
    const { plugin, tasks } = page;
    const [ends, goesOn] = [plugin.begin("tick"), plugin.begin("tick")];
    const seen: [number, string][] = [];
    const began = performance.now();
    await tasks.watch(
      {},
      (all) => {
        const short = all.map(({ status, progress }) => `${status} ${progress.completed}`);
        seen.push([performance.now() - began, short.join(", ")]);
      },
      { everyMs: 1_000 },
    );
    plugin.progress(goesOn, { completed: 1 });
    await pass(300);
    plugin.complete(ends, 1);
    await pass(400);
    plugin.progress(goesOn, { completed: 2 });
    plugin.begin("tick");
    await pass(600);
    expect(seen).toEqual([
      [0, "queued 0, queued 0"],
      [310, "completed 0, queued 0"],
      [1_000, "completed 0, queued 2, queued 0"],
    ]);
    expect(asked("list")).toEqual([1_000]);
  });

  it("asks for that pace for the members of a batch, too", async () => {
    const { tasks } = page;
    const batch = await tasks.batch("tick", [null]);
    await batch.watchMembers(() => {}, { everyMs: 2_000 });
    await tasks.watch({}, () => {});
    expect(asked("list")).toEqual([2_000, 0]);
  });

  it("counts what comes in several messages as one update", async () => {
    const { plugin, tasks } = page;
    const ids = [plugin.begin("tick"), plugin.begin("tick"), plugin.begin("tick")];
    const seen: string[] = [];
    const tell = (all: readonly { sequence: number }[]) =>
      seen.push(all.map(({ sequence }) => sequence).join(" "));
    await tasks.watch({}, tell, { everyMs: 1_000 });
    const changed = (id: string | undefined, more: object = {}) => {
      const entry = plugin.tasks.get(String(id));
      if (!entry) throw new Error("There is no such task.");
      return { ...entry.snapshot, sequence: 2, ...more };
    };
    const message = (message: number, more: boolean, ...entries: ReturnType<typeof changed>[]) => ({
      message,
      events: [],
      lists:
        entries.length > 0 ? [{ watch: 1, changed: entries, progressed: [], removed: [] }] : [],
      more,
    });
    await plugin.push(message(1, true, changed(ids[0])));
    await plugin.push(message(2, true, changed(ids[1])));
    expect(seen).toEqual(["1 1 1"]);
    // The last message may have something for other watchers only.
    await plugin.push(message(3, false));
    expect(seen).toEqual(["1 1 1", "2 2 1"]);
    await plugin.push(message(4, true, changed(ids[2], { status: "completed", endedAt: 5 })));
    expect(seen.at(-1)).toBe("2 2 2");
    await plugin.push(message(5, false, changed(ids[0], { sequence: 3 })));
    expect(seen).toEqual(["1 1 1", "2 2 1", "2 2 2", "3 2 2"]);
  });
});
