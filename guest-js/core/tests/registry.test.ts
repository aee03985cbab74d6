import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type LoadedPage, loadPage, settle, stateOf } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

describe("attaching", () => {
  it("follows a task that was started elsewhere", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("download");
    plugin.status(id, "running");
    plugin.progress(id, { completed: 5, detail: { file: "a" } });
    const task = await tasks.attach("download", id);
    const seen: unknown[] = [];
    task.onProgress((progress) => seen.push([progress.completed, progress.detail?.file]));
    expect([task.id, task.status]).toEqual([id, "running"]);
    plugin.progress(id, { completed: 6 });
    await plugin.frame();
    expect(seen).toEqual([
      [5, "a"],
      [6, "a"],
    ]);
    plugin.complete(id, "/tmp/a");
    await plugin.frame();
    expect(await task.result).toBe("/tmp/a");
  });

  it("returns an ended task with its final status and its outcome", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("download");
    plugin.complete(id, "/tmp/a");
    const task = await tasks.attach("download", id);
    expect(task.status).toBe("completed");
    expect(await stateOf(task.closed)).toEqual({ value: undefined });
    expect(page.kept()).toBe(0);
    expect(plugin.calls("outcome")).toEqual([]);
    expect(await task.result).toBe("/tmp/a");
  });

  it("returns a new handle each time, and each handle gets everything", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("download");
    const [one, two] = await Promise.all([
      tasks.attach("download", id),
      tasks.attach("download", id),
    ]);
    const three = await tasks.attach("download", id);
    expect(plugin.calls("watch")).toHaveLength(1);
    const seen: string[][] = [];
    for (const task of [one, two, three]) {
      const own: string[] = [];
      seen.push(own);
      task.onStatus((status) => own.push(status));
      task.onProgress((progress) => own.push(String(progress.completed)));
    }
    plugin.status(id, "running");
    plugin.progress(id, { completed: 1 });
    plugin.complete(id, "/tmp/a");
    await plugin.frame();
    const all = ["queued", "running", "1", "completed"];
    expect(seen).toEqual([all, all, all]);
    expect(await Promise.all([one.result, two.result, three.result])).toEqual([
      "/tmp/a",
      "/tmp/a",
      "/tmp/a",
    ]);
    expect(page.kept()).toBe(0);
  });

  it("rejects for an unknown task, and leaves nothing behind", async () => {
    const { tasks, api } = page;
    const error = await tasks.attach("download", "nobody").catch((e: unknown) => e);
    expect(error).toBeInstanceOf(api.TaskNotFoundError);
    expect(page.kept()).toBe(0);
  });

  it("rejects under the wrong name, and stops the events", async () => {
    const { plugin, tasks, api } = page;
    const id = plugin.begin("tick");
    const error = await tasks.attach("download", id).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(api.TaskNotFoundError);
    expect((error as Error).message).toContain('"tick"');
    await settle();
    expect(plugin.calls("unwatch")).toEqual([
      { session: plugin.session().nonce, target: { type: "task", data: { id } } },
    ]);
    expect(page.kept()).toBe(0);
  });

  it("doesn't affect handles with the right name when it fails under the wrong name", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    const [wrong, right] = await Promise.allSettled([
      tasks.attach("download", id),
      tasks.attach("tick", id),
    ]);
    expect([wrong.status, right.status]).toEqual(["rejected", "fulfilled"]);
    await expect(tasks.attach("download", id)).rejects.toThrow();
    expect(plugin.calls("unwatch")).toEqual([]);
    plugin.status(id, "running");
    await plugin.frame();
    expect(right.status === "fulfilled" && right.value.status).toBe("running");
  });

  it("waits until the page has stopped following the same task", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    const answer = plugin.hold("unwatch");
    await expect(tasks.attach("download", id)).rejects.toThrow();
    const attached = tasks.attach("tick", id);
    await settle();
    expect(plugin.calls("watch")).toHaveLength(1);
    answer();
    const task = await attached;
    expect(plugin.calls("watch")).toHaveLength(2);
    plugin.status(id, "running");
    await plugin.frame();
    expect(task.status).toBe("running");
  });
});
