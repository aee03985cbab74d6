import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { onAbort } from "../callbacks/abort.js";
import { type LoadedPage, loadPage, settle, stateOf } from "./load-page.js";

it("calls back once with the reason", () => {
  const controller = new AbortController();
  const callback = vi.fn();
  onAbort(controller.signal, callback);
  controller.abort("why");
  controller.abort("again");
  expect(callback.mock.calls).toEqual([["why"]]);
});

it("doesn't call back once its listener is removed", () => {
  const controller = new AbortController();
  const callback = vi.fn();
  onAbort(controller.signal, callback)();
  controller.abort("why");
  expect(callback).not.toHaveBeenCalled();
});

let page: LoadedPage;
const reported = vi.fn();
beforeEach(async () => {
  page = await loadPage();
  reported.mockClear();
  vi.stubGlobal("reportError", reported);
});
afterEach(() => {
  page.unload();
  vi.unstubAllGlobals();
});

/** The calls that take a signal. Each gets an existing task and an existing batch. */
const calls: Record<string, (signal: AbortSignal, ids: readonly string[]) => Promise<unknown>> = {
  start: (signal) => page.tasks.start("tick", null, { signal }),
  rerun: (signal, [, , ended = ""]) => page.tasks.rerun("tick", ended, { signal }),
  attach: (signal, [id = ""]) => page.tasks.attach("tick", id, { signal }),
  attachAll: (signal) => page.tasks.attachAll({}, { signal }),
  batch: (signal) => page.tasks.batch("tick", [null], { signal }),
  attachBatch: (signal, [, batch = ""]) => page.tasks.attachBatch("tick", batch, { signal }),
  watch: (signal) => page.tasks.watch({}, () => {}, { signal }),
};

/** Makes a task, a batch and a task that has been cancelled, which the page doesn't follow. */
async function existing(): Promise<string[]> {
  const { plugin, tasks } = page;
  const batch = await tasks.batch("tick", [null]);
  batch.detach();
  const ended = plugin.begin("tick");
  plugin.end(ended, { status: "cancelled", data: { reason: "user" } });
  await settle();
  return [plugin.begin("tick"), batch.id, ended];
}

function thrower(): never {
  throw new Error("mine");
}

describe.each(Object.entries(calls))("%s with a signal", (_, call) => {
  it("that can't be listened to sends nothing", async () => {
    const ids = await existing();
    const sent = page.plugin.commands().length;
    const signal = { aborted: false, addEventListener: thrower, removeEventListener() {} };
    const error: unknown = await call(signal as unknown as AbortSignal, ids).catch((e) => e);
    expect(error).toBeInstanceOf(page.api.TaskError);
    expect(error).toMatchObject({ kind: "invalidOptions", cause: { message: "mine" } });
    await settle();
    expect(page.plugin.commands().slice(sent)).toEqual([]);
    expect(page.kept()).toBe(0);
  });

  it("whose members throw settles, and rejects only with a TaskError", async () => {
    const good = new AbortController().signal;
    for (const hostile of ["removeEventListener", "aborted", "addEventListener"]) {
      for (let calm = 1; calm < 6; calm += 1) {
        let left = calm;
        const signal = new Proxy(good, {
          get(target, key) {
            if (key === hostile) left -= 1;
            if (key === hostile && left < 0) return hostile === "aborted" ? thrower() : thrower;
            const value: unknown = Reflect.get(target, key);
            return typeof value === "function" ? value.bind(target) : value;
          },
        });
        const state = await stateOf(call(signal, await existing()));
        if ("reason" in state) expect(state.reason).toBeInstanceOf(page.api.TaskError);
        else expect(state).toHaveProperty("value");
      }
    }
    for (const [error] of reported.mock.calls)
      expect(error).toMatchObject({ message: expect.stringContaining("mine") });
  });

  it("without a reason that can be read rejects with a TaskError", async () => {
    const ids = await existing();
    const controller = new AbortController();
    const signal = new Proxy(controller.signal, {
      get(target, key) {
        if (key === "reason") return thrower();
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const called = call(signal, ids);
    controller.abort();
    await expect(called).rejects.toBeInstanceOf(page.api.TaskError);
    await expect(call(signal, ids)).rejects.toMatchObject({ kind: "invalidOptions" });
    await settle();
    expect(page.kept()).toBe(0);
  });

  it("that is aborted while the session is being opened sends nothing more", async () => {
    const ids = await existing();
    page.plugin.dropSessions();
    const answer = page.plugin.hold("open");
    const controller = new AbortController();
    const sent = page.plugin.commands().length;
    const called = call(controller.signal, ids);
    await settle();
    controller.abort("gone");
    await expect(called).rejects.toBe("gone");
    const before = page.plugin.commands().slice(sent);
    answer();
    await settle();
    expect(page.plugin.commands().slice(sent)).toEqual(before);
    expect(before.at(-1)).toBe("open");
    expect(page.kept()).toBe(0);
  });
});

describe("attachAll", () => {
  it("asks for no further page once its signal is aborted", async () => {
    const { plugin, tasks } = page;
    for (let count = 0; count < 10; count += 1) plugin.begin("tick");
    plugin.limitLists(2);
    const answer = plugin.hold("list");
    const controller = new AbortController();
    const attached = tasks.attachAll({}, { signal: controller.signal });
    await settle();
    controller.abort("gone");
    await expect(attached).rejects.toBe("gone");
    answer();
    await settle();
    expect(plugin.commands()).toEqual(["list"]);
  });

  it("requests only some tasks at once, and none once its signal is aborted", async () => {
    const { plugin, tasks } = page;
    for (let count = 0; count < 1_000; count += 1) plugin.begin("tick");
    const controller = new AbortController();
    const answer = plugin.hold("watch");
    const attached = tasks.attachAll({}, { signal: controller.signal });
    await settle();
    controller.abort("gone");
    await expect(attached).rejects.toBe("gone");
    answer();
    await settle();
    expect(plugin.calls("watch")).toHaveLength(64);
    expect(plugin.calls("unwatch")).toHaveLength(64);
    expect(plugin.session().tasks.size).toBe(0);
    expect(page.kept()).toBe(0);
    expect(await tasks.attachAll()).toHaveLength(1_000);
  });
});

describe("attach to one task for several callers", () => {
  it("requests it as long as one of them waits", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    const answer = plugin.hold("open");
    const [one, two] = [new AbortController(), new AbortController()];
    const first = tasks.attach("tick", id, { signal: one.signal });
    const second = tasks.attach("tick", id, { signal: two.signal });
    const third = tasks.attach("tick", id);
    await settle();
    one.abort("gone");
    two.abort("gone");
    answer();
    await expect(first).rejects.toBe("gone");
    await expect(second).rejects.toBe("gone");
    (await third).detach();
    await settle();
    expect(plugin.commands()).toEqual(["open", "watch", "unwatch"]);
    expect(page.kept()).toBe(0);
  });

  it("requests it for the one that comes after the others are gone", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    for (let turns = 0; turns < 12; turns += 1) {
      plugin.dropSessions();
      await (await page.tasks.start("tick")).cancel().catch(() => {});
      const controller = new AbortController();
      const first = tasks.attach("tick", id, { signal: controller.signal }).catch(() => {});
      controller.abort("gone");
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      const second = await tasks.attach("tick", id);
      expect(second.status).toBe("queued");
      await first;
      second.detach();
      await settle();
    }
  });
});
