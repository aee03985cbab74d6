import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type LoadedPage, loadPage, settle } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

const failed = {
  status: "failed",
  data: { kind: "error", message: "HTTP 404", error: { code: 404 } },
} as const;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

describe("retrying a task", () => {
  it("returns a handle of a new task, and doesn't change the old task", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", { url: "u" }, { label: "A file" });
    plugin.end(task.id, failed);
    await plugin.frame();
    const again = await task.rerun();
    expect(again.id).toMatch(UUID_V7);
    expect(again.id).not.toBe(task.id);
    expect([task.status, again.status, again.snapshot.label]).toEqual([
      "failed",
      "queued",
      "A file",
    ]);
    const { session, ...ids } = plugin.calls("rerun")[0] ?? {};
    expect(ids).toEqual({ id: task.id, newId: again.id });
    expect(session).toBe(plugin.session().nonce);
    plugin.complete(again.id, "/tmp/a");
    await plugin.frame();
    expect(await again.result).toBe("/tmp/a");
    await expect(task.result).rejects.toMatchObject({ kind: "failed" });
    expect(page.kept()).toBe(0);
  });

  it("misses no event that comes before the answer", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    plugin.end(task.id, failed);
    await plugin.frame();
    const answer = plugin.hold("rerun");
    const rerun = task.rerun();
    await settle();
    plugin.complete(String(plugin.calls("rerun")[0]?.["newId"]), 1);
    await plugin.frame();
    answer();
    expect(await (await rerun).result).toBe(1);
  });

  it("is repeated under the same new id when the session is gone, and takes another id at each rerun", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    plugin.end(task.id, failed);
    await plugin.frame();
    plugin.dropSessions();
    const again = await task.rerun();
    const [first, second, ...others] = plugin.calls("rerun");
    expect(others).toEqual([]);
    expect(first?.["session"]).not.toBe(second?.["session"]);
    expect([first?.["newId"], second?.["newId"]]).toEqual([again.id, again.id]);
    expect((await task.rerun()).id).not.toBe(again.id);
  });

  it("joins if the first start had `onConflict: join` and another task has the key by now", async () => {
    const { plugin, tasks } = page;
    const options = { key: "k", onConflict: "join" } as const;
    const task = await tasks.start("tick", null, options);
    plugin.end(task.id, failed);
    await plugin.frame();
    const id = plugin.begin("tick", null, options);
    const again = await task.rerun();
    expect(again.id).toBe(id);
    expect(page.page.tasks.size).toBe(1);
    plugin.complete(id, 4);
    await plugin.frame();
    expect(await again.result).toBe(4);
    expect(page.kept()).toBe(0);
  });

  it("gives its share in the new task back when its signal is aborted", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    plugin.end(id, failed);
    const task = await tasks.attach("tick", id);
    for (const rerun of [task.rerun, (options: object) => tasks.rerun("tick", id, options)]) {
      const controller = new AbortController();
      const again = await rerun({ signal: controller.signal });
      const { result } = again;
      controller.abort("enough");
      await expect(result).rejects.toBe("enough");
      expect(plugin.calls("leave").at(-1)).toEqual({ id: again.id });
    }
    expect(task.status).toBe("failed");
  });

  it("starts nothing if its signal is aborted before", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    plugin.end(id, failed);
    const task = await tasks.attach("tick", id);
    const signal = AbortSignal.abort("before");
    await expect(task.rerun({ signal })).rejects.toBe("before");
    await expect(tasks.rerun("tick", id, { signal })).rejects.toBe("before");
    expect(plugin.calls("get")).toEqual([]);
    const controller = new AbortController();
    const removed = vi.spyOn(controller.signal, "removeEventListener");
    const answer = plugin.hold("get");
    const looks = tasks.rerun("tick", id, { signal: controller.signal });
    await settle();
    controller.abort("during");
    await expect(looks).rejects.toBe("during");
    answer();
    await settle();
    expect(removed).toHaveBeenCalled();
    expect(plugin.calls("rerun")).toEqual([]);
  });

  it("rejects as the plugin does, and leaves nothing behind", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick", null, { key: "k" });
    await expect(task.rerun()).rejects.toMatchObject({ name: "TaskError", kind: "notEnded" });
    plugin.complete(task.id, 1);
    await plugin.frame();
    await expect(task.rerun()).rejects.toMatchObject({ kind: "notRerunnable" });
    plugin.refuse("rerun", { kind: "queueFull", message: "full", data: { limit: 100 } });
    await expect(task.rerun()).rejects.toMatchObject({ name: "TaskQueueFullError", limit: 100 });
    plugin.refuse("rerun", "Command plugin:tasks|rerun not allowed by ACL");
    await expect(task.rerun()).rejects.toThrow('"tasks:allow-start", "allow": [{ "task": "tick" }');
    await task.remove();
    await expect(task.rerun()).rejects.toMatchObject({ name: "TaskNotFoundError" });
    expect(page.kept()).toBe(0);
  });
});

describe("retrying a task by its id", () => {
  it("does the same as the handle's method", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    plugin.end(id, failed);
    const again = await tasks.rerun("tick", id);
    expect(plugin.calls("rerun").map(({ id, newId }) => [id, newId])).toEqual([[id, again.id]]);
    plugin.complete(again.id, 3);
    await plugin.frame();
    expect(await again.result).toBe(3);
  });

  it("starts nothing if the task is of another kind, a batch, or unknown", async () => {
    const { plugin, tasks, api } = page;
    const id = plugin.begin("tick");
    plugin.end(id, failed);
    const wrong = await tasks.rerun("download", id).catch((e: unknown) => e);
    expect(wrong).toBeInstanceOf(api.TaskNotFoundError);
    expect((wrong as Error).message).toContain('is a "tick", not a "download"');
    const batch = await tasks.batch("tick", [null]);
    await expect(tasks.rerun("tick", batch.id)).rejects.toMatchObject({ kind: "notRerunnable" });
    await expect(tasks.rerun("tick", "nobody")).rejects.toBeInstanceOf(api.TaskNotFoundError);
    expect(plugin.calls("rerun")).toEqual([]);
  });
});
