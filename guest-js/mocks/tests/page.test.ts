import { invoke } from "@tauri-apps/api/core";
import { clearMocks, mockIPC } from "@tauri-apps/api/mocks";
import { getCurrentWebview } from "@tauri-apps/api/webview";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import { createTasks, TaskPermissionError } from "../../core/index.js";
import { commands } from "../../core/ipc/bindings.js";
import { type CommandName, mockTasks, type TasksMock } from "../index.js";
import { takePageObjects } from "../page/page-objects.js";
import { wireName } from "../page/permissions.js";
import type { Tasks } from "./kinds.js";

const tasks = createTasks<Tasks>();
let mock: TasksMock<Tasks>;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  mock.restore();
  clearMocks();
  vi.useRealTimers();
});

const scripts = { tick: "manual", download: "manual" } as const;
const globals = globalThis as { __TAURI_INTERNALS__?: { invoke?: unknown } };

describe("a reload", () => {
  it("leaves the tasks, answers nothing that is pending, and gives the page a fresh client", async () => {
    mock = mockTasks<Tasks>(scripts);
    const task = await tasks.start("tick");
    let result: unknown = "pending";
    task.result.then((value) => {
      result = value;
    });
    const answer = mock.hold("get");
    await mock.settle();
    mock.reload();
    answer();
    expect([mock.sessions, mock.followed]).toEqual([0, 0]);
    const again = await tasks.attach("tick", task.id);
    expect(mock.sessions).toBe(1);
    expect(again.status).toBe("running");
    mock.last("tick").complete(6);
    await mock.settle();
    expect(await again.result).toBe(6);
    await vi.advanceTimersByTimeAsync(120_000);
    expect([result, task.status], "nothing reaches the old page").toEqual(["pending", "running"]);
    expect(mock.sessions).toBe(1);
  });

  it("answers the new page's calls that need no session", async () => {
    mock = mockTasks<Tasks>(scripts);
    const { id } = await tasks.start("tick");
    await tasks.list();
    mock.reload();
    expect([(await tasks.list()).tasks.length, (await tasks.get(id)).id]).toEqual([1, id]);
  });

  it("lets a reading go on where it was", async () => {
    mock = mockTasks<Tasks>(scripts);
    const task = await tasks.start("download", { url: "u" });
    const driven = mock.last("download");
    for (const item of ["a", "b", "c"]) await driven.emit(item);
    const items = task.items();
    await items.next();
    const from = items.position;
    mock.reload();
    const again = await tasks.attach("download", task.id, { from });
    expect((await again.items().next()).value).toBe("b");
  });

  it("ends the old watches, however the old page behaves", async () => {
    mock = mockTasks<Tasks>(scripts);
    let calls = 0;
    const stop = await tasks.watch({}, () => {
      calls += 1;
    });
    await mock.settle();
    mock.reload();
    const before = calls;
    mock.app.start("tick");
    await mock.settle();
    stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([calls - before, mock.watches, mock.sessions]).toEqual([0, 0, 0]);
  });
});

describe("a lost connection", () => {
  it("is found by the page, which catches up with what it has missed", async () => {
    mock = mockTasks<Tasks>(scripts);
    const task = await tasks.start("tick");
    const seen: number[] = [];
    await tasks.watch({}, (all) => void seen.push(all.length));
    await mock.settle();
    mock.disconnect();
    mock.task("tick", task.id).progress({ completed: 5 });
    mock.app.start("tick");
    await vi.advanceTimersByTimeAsync(3_000);
    expect([task.snapshot.progress.completed, seen.at(-1)]).toEqual([0, 1]);
    mock.reconnect();
    await vi.advanceTimersByTimeAsync(10_000);
    expect([task.snapshot.progress.completed, seen.at(-1)]).toEqual([5, 2]);
    mock.task("tick", task.id).complete(1);
    await mock.settle();
    expect(await task.result).toBe(1);
    expect([mock.sessions, mock.watches]).toEqual([1, 1]);
  });

  it("keeps calls waiting, for 30 seconds at most", async () => {
    mock = mockTasks<Tasks>(scripts);
    mock.disconnect();
    const early = tasks.list().catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(await early).toMatchObject({ kind: "ipc" });
    const late = tasks.start("tick");
    await vi.advanceTimersByTimeAsync(1_000);
    mock.reconnect();
    expect((await late).status).toBe("queued");
  });

  it("is found sooner with a shorter lease", async () => {
    mock = mockTasks<Tasks>(scripts, { leaseMs: 3_000 });
    const task = await tasks.start("tick");
    await mock.settle();
    mock.disconnect();
    mock.reconnect();
    mock.last("tick").progress({ completed: 5 });
    await vi.advanceTimersByTimeAsync(1_100);
    expect(task.snapshot.progress.completed).toBe(5);
  });
});

it("answers each command of the plugin", async () => {
  expectTypeOf<CommandName>().toEqualTypeOf<keyof typeof commands>();
  mock = mockTasks<Tasks>(scripts);
  for (const name of Object.keys(commands) as CommandName[]) {
    const rejection = await invoke(`plugin:tasks|${wireName(name)}`, { filter: {} }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(rejection).not.toBe(`Command ${wireName(name)} not found`);
  }
});

describe("permissions", () => {
  it("refuse commands as Tauri does", async () => {
    mock = mockTasks<Tasks>(scripts, { permissions: { deny: ["cancel", "cancel-all"] } });
    const task = await tasks.start("tick");
    await expect(task.cancel()).rejects.toBeInstanceOf(TaskPermissionError);
    await expect(tasks.cancelAll({ task: "tick" })).rejects.toBeInstanceOf(TaskPermissionError);
  });

  it("may hide the tasks of others", async () => {
    mock = mockTasks<Tasks>(scripts, { permissions: { deny: ["observe-all"] } });
    const mine = await tasks.start("tick");
    const other = mock.otherWindow("settings").start("tick");
    expect((await tasks.list()).tasks.map(({ id }) => id)).toEqual([mine.id]);
    await expect(tasks.get(other.id)).rejects.toMatchObject({ kind: "notFound" });
  });
});

describe("other commands", () => {
  it("are answered by a mockIPC that was called before", async () => {
    mockIPC((command) => `before ${command}`);
    mock = mockTasks<Tasks>(scripts);
    expect(await invoke("greet")).toBe("before greet");
    await tasks.start("tick");
    mock.restore();
    expect(await invoke("greet")).toBe("before greet");
  });

  it("are answered by a mockIPC that is called later, and pushes still arrive", async () => {
    mock = mockTasks<Tasks>(scripts);
    const task = await tasks.start("tick");
    mockIPC((command, args) => ({ command, args }));
    expect(await invoke("greet", { name: "a" })).toEqual({ command: "greet", args: { name: "a" } });
    mock.last("tick").complete(3);
    await mock.settle();
    expect(await task.result).toBe(3);
    const next = await tasks.start("tick");
    mock.last("tick").complete(4);
    await mock.settle();
    expect(await next.result).toBe(4);
    mock.restore();
    expect(await invoke("greet")).toMatchObject({ command: "greet" });
    await expect(tasks.start("tick")).rejects.toBeDefined();
  });

  it("are answered by `ipc`, before any mockIPC", async () => {
    mockIPC(() => "mockIPC");
    mock = mockTasks<Tasks>(scripts, { ipc: (command, args) => [command, args] });
    expect(await invoke("plugin:fs|read", { path: "p" })).toEqual([
      "plugin:fs|read",
      { path: "p" },
    ]);
  });

  it("are refused if nobody answers them", async () => {
    mock = mockTasks<Tasks>(scripts);
    await expect(invoke("greet")).rejects.toBe("Command greet not found");
  });
});

describe("the window", () => {
  it("has the label that owns what the page starts", async () => {
    mock = mockTasks<Tasks>(scripts, { window: "editor" });
    expect(getCurrentWebview().label).toBe("editor");
    expect((await tasks.start("tick")).snapshot.owner).toBe("editor");
  });
});

describe("restore", () => {
  it("puts back what was there: nothing", async () => {
    Reflect.deleteProperty(globalThis, "__TAURI_INTERNALS__");
    takePageObjects();
    mock = mockTasks<Tasks>(scripts);
    await tasks.start("tick");
    mock.restore();
    expect("__TAURI_INTERNALS__" in globalThis).toBe(false);
    const keys = Object.getOwnPropertySymbols(globalThis).map(({ description }) => description);
    expect(keys.filter((key) => key?.startsWith("tauri-plugin-tasks-api/page"))).toEqual([]);
  });

  it("ends what would go on: scripts, and all timers of the mock", async () => {
    let signal: AbortSignal | undefined;
    mock = mockTasks<Tasks>({
      tick: (ctx) => {
        ({ signal } = ctx);
        return new Promise(() => {});
      },
    });
    await tasks.list();
    mock.app.start("tick", null, { deadlineMs: 1_000 });
    await mock.settle();
    mock.restore();
    expect(signal?.aborted).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("rejects the calls that were not answered", async () => {
    mock = mockTasks<Tasks>(scripts);
    mock.hold("get");
    const get = tasks.get("a").catch((error: unknown) => error);
    mock.disconnect();
    const list = tasks.list().catch((error: unknown) => error);
    mock.restore();
    expect([await get, await list]).toMatchObject([{ kind: "ipc" }, { kind: "ipc" }]);
  });

  it("lets the next mock begin anew, with the same client", async () => {
    mock = mockTasks<Tasks>(scripts);
    await tasks.start("tick");
    mock.restore();
    mock = mockTasks<Tasks>({ tick: { output: 2 } });
    const task = await tasks.start("tick");
    await mock.settle();
    expect(await task.result).toBe(2);
    expect(mock.started).toHaveLength(1);
  });

  it("may come after clearMocks, and twice", async () => {
    mock = mockTasks<Tasks>(scripts);
    clearMocks();
    mock.restore();
    mock.restore();
    expect(globals.__TAURI_INTERNALS__?.invoke).toBeUndefined();
  });
});

it("refuses to mock a page that runs in an app", () => {
  mock = mockTasks<Tasks>({});
  mock.restore();
  const internals = Object.defineProperty({}, "invoke", { value: () => {} });
  Object.assign(globalThis, { __TAURI_INTERNALS__: internals });
  try {
    expect(() => mockTasks<Tasks>(scripts)).toThrow("isTauri()");
  } finally {
    Reflect.deleteProperty(globalThis, "__TAURI_INTERNALS__");
  }
});
