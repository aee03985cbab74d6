import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type LoadedPage, loadPage, settle } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

describe("attaching from an item", () => {
  it("starts reading with that item, in every form", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tail");
    plugin.emit(id, 0, 1, 2, 3);
    const task = await tasks.attach("tail", id, { from: 2 });
    const items = task.items();
    expect(items.position).toBe(2);
    expect((await items.next()).value).toBe(2);
    await items.return();
    const chunks = (await tasks.attach("tail", id, { from: 3 })).chunks();
    expect((await chunks.next()).value).toEqual([3]);
    expect(plugin.calls("read").map(({ from }) => from)).toEqual([2, 2, 2, 2, 3, 3, 3, 3]);
  });

  it("continues where the handle's last reading stopped, not where its first one started", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tail");
    plugin.emit(id, 0, 1, 2, 3);
    const task = await tasks.attach("tail", id, { from: 1 });
    const items = task.items();
    await items.next();
    await items.return();
    const more = task.items();
    expect((await more.next()).value).toBe(2);
    expect(more.missed).toBe(0);
  });

  it("can start with the first item, or with the next one to come", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tail");
    plugin.emit(id, 0);
    const first = (await tasks.attach("tail", id, { from: 0 })).items();
    expect((await first.next()).value).toBe(0);
    await first.return();
    const next = (await tasks.attach("tail", id, { from: 1 })).items().next();
    await settle();
    plugin.emit(id, 1);
    expect((await next).value).toBe(1);
  });

  it("keeps that position when the reading is stopped before it got anything", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tail");
    plugin.emit(id, 0, 1);
    const items = (await tasks.attach("tail", id, { from: 2 })).items();
    const next = items.next();
    await settle();
    await items.return();
    await next;
    expect(items.position).toBe(2);
    expect(plugin.calls("cancel_read")).toMatchObject([{ position: 2 }]);
  });

  it("is refused by the plugin if that item doesn't exist", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tail");
    plugin.emit(id, 0);
    plugin.complete(id, 1);
    const task = await tasks.attach("tail", id, { from: 9 });
    await expect(task.items().next()).rejects.toMatchObject({ kind: "invalidOptions" });
  });

  it("is refused at once if `from` is not the number of an item", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tail");
    for (const from of [Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY, 2 ** 53]) {
      await expect(tasks.attach("tail", id, { from })).rejects.toMatchObject({
        name: "TaskError",
        kind: "invalidOptions",
        message: expect.stringContaining(`from is ${from}: pass the position`),
      });
    }
    expect(plugin.commands()).toEqual([]);
    await tasks.attach("tail", id, { from: undefined });
    await tasks.attach("tail", id, {});
  });
});

describe("attaching to all", () => {
  it("returns a handle of each matching task, oldest first, but of no batch", async () => {
    const { plugin, tasks } = page;
    const ids = [plugin.begin("tick"), plugin.begin("tail"), plugin.begin("tick")];
    const { id: batch } = await tasks.batch("tick", [null, null]);
    const all = await tasks.attachAll();
    expect(all.map(({ id }) => id)).toEqual([...ids, ...plugin.members(batch)]);
    const ticks = await tasks.attachAll({ task: "tick", parent: batch });
    expect(ticks.map(({ id }) => id)).toEqual(plugin.members(batch));
    const [, tail] = await tasks.attachAll({ task: ["tick", "tail"] });
    plugin.status(String(tail?.id), "running");
    await plugin.frame();
    expect(tail?.status).toBe("running");
  });

  it("walks through all pages of the list, whatever happens between them", async () => {
    const { plugin, tasks } = page;
    plugin.limitLists(10);
    const ids = Array.from({ length: 25 }, () => plugin.begin("tick"));
    const answer = plugin.hold("list");
    const attached = tasks.attachAll();
    await settle();
    // The last task of the first page.
    const removed = ids.splice(9, 1);
    plugin.evict(String(removed[0]));
    ids.push(plugin.begin("tick"));
    answer();
    const all = await attached;
    expect(all.map(({ id }) => id)).toEqual(ids);
    expect(plugin.calls("list").map(({ after }) => after)).toEqual([null, 10, 20]);
  });

  it("leaves out tasks that vanish in the meantime", async () => {
    const { plugin, tasks } = page;
    const ids = [plugin.begin("tick"), plugin.begin("tick"), plugin.begin("tick")];
    const answer = plugin.hold("list");
    const attached = tasks.attachAll();
    await settle();
    plugin.evict(String(ids[1]));
    answer();
    expect((await attached).map(({ id }) => id)).toEqual([ids[0], ids[2]]);
    expect(page.page.tasks.size).toBe(2);
  });

  it("follows no task if one of them can't be followed", async () => {
    const { plugin, tasks } = page;
    plugin.begin("tick");
    plugin.begin("tick");
    plugin.refuse("watch", "plugin:tasks|watch not allowed by ACL");
    await expect(tasks.attachAll()).rejects.toMatchObject({ kind: "permission" });
    await settle();
    expect(page.kept()).toBe(0);
    plugin.refuse("list", { kind: "notAllowed", message: "no", data: null });
    await expect(tasks.attachAll()).rejects.toMatchObject({ kind: "notAllowed" });
  });
});
