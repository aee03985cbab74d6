/** What the cases drive: tasks in a mock of the plugin, and time. Nothing else here knows where the tasks come from. */
// A case that is to see a task run says so.
import "../mocks/tests/held-turns.js";
import { invoke } from "@tauri-apps/api/core";
import { vi } from "vitest";
import type { TestTasks } from "../core/tests/load-page.js";
import { type CommandName, mockTasks } from "../mocks/index.js";
import { endOfTurn } from "../mocks/page/turns.js";

export type { TestTasks };

/** How far apart the plugin's messages are, in milliseconds: 60 a second at most. */
export const FRAME_MS = 17;

/** How long a store stays open without a subscriber, in milliseconds. */
export const GRACE_MS = 100;

/** What a page and the plugin keep for the tasks and lists that the page follows. */
export interface Kept {
  readonly page: number;
  readonly followed: number;
  readonly watches: number;
}

/** Loads a page whose tasks the test drives. Adapters must be imported after that, to come from the same load. */
export async function loadBackend() {
  vi.useFakeTimers();
  const mock = mockTasks<TestTasks>({
    download: "manual",
    tick: "manual",
    tail: "manual",
    cat: "manual",
  });
  vi.resetModules();
  const { createTasks } = await import("../core/index.js");
  const { currentPage } = await import("../core/client/shared-page.js");
  const tasks = createTasks<TestTasks>();

  const backend = {
    tasks,

    /** Lets time pass. By default, there is one message of the plugin in it. */
    async advance(ms = FRAME_MS): Promise<void> {
      await endOfTurn();
      await vi.advanceTimersByTimeAsync(ms);
      await endOfTurn();
    },

    /** Starts a task that the page has not asked for, and returns its id. */
    begin: (kind: keyof TestTasks): string =>
      kind === "download" ? mock.app.start(kind, { url: "u" }).id : mock.app.start(kind).id,
    run: (id: string): void => mock.task(id).progress({}),
    report: (id: string, completed: number): void => mock.task(id).progress({ completed }),
    emit(id: string, ...items: readonly (string | number)[]): void {
      for (const item of items) void mock.task("tail", id).emit(item);
    },
    complete: (id: string, output: string | number): void => mock.task(id).complete(output),
    /** Makes the plugin forget a task, whose end nobody is told before. */
    forget(id: string): void {
      mock.task(id).stop();
      void invoke("plugin:tasks|remove", { id });
    },
    /** Returns the id of the task that the page has started last. */
    startedLast: (): string => mock.started.at(-1)?.id ?? "",

    /** Answers the next call of a command only when the returned function is called. */
    hold: (command: "watch" | "start" | "batch"): (() => void) => mock.hold(command),
    /** Refuses the next start, which this page may not make. */
    refuseStart: (): void => mock.refuse("start", { kind: "notAllowed", message: "no" }),
    /** Lets the next attempt to reach the plugin fail. */
    breakConnection: (): void => mock.refuse("open", "the connection is broken"),
    /** Makes the plugin forget this page, as after a long sleep. */
    disconnect(): void {
      mock.disconnect();
      mock.reconnect();
    },

    /** How often a command was called so far. */
    calls: (command: CommandName): number => mock.calls(command).length,
    reasonOf: async (id: string): Promise<string | null> => (await tasks.get(id)).cancelReason,
    kept(): Kept {
      const { session, tasks: followed, lists } = currentPage();
      const page = session.size + followed.size + lists.size;
      return { page, followed: mock.followed, watches: mock.watches };
    },
    unload(): void {
      mock.restore();
      vi.useRealTimers();
    },
  };
  return backend;
}

export type Backend = Awaited<ReturnType<typeof loadBackend>>;
