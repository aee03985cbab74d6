import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { StartOptions } from "../index.js";
import { type LoadedPage, loadPage, settle, stateOf } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

const join = { key: "k", onConflict: "join" } as const satisfies StartOptions;

/** Starts a task that belongs to another page and has the key. */
function live(): string {
  return page.plugin.begin("tick", null, { key: "k" });
}

/** Returns the ids of the tasks whose events the plugin sends to this page. */
function told(): string[] {
  return [...page.plugin.session().tasks.keys()];
}

describe("a start that joins", () => {
  it("starts a task when nobody has the key", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick", null, join);
    expect(task.id).toBe(plugin.calls("start")[0]?.["id"]);
    plugin.complete(task.id, 1);
    await plugin.frame();
    expect(await task.result).toBe(1);
    expect(page.kept()).toBe(0);
  });

  it("returns a handle of the live task, follows that task, and keeps nothing under the unused id", async () => {
    const { plugin, tasks } = page;
    const id = live();
    const task = await tasks.start("tick", null, join);
    expect(task.id).toBe(id);
    expect(plugin.calls("start")[0]?.["id"]).not.toBe(id);
    expect(page.page.tasks.size).toBe(1);
    expect(plugin.commands()).toEqual(["open", "start"]);
    const seen: string[] = [];
    task.onStatus((status) => seen.push(status));
    plugin.status(id, "running");
    await plugin.frame();
    plugin.complete(id, 7);
    await plugin.frame();
    expect(seen).toEqual(["queued", "running", "completed"]);
    expect(await task.result).toBe(7);
    expect(page.kept()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("misses no event that comes under the joined id before the answer", async () => {
    const { plugin, tasks } = page;
    const id = live();
    const answer = plugin.hold("start");
    const started = tasks.start("tick", null, join);
    await settle();
    plugin.status(id, "running");
    plugin.progress(id, { completed: 7 });
    await plugin.frame();
    plugin.complete(id, 42);
    await plugin.frame();
    answer();
    const task = await started;
    const seen: number[] = [];
    task.onProgress((progress) => seen.push(progress.completed));
    await settle();
    expect([task.id, task.status, seen]).toEqual([id, "completed", [7]]);
    expect(await task.result).toBe(42);
    expect(plugin.calls("outcome")).toEqual([]);
    expect(page.kept()).toBe(0);
  });

  it("ignores the events of other tasks", async () => {
    const { plugin, tasks } = page;
    const other = await tasks.start("tick");
    const id = live();
    const answer = plugin.hold("start");
    const started = tasks.start("tick", null, join);
    await settle();
    plugin.status(other.id, "running");
    plugin.progress(other.id, { completed: 9 });
    plugin.complete(other.id, 9);
    await plugin.frame();
    expect(await other.result).toBe(9);
    answer();
    const task = await started;
    expect([task.id, task.status, task.snapshot.progress.completed]).toEqual([id, "queued", 0]);
  });

  it("leaves nothing behind when it is refused", async () => {
    const { plugin, tasks } = page;
    live();
    plugin.refuse("start", { kind: "notAllowed", message: "no", data: null });
    await expect(tasks.start("tick", null, join)).rejects.toMatchObject({ kind: "notAllowed" });
    expect(page.kept()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("follows the task when it is repeated in a new session, under the same id", async () => {
    const { plugin, tasks } = page;
    const id = live();
    await tasks.start("tick");
    plugin.dropSessions();
    const task = await tasks.start("tick", null, join);
    const [, first, second] = plugin.calls("start");
    expect(first?.["id"]).toBe(second?.["id"]);
    expect(first?.["session"]).not.toBe(second?.["session"]);
    expect(task.id).toBe(id);
    plugin.status(id, "running");
    await plugin.frame();
    expect(task.status).toBe("running");
  });

  it("follows the joined task into the next session", async () => {
    const { plugin, tasks } = page;
    const id = live();
    const task = await tasks.start("tick", null, join);
    plugin.dropSessions();
    plugin.status(id, "running");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(plugin.calls("watch").map((args) => args["target"])).toEqual([
      { type: "task", data: { id } },
    ]);
    expect(task.status).toBe("running");
  });

  it("requests the joined task again when its session is lost before the answer", async () => {
    const { plugin, tasks } = page;
    const id = live();
    const answer = plugin.hold("start");
    const started = tasks.start("tick", null, join);
    await settle();
    plugin.dropSessions();
    plugin.status(id, "running");
    // Another call notices that the session is gone.
    await tasks.start("tick");
    answer();
    const task = await started;
    await settle();
    expect(task.status).toBe("running");
    plugin.complete(id, 3);
    await plugin.frame();
    expect(await task.result).toBe(3);
  });
});

describe("a start that joins a task which this page follows already", () => {
  it("shares that task: both handles get everything, once", async () => {
    const { plugin, tasks } = page;
    const first = await tasks.start("tick", null, join);
    const second = await tasks.start("tick", null, join);
    expect(second.id).toBe(first.id);
    expect(page.page.tasks.size).toBe(1);
    expect(page.page.session.size).toBe(1);
    const seen: string[] = [];
    first.onStatus((status) => seen.push(`1 ${status}`));
    second.onStatus((status) => seen.push(`2 ${status}`));
    plugin.status(first.id, "running");
    plugin.complete(first.id, 5);
    await plugin.frame();
    expect(seen.sort()).toEqual(
      [1, 2].flatMap((n) => [`${n} completed`, `${n} queued`, `${n} running`]),
    );
    expect(await Promise.all([first.result, second.result])).toEqual([5, 5]);
    expect(page.kept()).toBe(0);
  });

  it("brings that task up to date with changes that only the answer holds", async () => {
    const { plugin, tasks } = page;
    const first = await tasks.start("tick", null, join);
    const seen: unknown[] = [];
    first.onStatus((status) => seen.push(status));
    first.onProgress((progress) => seen.push(progress.completed));
    plugin.status(first.id, "running");
    plugin.progress(first.id, { completed: 3 });
    await tasks.start("tick", null, join);
    await plugin.frame();
    expect(seen).toEqual(["queued", 3, "running"]);
    plugin.progress(first.id, { completed: 4 });
    await tasks.start("tick", null, join);
    expect(seen).toEqual(["queued", 3, "running", 4]);
  });

  it("never goes back to an older state of that task", async () => {
    const { plugin, tasks } = page;
    const first = await tasks.start("tick", null, join);
    const seen: unknown[] = [];
    first.onStatus((status) => seen.push(status));
    first.onProgress((progress) => seen.push(progress.completed));
    plugin.status(first.id, "running");
    plugin.progress(first.id, { completed: 3 });
    const answer = plugin.hold("start");
    const started = tasks.start("tick", null, join);
    await settle();
    plugin.progress(first.id, { completed: 4 });
    await plugin.frame();
    answer();
    const second = await started;
    plugin.progress(first.id, { completed: 5 });
    await plugin.frame();
    expect(seen.filter((entry) => typeof entry === "number")).toEqual([4, 5]);
    expect(second.snapshot.progress.completed).toBe(5);
  });

  it("waits for the older of two answers, so that progress never goes back", async () => {
    const { plugin, tasks } = page;
    const first = await tasks.start("tick", null, join);
    const seen: number[] = [];
    first.onProgress((progress) => seen.push(progress.completed));
    plugin.progress(first.id, { completed: 1 });
    plugin.dropSessions();
    const older = plugin.hold("watch");
    await tasks.start("tick");
    await settle();
    expect(plugin.calls("watch")).toHaveLength(1);
    plugin.progress(first.id, { completed: 2 });
    const started = tasks.start("tick", null, join);
    await settle();
    older();
    await started;
    expect(seen).toEqual([1, 2]);
  });

  it("knows the end of the task even if it came before the answer", async () => {
    const { plugin, tasks } = page;
    const first = await tasks.start("tick", null, join);
    const answer = plugin.hold("start");
    const started = tasks.start("tick", null, join);
    await settle();
    plugin.complete(first.id, 6);
    await plugin.frame();
    expect(first.status).toBe("completed");
    answer();
    const second = await started;
    expect([second.id, second.status]).toEqual([first.id, "completed"]);
    expect(await second.result).toBe(6);
    expect(page.kept()).toBe(0);
  });

  it("knows the end of the task even if another answer brought it first", async () => {
    const { plugin, tasks } = page;
    const id = live();
    const answer = plugin.hold("start");
    const started = tasks.start("tick", null, join);
    await settle();
    // This answer brings the end, so no event does.
    plugin.complete(id, 6);
    const other = await tasks.attach("tick", id);
    expect(other.status).toBe("completed");
    answer();
    const task = await started;
    expect(await stateOf(task.closed)).toEqual({ value: undefined });
    expect(await task.result).toBe(6);
    expect(page.kept()).toBe(0);
  });

  it("doesn't take the other request's events when both are answered in a new session", async () => {
    const { plugin, tasks } = page;
    const first = await tasks.start("tick", null, join);
    const answer = plugin.hold("start");
    const started = tasks.start("tick", null, join);
    await settle();
    plugin.dropSessions();
    // Another call notices the loss, and the first task is requested in the new session.
    await tasks.start("tick");
    await settle();
    const watches = plugin.calls("watch").length;
    answer();
    const second = await started;
    await settle();
    expect(plugin.calls("watch")).toHaveLength(watches);
    plugin.complete(first.id, 1);
    await plugin.frame();
    expect([first.status, second.status]).toEqual(["completed", "completed"]);
  });

  it("waits for the start of that task if that start is answered later", async () => {
    const { plugin, tasks } = page;
    const answer = plugin.hold("start");
    const starting = tasks.start("tick", null, join);
    await settle();
    const joining = tasks.start("tick", null, join);
    expect(await stateOf(joining)).toEqual({ pending: true });
    const [id] = [...plugin.tasks.keys()];
    plugin.status(String(id), "running");
    await plugin.frame();
    answer();
    const [first, second] = await Promise.all([starting, joining]);
    expect([first.id, second.id]).toEqual([id, id]);
    expect([first.status, second.status]).toEqual(["running", "running"]);
    expect(page.page.tasks.size).toBe(1);
    plugin.complete(first.id, 8);
    await plugin.frame();
    expect(await Promise.all([first.result, second.result])).toEqual([8, 8]);
    expect(page.kept()).toBe(0);
  });

  it("follows the task on its own if the other request for it fails", async () => {
    const { plugin, tasks } = page;
    // This watch is sent before the task exists and answered after it was joined.
    const id = "00000000-0000-7000-8000-000000000001";
    const answer = plugin.hold("watch");
    const attached = stateOf(tasks.attach("tick", id));
    await settle();
    expect(live()).toBe(id);
    const started = tasks.start("tick", null, join);
    expect(await stateOf(started)).toEqual({ pending: true });
    answer();
    expect(await attached).toMatchObject({ pending: true });
    const task = await started;
    expect(task.id).toBe(id);
    expect(page.page.tasks.size).toBe(1);
    plugin.complete(id, 2);
    await plugin.frame();
    expect(await task.result).toBe(2);
    expect(page.kept()).toBe(0);
  });

  it("requests the task again if the page has stopped following it in the meantime", async () => {
    const { plugin, tasks } = page;
    const id = live();
    const answer = plugin.hold("start");
    const started = tasks.start("tick", null, join);
    await settle();
    // The plugin runs this after the start, so it no longer sends this page the events of the task.
    await expect(tasks.attach("download", id)).rejects.toThrow();
    await settle();
    expect(plugin.calls("unwatch")).toHaveLength(1);
    expect(told()).toEqual([]);
    answer();
    const task = await started;
    await settle();
    expect(told()).toEqual([id]);
    plugin.complete(id, 1);
    await plugin.frame();
    expect(await task.result).toBe(1);
    expect(page.kept()).toBe(0);
  });

  it("requests the task again if the page was about to stop following it", async () => {
    const { plugin, tasks } = page;
    const id = live();
    const left = plugin.hold("unwatch");
    await expect(tasks.attach("download", id)).rejects.toThrow();
    const started = tasks.start("tick", null, join);
    await settle();
    expect(plugin.calls("unwatch")).toHaveLength(1);
    left();
    const task = await started;
    await settle();
    expect(told()).toEqual([id]);
    plugin.status(id, "running");
    await plugin.frame();
    expect(task.status).toBe("running");
    expect(page.page.tasks.size).toBe(1);
  });
});

describe("the other ways to treat a taken key", () => {
  it("`refuse` says which task has the key", async () => {
    const { tasks, api } = page;
    const id = live();
    const error = await tasks.start("tick", null, { key: "k" }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(api.TaskKeyTakenError);
    expect(error).toMatchObject({ kind: "keyTaken", id });
    expect(page.kept()).toBe(0);
  });

  it("`replace` cancels the live task, and the handle of that task says so", async () => {
    const { plugin, tasks } = page;
    const first = await tasks.start("tick", null, { key: "k" });
    const second = await tasks.start("tick", null, { key: "k", onConflict: "replace" });
    expect(second.id).not.toBe(first.id);
    expect(second.snapshot.queue?.position).toBeNull();
    plugin.end(first.id, { status: "cancelled", data: { reason: "replaced" } });
    await plugin.frame();
    await expect(first.result).rejects.toMatchObject({ reason: "replaced" });
    expect(second.snapshot.queue?.position).toBe(1);
  });

  it("`append` waits for the live task", async () => {
    const { plugin, tasks } = page;
    const first = await tasks.start("tick", null, { key: "k" });
    const second = await tasks.start("tick", null, { key: "k", onConflict: "append" });
    expect([first.status, second.snapshot.queue?.position]).toEqual(["queued", null]);
    plugin.complete(first.id, 1);
    await plugin.frame();
    expect(second.snapshot.queue?.position).toBe(1);
  });
});
