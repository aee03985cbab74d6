import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type LoadedPage, loadPage, settle, stateOf } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

const input = { url: "https://example.org/a.zip" };

describe("starting a task", () => {
  it("resolves with a handle that has the id and the live status", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", input);
    expect(task.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/);
    expect(task.status).toBe("queued");
    plugin.status(task.id, "running");
    await plugin.frame();
    expect(task.status).toBe("running");
  });

  it("misses no event that comes before the answer", async () => {
    const { plugin, tasks } = page;
    const answer = plugin.hold("start");
    const started = tasks.start("download", input);
    await settle();
    const [id] = [...plugin.tasks.keys()];
    plugin.status(String(id), "running");
    plugin.progress(String(id), { completed: 7 });
    await plugin.frame();
    plugin.complete(String(id), "/tmp/a.zip");
    await plugin.frame();
    answer();
    const task = await started;
    const seen: number[] = [];
    task.onProgress((progress) => seen.push(progress.completed));
    await settle();
    expect(task.status).toBe("completed");
    expect(seen).toEqual([7]);
    expect(await task.result).toBe("/tmp/a.zip");
    expect(plugin.calls("outcome")).toHaveLength(0);
    expect(page.kept()).toBe(0);
  });

  it("knows the outcome of a task that ended at once, without a further call", async () => {
    const { plugin, tasks, api } = page;
    plugin.endNext({ status: "completed", data: { output: 7 } });
    const task = await tasks.start("tick");
    expect(task.status).toBe("completed");
    expect(await task.result).toBe(7);
    expect(await task.outcome).toEqual({ status: "completed", output: 7 });
    expect(await stateOf(task.closed)).toEqual({ value: undefined });
    plugin.endNext({ status: "failed", data: { kind: "error", message: "m", error: "e" } });
    const failed = await tasks.start("tick");
    await expect(failed.result).rejects.toBeInstanceOf(api.TaskFailedError);
    plugin.endNext({ status: "completed", data: { output: 8 } });
    expect(await (await failed.rerun()).result).toBe(8);
    expect(await (await tasks.batch("tick", [])).result).toEqual([]);
    expect(plugin.commands()).toEqual(["open", "start", "start", "rerun", "batch"]);
    expect(page.kept()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("fetches the outcome of such a task if the outcome is too large for the answer", async () => {
    const { plugin, tasks } = page;
    const output = "x".repeat(5_000);
    plugin.endNext({ status: "completed", data: { output } });
    const task = await tasks.start("download", input);
    expect(task.status).toBe("completed");
    expect(plugin.commands()).toEqual(["open", "start"]);
    expect(await task.result).toBe(output);
    expect(plugin.commands()).toEqual(["open", "start", "outcome"]);
  });

  it("leaves nothing behind when it is refused", async () => {
    const { plugin, tasks, api } = page;
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    plugin.refuse("start", { kind: "invalidInput", message: "no URL", data: { path: "url" } });
    const error = await tasks.start("download", input, { signal }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(api.TaskInputError);
    expect(error).toMatchObject({ kind: "invalidInput", path: "url", message: "no URL" });
    expect(added).toHaveBeenCalledTimes(1);
    expect(removed).toHaveBeenCalledTimes(1);
    expect(page.kept()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is repeated under the same id in a new session when the session is gone", async () => {
    const { plugin, tasks } = page;
    await (await tasks.start("tick")).cancel();
    plugin.dropSessions();
    const task = await tasks.start("download", input);
    const [, first, second] = plugin.calls("start");
    expect(first?.["id"]).toBe(second?.["id"]);
    expect(first?.["session"]).not.toBe(second?.["session"]);
    expect(task.id).toBe(second?.["id"]);
  });

  it("gives up when each new session is lost at once", async () => {
    const { plugin, tasks } = page;
    plugin.refuse("start", { kind: "sessionGone", message: "gone", data: null }, 10);
    await expect(tasks.start("tick")).rejects.toMatchObject({ kind: "sessionGone" });
    expect(plugin.calls("start")).toHaveLength(3);
    expect(page.kept()).toBe(0);
  });
});

describe("starting with an AbortSignal", () => {
  it("starts nothing and opens no session if the signal is already aborted", async () => {
    const { plugin, tasks } = page;
    const signal = AbortSignal.abort("changed my mind");
    expect(await stateOf(tasks.start("download", input, { signal }))).toEqual({
      reason: "changed my mind",
    });
    expect(plugin.commands()).toEqual([]);
  });

  it("starts nothing if the signal is aborted while the session is being opened", async () => {
    const { plugin, tasks } = page;
    const answer = plugin.hold("open");
    const controller = new AbortController();
    const started = tasks.start("download", input, { signal: controller.signal });
    await settle();
    controller.abort("too late");
    expect(await stateOf(started)).toEqual({ reason: "too late" });
    answer();
    await settle();
    expect(plugin.commands()).toEqual(["open"]);
    expect(page.kept()).toBe(0);
  });

  it("rejects at once if the signal is aborted before the answer, and gives its share back after the answer", async () => {
    const { plugin, tasks } = page;
    const answer = plugin.hold("start");
    const controller = new AbortController();
    const started = tasks.start("download", input, { signal: controller.signal });
    await settle();
    controller.abort("too late");
    expect(await stateOf(started)).toEqual({ reason: "too late" });
    expect(plugin.calls("leave")).toEqual([]);
    answer();
    await settle();
    const id = plugin.calls("start")[0]?.["id"];
    expect(plugin.calls("leave")).toEqual([{ id }]);
    expect(page.kept()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ignores a refusal of the start that comes after the abort", async () => {
    const { plugin, tasks } = page;
    const controller = new AbortController();
    plugin.refuse("start", { kind: "unknownTask", message: "no", data: null });
    const answer = plugin.hold("open");
    const started = tasks.start("tick", null, { signal: controller.signal });
    await settle();
    controller.abort("gone");
    answer();
    await expect(started).rejects.toBe("gone");
    await settle();
    expect(plugin.calls("leave")).toEqual([]);
  });

  it("rejects with a DOMException when abort is given no reason", async () => {
    const { tasks, plugin } = page;
    const answer = plugin.hold("start");
    const controller = new AbortController();
    const started = tasks.start("tick", null, { signal: controller.signal });
    await settle();
    controller.abort();
    await expect(started).rejects.toMatchObject({ name: "AbortError" });
    answer();
    await settle();
  });

  it("leaves no stream behind even when the session was replaced before the answer", async () => {
    const { plugin, tasks } = page;
    const started = plugin.hold("start");
    const controller = new AbortController();
    const given = tasks.start("download", input, { signal: controller.signal });
    await settle();
    plugin.dropSessions();
    plugin.refuse("start", { kind: "sessionGone", message: "gone", data: null });
    await tasks.start("tick");
    controller.abort("too late");
    await expect(given).rejects.toBe("too late");
    const watched = plugin.hold("watch");
    started();
    await settle();
    expect(plugin.calls("watch")).toHaveLength(1);
    watched();
    await settle();
    const { id } = plugin.calls("start")[0] ?? {};
    expect(plugin.calls("leave")).toEqual([{ id }]);
    expect(plugin.session().tasks.has(String(id))).toBe(false);
    expect(page.page.tasks.size).toBe(1);
  });
});
