import { Channel } from "@tauri-apps/api/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type LoadedPage, loadPage, VISIBLE } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

const UUID = expect.stringMatching(/^[0-9a-f-]{36}$/);

describe("the client sends the arguments that the protocol has for", () => {
  it("open, start and ack", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", { url: "u" });
    plugin.status(task.id, "running");
    await plugin.frame();
    const [open] = plugin.calls("open");
    expect(Object.keys(open ?? {})).toEqual(["session", "protocol", "channel", "visibility"]);
    expect(open).toMatchObject({ session: UUID, protocol: 5 });
    expect(JSON.stringify(open?.["channel"])).toMatch(/^"__CHANNEL__:\d+"$/);
    expect(open?.["channel"]).not.toBeInstanceOf(Function);
    expect(Channel.name).toBe("Channel");
    const session = open?.["session"];
    expect(plugin.calls("start")).toEqual([
      { session, id: task.id, task: "download", input: { url: "u" }, options: {} },
    ]);
    expect(plugin.calls("ack")).toEqual([{ session, message: 1, visibility: VISIBLE }]);
  });

  it("the start of a kind without input", async () => {
    const { plugin, tasks } = page;
    const { signal } = new AbortController();
    await tasks.start("tick");
    await tasks.start("tick", null, { signal });
    expect(plugin.calls("start").map((args) => args["input"])).toEqual([null, null]);
  });

  it("get, cancel, remove and outcome", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    const task = await tasks.attach("tick", id);
    expect((await tasks.get(id)).id).toBe(id);
    await task.cancel();
    plugin.complete(id, "x".repeat(5_000));
    await plugin.frame();
    await task.result;
    await task.remove();
    expect(plugin.calls("get")).toEqual([{ id }]);
    expect(plugin.calls("cancel")).toEqual([{ id, reason: "user" }]);
    expect(plugin.calls("outcome")).toEqual([{ id }]);
    expect(plugin.calls("remove")).toEqual([{ id }]);
  });

  it("watch and unwatch", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    await tasks.attach("tick", id);
    const stop = await tasks.watch({ status: ["running", "queued"] }, () => {});
    stop();
    await tasks.list();
    const session = plugin.session().nonce;
    const list = { type: "list", data: { watch: 1, filter: { status: ["running", "queued"] } } };
    expect(plugin.calls("watch")).toEqual([
      { session, target: { type: "task", data: { id } }, everyMs: 0 },
      { session, target: list, everyMs: 0 },
    ]);
    expect(plugin.calls("unwatch")).toEqual([{ session, target: list }]);
  });

  it("list, with one or several values per field", async () => {
    const { plugin, tasks } = page;
    await tasks.list();
    await tasks.list({ task: "download", status: "running" });
    await tasks.list({ task: ["download", "tick"], status: ["queued", "running"] });
    await tasks.list({ task: undefined, status: [] });
    await tasks.list({ tag: "a", key: "k", parent: "p" });
    await tasks.list({ tag: ["a", "b"], key: ["k"], parent: ["p", "q"] });
    expect(plugin.calls("list").map(({ filter }) => ({ filter }))).toEqual([
      { filter: {} },
      { filter: { task: ["download"], status: ["running"] } },
      { filter: { task: ["download", "tick"], status: ["queued", "running"] } },
      { filter: { status: [] } },
      { filter: { tag: ["a"], key: ["k"], parent: ["p"] } },
      { filter: { tag: ["a", "b"], key: ["k"], parent: ["p", "q"] } },
    ]);
  });

  it("list, with the limit and the place of a page", async () => {
    const { plugin, tasks } = page;
    await tasks.list();
    await tasks.list({}, { limit: 10_000, after: 0 });
    await tasks.list({}, { limit: undefined, after: null });
    await tasks.list({}, { limit: 1, after: Number.MAX_SAFE_INTEGER });
    expect(plugin.calls("list")).toEqual([
      { filter: {}, limit: null, after: null },
      { filter: {}, limit: 10_000, after: 0 },
      { filter: {}, limit: null, after: null },
      { filter: {}, limit: 1, after: Number.MAX_SAFE_INTEGER },
    ]);
  });

  it("cancelAll, and returns how many tasks were asked to stop", async () => {
    const { plugin, tasks } = page;
    const sync = { tags: ["sync"] };
    const mine = await tasks.start("tick", null, sync);
    const other = await tasks.start("tick");
    plugin.complete((await tasks.start("tick", null, sync)).id, 1);
    await tasks.start("download", { url: "u" }, sync);
    expect(await tasks.cancelAll({ task: "tick", tag: "sync" })).toBe(1);
    await plugin.frame();
    expect([mine.status, mine.snapshot.cancelReason]).toEqual(["cancelling", "user"]);
    expect(other.status).toBe("queued");
    expect(await tasks.cancelAll({ all: true })).toBe(3);
    await tasks.cancelAll({ all: true }, "the disk is full");
    expect(plugin.calls("cancel_all")).toStrictEqual([
      { filter: { task: ["tick"], tag: ["sync"] }, reason: "user" },
      { filter: {}, reason: "user" },
      { filter: {}, reason: "the disk is full" },
    ]);
  });

  describe("cancelAll, unless its query", () => {
    it.each<[string, unknown]>([
      ["is missing", undefined],
      ["is null", null],
      ["is no object", "tick"],
      ["is empty", {}],
      ["is an empty list", []],
      ["has a field that is undefined", { tag: undefined }],
      ["has a field that is null", { key: null }],
      ["has a second field that is undefined", { task: "tick", tag: undefined }],
      ["has an unknown field", { tags: "sync" }],
      ["has an unknown field beside a known one", { task: "tick", name: "tick" }],
      ["says that it is not all", { all: false }],
      ["says all in another way", { all: 1 }],
      ["is for all and for some", { all: true, task: "tick" }],
      ["is for some and for all", { task: "tick", all: true }],
      ["is for all, and has a field that is undefined", { all: true, tag: undefined }],
    ])("%s", async (_, query) => {
      const { plugin, tasks, api } = page;
      const task = await tasks.start("tick");
      const cancelled = tasks.cancelAll(query as { all: true });
      await expect(cancelled).rejects.toBeInstanceOf(api.TaskError);
      await expect(cancelled).rejects.toMatchObject({
        kind: "invalidOptions",
        message: expect.stringContaining("{ all: true }"),
      });
      expect(plugin.calls("cancel_all")).toEqual([]);
      expect(task.status).toBe("queued");
    });
  });

  it.each<[unknown, string]>([
    [undefined, "query is missing"],
    [null, "query is null"],
    [5, "query is 5"],
    ["tick", 'query is "tick"'],
    [true, "query is true"],
    [() => {}, "query is a function"],
    [[], "query is an object"],
    [[{ tag: "a" }], "query is an object"],
    [new Map([["tag", "a"]]), "query is an object"],
    [Object.assign(Promise.resolve(), { tag: "a" }), "query is an object"],
    [{}, "query is empty"],
    [{ tag: undefined }, "query.tag is undefined"],
    [{ tags: "a" }, "query has no field tags"],
  ])("cancelAll says what is wrong about the query %j", async (query, words) => {
    await expect(page.tasks.cancelAll(query as { all: true })).rejects.toThrow(
      `cancelAll was refused, since ${words}: pass a query with at least one of task, status, tag, key, parent, or { all: true } for all tasks.`,
    );
    expect(page.plugin.commands()).toEqual([]);
  });

  it("cancelAll with the query that was checked, even if a second look would show another one", async () => {
    const { plugin, tasks } = page;
    let looks = 0;
    const query = {
      get tag() {
        looks += 1;
        return looks === 1 ? "a" : (undefined as never);
      },
    };
    await tasks.cancelAll(query);
    expect(plugin.calls("cancel_all")).toEqual([{ filter: { tag: ["a"] }, reason: "user" }]);
  });

  it("counts and setLimit", async () => {
    const { plugin, tasks } = page;
    const limits = [
      [{ type: "app" }, 8],
      [{ type: "group", name: "network" }, null],
      [{ type: "task", name: "tick" }, 2],
    ] as const;
    for (const [of, limit] of limits) expect(await tasks.setLimit(of, limit)).toBeUndefined();
    await tasks.start("tick");
    plugin.status((await tasks.start("tick")).id, "running");
    const none = { retrying: 0, cancelling: 0, completed: 0, failed: 0, cancelled: 0, timedOut: 0 };
    expect(await tasks.counts()).toEqual([
      { task: "tick", limit: 2, group: null, queued: 1, running: 1, ...none },
    ]);
    expect(plugin.calls("counts")).toEqual([{}]);
    expect(plugin.calls("set_limit")).toEqual(limits.map(([of, limit]) => ({ of, limit })));
  });
});

describe("rejections of commands", () => {
  it("are TaskErrors everywhere", async () => {
    const { plugin, tasks, api } = page;
    const task = await tasks.start("tick");
    const wire = { kind: "internal", message: "no", data: null };
    const names = ["start", "list", "watch", "cancel", "remove", "batch", "pause", "resume"];
    names.push("set_priority", "cancel_all", "counts", "set_limit");
    for (const name of names) plugin.refuse(name, wire);
    plugin.refuse("get", wire, 2);
    const all = await Promise.allSettled([
      tasks.start("tick"),
      tasks.get("a"),
      tasks.list(),
      tasks.watch({}, () => {}),
      task.cancel(),
      task.remove(),
      tasks.batch("tick", []),
      task.pause(),
      task.resume(),
      task.setPriority(1),
      tasks.cancelAll({ all: true }),
      tasks.counts(),
      tasks.setLimit({ type: "app" }, 1),
      tasks.rerun("tick", "a"),
    ]);
    for (const settled of all) {
      const reason = settled.status === "rejected" && settled.reason;
      expect(reason).toBeInstanceOf(api.TaskError);
      expect(reason).toMatchObject({ kind: "internal" });
    }
  });

  it("name the kind of task to allow", async () => {
    const { plugin, tasks, api } = page;
    plugin.refuse("start", "Command plugin:tasks|start not allowed by ACL");
    const error = await tasks.start("tick").catch((e: unknown) => e);
    expect(error).toBeInstanceOf(api.TaskPermissionError);
    expect((error as Error).message).toContain('"allow": [{ "task": "tick" }]');
  });
});

describe("clients", () => {
  it("share one session and see each other's tasks", async () => {
    const { plugin, tasks, api } = page;
    const task = await tasks.start("tick");
    const again = await api.createTasks().attach("tick", task.id);
    plugin.status(task.id, "running");
    await plugin.frame();
    expect([task.status, again.status]).toEqual(["running", "running"]);
    expect(plugin.calls("open")).toHaveLength(1);
  });
});
