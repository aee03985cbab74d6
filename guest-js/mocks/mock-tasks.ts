import type { StartOptions as WireOptions } from "../core/ipc/bindings.js";
import type { TaskMap } from "../core/types/kind.js";
import type { StartOptions } from "../core/types/options.js";
import { driveTask } from "./driven-task.js";
import type { MockOptions, MockTask, OtherCaller, StartedTask, TasksMock } from "./mock.js";
import { connect, install } from "./page/install.js";
import { createLine } from "./page/line.js";
import { putPageObjects, takePageObjects } from "./page/page-objects.js";
import { createPending } from "./page/pending.js";
import { checkPermission, wireName } from "./page/permissions.js";
import { endOfTurn } from "./page/turns.js";
import { PREFIX } from "./plugin/calls.js";
import { throughJson } from "./plugin/json.js";
import { createPlugin, type Plugin } from "./plugin/plugin.js";
import { keyTaken } from "./plugin/refusals.js";
import type { KeptTask } from "./plugin/table.js";
import { createRunner } from "./scripts/runner.js";
import type { Script, Scripts } from "./scripts/script.js";
import { createTimers } from "./scripts/timers.js";

/** The shortest time between two messages of the plugin, in milliseconds. */
const FRAME_MS = 17;
/** After so many turns in which there was always something to do, nothing settles any more. */
const MOST_TURNS = 10_000;

/** Ends the mock that is in this page. */
let restoreLast = () => {};

/**
 * Puts a mock of the plugin into this page, so that it runs without Rust: in a test, in Storybook, or in a plain browser during
 * development. The client of `tauri-plugin-tasks-api` finds it where it would find the app. `M` is the task map generated from Rust.
 *
 * It does what the plugin does: it gives ids, keeps tasks in order and in their queues, conflates progress into frames, keeps keys
 * and shares, and keeps what is emitted until it is read; pages reload and lose their connection. It needs no DOM. All of its time is
 * that of `setTimeout`, `Date` and `performance`, so a test's fake timers hold for it.
 *
 * A `mockIPC` of `@tauri-apps/api/mocks` goes on answering all other commands, whether it was called before or is called later.
 *
 * A page has one mock: another call ends the one before, as its `restore` does. Throws in a window of a Tauri app, where the app
 * answers.
 *
 * @param scripts What tasks of each kind do: see {@link Script}. A kind without one is not registered.
 * @param options See {@link MockOptions}.
 *
 * @example A test, with vitest and fake timers
 * ```ts
 * import { createTasks } from "tauri-plugin-tasks-api";
 * import { mockTasks, type TasksMock } from "tauri-plugin-tasks-api/mocks";
 * import { afterEach, beforeEach, expect, it, vi } from "vitest";
 * import type { Tasks } from "./tasks.gen";
 *
 * let mock: TasksMock<Tasks>;
 * beforeEach(() => {
 *   vi.useFakeTimers();
 *   mock = mockTasks<Tasks>({ download: "manual" });
 * });
 * afterEach(() => {
 *   mock.restore();
 *   vi.useRealTimers();
 * });
 *
 * it("shows how far the download has come", async () => {
 *   const task = await createTasks<Tasks>().start("download", { url: "https://example.org" });
 *   const driven = mock.task("download", task.id);
 *   driven.progress({ completed: 1, total: 2 });
 *   await mock.settle();
 *   expect(task.snapshot.progress.fraction).toBe(0.5);
 *   driven.complete("/tmp/file");
 *   await mock.settle();
 *   expect(await task.result).toBe("/tmp/file");
 * });
 * ```
 *
 * @example A plain browser during development, with `vite dev`: at the start of `main.ts`, before anything calls the client
 * ```ts
 * import { isTauri } from "@tauri-apps/api/core";
 * import type { Tasks } from "./tasks.gen";
 *
 * if (import.meta.env.DEV && !isTauri()) {
 *   const { failure, mockTasks } = await import("tauri-plugin-tasks-api/mocks");
 *   mockTasks<Tasks>({
 *     download: async (ctx, { url }) => {
 *       if (!url.startsWith("https:")) throw failure("not a secure address", { code: 400 });
 *       for (let completed = 1; completed <= 100; completed += 1) {
 *         await new Promise((resolve) => setTimeout(resolve, 50));
 *         ctx.progress({ completed, total: 100, unit: "bytes" });
 *       }
 *       return "/tmp/file";
 *     },
 *   });
 * }
 * ```
 */
export function mockTasks<M extends TaskMap>(
  scripts: Scripts<M>,
  options: MockOptions<M> = {},
): TasksMock<M> {
  restoreLast();
  const { window = "main", permissions, concurrency, showInput, ipc, leaseMs } = options;
  const kinds = new Map(Object.entries(scripts) as [string, Script][]);
  const denied = new Set<string>(permissions?.deny);
  const started: StartedTask[] = [];
  const timers = createTimers();
  const line = createLine();
  const pending = createPending();

  function added({ snapshot, isMine, input, options: given }: KeptTask): void {
    const { id, task: name, parent } = snapshot;
    if (!isMine && denied.has("observe-all")) plugin.hide(id);
    if (isMine && parent === null)
      started.push({ id, name, input: JSON.parse(input), options: given });
  }

  const runner = createRunner(() => plugin, kinds, timers, added);
  const plugin: Plugin = createPlugin({
    page: window,
    connect,
    kinds: new Set(kinds.keys()),
    shown: new Set<string>(showInput),
    frameMs: FRAME_MS,
    hooks: runner.hooks,
  });
  if (leaseMs !== undefined) plugin.lease(leaseMs);
  limit(plugin, concurrency);

  const before = takePageObjects();
  const uninstall = install({
    page: window,
    tasks: (command, args) => {
      const name = command.replace(PREFIX, "");
      checkPermission(name, denied);
      const answer = line.pass(() => plugin.call(command, args));
      // The client waits for items without a time limit.
      return name === "read" ? answer : pending.until(answer);
    },
    others: ipc,
  });

  function keptTask(id: string): KeptTask {
    const task = plugin.tasks.get(id);
    if (!task) throw new Error(`There is no task ${id} in this mock.`);
    return task;
  }

  function task(...args: [id: string] | [name: string, id: string]): MockTask {
    const [name, id] = args.length === 1 ? [undefined, args[0]] : args;
    const kept = keptTask(id);
    if (name === undefined || kept.snapshot.task === name) return driveTask(kept, runner);
    throw new Error(`Task ${id} is a "${kept.snapshot.task}", not a "${name}".`);
  }

  function caller(owner: string | null): OtherCaller {
    return {
      start: (name, input, options) => task(startAs(plugin, owner, name, input, options)),
    };
  }

  let isRestored = false;
  const mock: TasksMock = {
    started,
    task,
    last(name: string) {
      const [last] = [...plugin.tasks.values()]
        .reverse()
        .filter(({ snapshot }) => snapshot.task === name);
      if (!last) throw new Error(`There is no task of the kind "${name}" in this mock.`);
      return driveTask(last, runner);
    },
    otherWindow: caller,
    app: caller(null),
    addSchedule: plugin.addSchedule,

    async settle() {
      for (let turns = 0; turns < MOST_TURNS; turns += 1) {
        await endOfTurn();
        const hasRun = timers.flush();
        if (!plugin.flush() && !hasRun) return;
      }
      throw new Error("The mock doesn't settle: a script goes on without ever waiting for a time.");
    },
    reload() {
      plugin.unloadPage();
      takePageObjects();
    },
    disconnect() {
      line.cut();
      plugin.dropSessions();
    },
    reconnect: line.mend,
    restore() {
      if (isRestored) return;
      isRestored = true;
      plugin.unloadPage();
      uninstall();
      putPageObjects(before);
      runner.stop();
      timers.clear();
      plugin.stop();
      // The client's clock for answers, which all tests of a file share, must not wait for them.
      pending.giveUp("The mock of the app was restored before it answered.");
    },

    refuse: (command, rejection, times) => plugin.refuse(wireName(command), rejection, times),
    hold: (command) => plugin.hold(wireName(command)),
    calls: (command) => plugin.calls(wireName(command)),
    messages: plugin.sent,
    get tasks() {
      return [...plugin.tasks.values()].map(({ snapshot }) => snapshot);
    },
    get watches() {
      return sum([...plugin.sessions.values()].map(({ lists }) => lists.size));
    },
    get followed() {
      return sum([...plugin.sessions.values()].map(({ tasks }) => tasks.size));
    },
    get sessions() {
      return plugin.sessions.size;
    },
  };
  restoreLast = mock.restore;
  // Nothing on the wire is typed: the caller vouches for `M`.
  return mock as unknown as TasksMock<M>;
}

function limit<M extends TaskMap>(
  plugin: Plugin,
  concurrency: MockOptions<M>["concurrency"] = {},
): void {
  if (typeof concurrency === "number") {
    plugin.setLimit({ type: "app" }, concurrency);
    return;
  }
  for (const [name, most] of Object.entries<number | undefined>(concurrency)) {
    if (most !== undefined) plugin.setLimit({ type: "task", name }, most);
  }
}

/** Starts a task of another owner, or joins one. Returns its id. */
function startAs(
  plugin: Plugin,
  owner: string | null,
  name: string,
  input: unknown,
  { signal: _, ...options }: StartOptions = {},
): string {
  const { key, onConflict = "refuse" } = options;
  const holder = key ? plugin.holderOf(key, name) : undefined;
  const id = holder?.snapshot.id;
  if (key && id !== undefined && onConflict === "refuse") throw keyTaken(name, key, id);
  if (id !== undefined && onConflict === "join") {
    plugin.joinElsewhere(id);
    return id;
  }
  if (holder && onConflict === "replace") plugin.tell(holder, "replaced");
  return plugin.begin(name, owner, throughJson(options) as WireOptions, input);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
