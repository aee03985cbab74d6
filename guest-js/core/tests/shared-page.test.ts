import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type LoadedPage, loadPage, settle, type TestTasks } from "./load-page.js";

let page: LoadedPage;
let key: symbol;
beforeEach(async () => {
  page = await loadPage();
  ({ PAGE_KEY: key } = await import("../client/shared-page.js"));
});
afterEach(() => {
  Reflect.deleteProperty(globalThis, key);
  page.unload();
});

/** Loads another copy of the package in the same page. */
async function loadCopy() {
  vi.resetModules();
  const api = await import("../index.js");
  return { api, tasks: api.createTasks<TestTasks>() };
}

const sessions = () => page.plugin.calls("open").length;

describe("two copies of the package in one page", () => {
  it("have one session, and follow a task once", async () => {
    const { plugin, tasks } = page;
    const copy = await loadCopy();
    const task = await tasks.start("tick");
    const same = await copy.tasks.attach("tick", task.id);
    expect(sessions()).toBe(1);
    expect(plugin.calls("watch")).toEqual([]);
    plugin.status(task.id, "running");
    await plugin.frame();
    expect([task.status, same.status]).toEqual(["running", "running"]);
    expect(same.snapshot).toBe(task.snapshot);
    plugin.complete(task.id, 5);
    await plugin.frame();
    expect(await Promise.all([task.result, same.result])).toEqual([5, 5]);
    expect(page.kept()).toBe(0);
  });

  it("share live lists and the slots of readers", async () => {
    const { plugin, tasks } = page;
    const copy = await loadCopy();
    const seen: number[][] = [[], []];
    const stops = [
      await tasks.watch({}, (all) => seen[0]?.push(all.length)),
      await copy.tasks.watch({}, (all) => seen[1]?.push(all.length)),
    ];
    const handles = await Promise.all([
      ...[1, 2, 3].map(() => tasks.start("tail")),
      ...[1, 2, 3].map(() => copy.tasks.start("tail")),
    ]);
    await plugin.frame();
    expect(seen).toEqual([
      [0, 6],
      [0, 6],
    ]);
    const reads = handles.map((handle) => handle.items().next());
    await settle();
    for (const [index, { id }] of handles.entries()) plugin.emit(id, index);
    await vi.advanceTimersByTimeAsync(2_000);
    expect((await Promise.all(reads)).map(({ value }) => value)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(plugin.reads().mostPolls).toBeLessThanOrEqual(4);
    expect(sessions()).toBe(1);
    for (const stop of stops) stop();
  });

  it("know each other's errors", async () => {
    const { plugin, tasks } = page;
    const copy = await loadCopy();
    expect(copy.api.TaskError).not.toBe(page.api.TaskError);
    const task = await tasks.start("tick");
    const same = await copy.tasks.attach("tick", task.id);
    plugin.end(task.id, { status: "cancelled", data: { reason: "user" } });
    await plugin.frame();
    // The first copy's code made it.
    const error = await same.result.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(copy.api.TaskCancelledError);
    expect(error).toBeInstanceOf(page.api.TaskCancelledError);
    expect(error).not.toBeInstanceOf(copy.api.TaskTimedOutError);
    // `attachAll` leaves out what is gone, which it tells by the class of the error.
    for (const _ of [1, 2]) plugin.begin("download");
    plugin.refuse("watch", { kind: "notFound", message: "gone", data: null });
    expect(await copy.tasks.attachAll({ task: "download" })).toHaveLength(1);
  });

  it("lose and reopen their session together", async () => {
    const { plugin, tasks } = page;
    const copy = await loadCopy();
    const task = await tasks.start("tick");
    const same = await copy.tasks.attach("tick", task.id);
    plugin.dropSessions();
    plugin.status(task.id, "running");
    await vi.advanceTimersByTimeAsync(20_000);
    await plugin.frame();
    expect([task.status, same.status]).toEqual(["running", "running"]);
    expect(sessions()).toBe(2);
  });
});

describe("the page object", () => {
  it("is made by the first use, not by loading the package or creating a client", async () => {
    expect(Reflect.has(globalThis, key)).toBe(false);
    await page.tasks.list();
    expect(Reflect.has(globalThis, key)).toBe(false);
    await page.tasks.start("tick");
    expect(Reflect.has(globalThis, key)).toBe(true);
  });

  it("is not enumerable, and a script can't overwrite it by an assignment", async () => {
    await page.tasks.start("tick");
    expect(Object.getOwnPropertyDescriptor(globalThis, key)).toMatchObject({
      enumerable: false,
      writable: false,
    });
  });

  it("has the protocol and its interface in its key, so that others have another object", async () => {
    const { PROTOCOL } = await import("../session/link.js");
    const { PAGE_INTERFACE } = await import("../client/shared-page.js");
    expect(Symbol.keyFor(key)).toBe(`tauri-plugin-tasks-api/page/${PROTOCOL}.${PAGE_INTERFACE}`);
    const other = Symbol.for(`tauri-plugin-tasks-api/page/${PROTOCOL}.${PAGE_INTERFACE + 1}`);
    const value = { session: "another" };
    Object.defineProperty(globalThis, other, { value, configurable: true });
    try {
      await page.tasks.start("tick");
      expect(Reflect.get(globalThis, other)).toBe(value);
      expect(sessions()).toBe(1);
    } finally {
      Reflect.deleteProperty(globalThis, other);
    }
  });

  const throwing = () => {
    throw new Error("mine");
  };
  const garbage: [name: string, descriptor: PropertyDescriptor][] = [
    ["undefined", { value: undefined }],
    ["null", { value: null }],
    ["a string", { value: "page" }],
    ["a number", { value: 1 }],
    ["an empty object", { value: {} }],
    ["a function", { value: throwing }],
    ["an object without a prototype", { value: Object.create(null) }],
    ["a page with nothing in it", { value: { session: {}, tasks: {}, lists: {}, polls: {} } }],
    ["null for its parts", { value: { session: null, tasks: null, lists: null, polls: null } }],
    ["a getter", { get: () => ({}) }],
    ["a getter that throws", { get: throwing }],
    ["getters that throw", { value: Object.defineProperty({}, "session", { get: throwing }) }],
    ["a proxy that throws", { value: new Proxy({}, { get: throwing }) }],
  ];
  for (const [name, descriptor] of garbage) {
    it(`takes the place of what is no page (${name})`, async () => {
      Object.defineProperty(globalThis, key, { ...descriptor, configurable: true });
      await page.tasks.start("tick");
      const copy = await loadCopy();
      await copy.tasks.start("tick");
      expect(sessions()).toBe(1);
      expect(Object.getOwnPropertyDescriptor(globalThis, key)).toMatchObject({ enumerable: false });
    });
  }

  it("belongs to one copy alone where it can't be put", async () => {
    const define = vi.spyOn(Reflect, "defineProperty").mockReturnValue(false);
    await page.tasks.start("tick");
    await page.tasks.start("tick");
    const copy = await loadCopy();
    await copy.tasks.start("tick");
    await copy.tasks.start("tick");
    expect(define).toHaveBeenCalledTimes(2);
    expect(sessions()).toBe(2);
  });

  it("is made anew when it was taken away, and an older one that was put back is used again", async () => {
    await page.tasks.start("tick");
    const first = Object.getOwnPropertyDescriptor(globalThis, key) ?? {};
    Reflect.deleteProperty(globalThis, key);
    await page.tasks.start("tick");
    await page.tasks.start("tick");
    expect(sessions()).toBe(2);
    expect(Reflect.get(globalThis, key)).not.toBe(first.value);
    Object.defineProperty(globalThis, key, first);
    await page.tasks.start("tick");
    expect(sessions()).toBe(2);
    expect(page.page.tasks).toBe(first.value.tasks);
  });

  it("is another one after a reload", async () => {
    await page.tasks.start("tick");
    const tasks = await page.reload();
    await tasks.start("tick");
    expect(sessions()).toBe(2);
  });
});
