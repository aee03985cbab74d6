/** What the cases drive: tasks in a plugin, and time. Nothing else here knows where the tasks come from. */
import { vi } from "vitest";
import { settle, type TestTasks } from "../core/tests/fake-plugin.js";
import type { TasksClient } from "../core/types/tasks-client.js";
import { loadStores } from "../store/tests/load-stores.js";

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
  const page = await loadStores();
  const { plugin } = page;
  const tasks: TasksClient<TestTasks> = page.tasks;
  let now = 0;
  let nextFrame = FRAME_MS;

  async function pass(ms: number): Promise<void> {
    now += ms;
    await vi.advanceTimersByTimeAsync(ms);
  }

  const backend = {
    tasks,

    /** Lets time pass. By default, there is one message of the plugin in it. */
    async advance(ms = FRAME_MS): Promise<void> {
      const until = now + ms;
      while (nextFrame <= until) {
        await pass(nextFrame - now);
        await plugin.frame();
        nextFrame += FRAME_MS;
      }
      await pass(until - now);
      await settle();
    },

    /** Starts a task that the page has not asked for, and returns its id. */
    begin: (kind: keyof TestTasks): string => plugin.begin(kind),
    run: (id: string): void => plugin.status(id, "running"),
    report: (id: string, completed: number): void => plugin.progress(id, { completed }),
    emit: (id: string, ...items: readonly (string | number)[]): void => plugin.emit(id, ...items),
    complete: (id: string, output: unknown): void => plugin.complete(id, output),
    /** Lets the next task that is started end before its start is answered. */
    completeNext: (output: unknown): void =>
      plugin.endNext({ status: "completed", data: { output } }),
    /** Makes the plugin forget a task. */
    forget: (id: string): void => plugin.evict(id),

    /** Answers the next call of a command only when the returned function is called. */
    hold: (command: "watch" | "start" | "batch"): (() => void) => plugin.hold(command),
    /** Refuses the next start, which this page may not make. */
    refuseStart: (): void => plugin.refuse("start", { kind: "notAllowed", message: "no" }),
    /** Lets the next attempt to reach the plugin fail. */
    breakConnection: (): void => plugin.refuse("open", "the connection is broken"),
    /** Makes the plugin forget this page, as after a long sleep. */
    disconnect: (): void => plugin.dropSessions(),

    /** How often a command was called so far. */
    calls: (command: string): number => plugin.calls(command).length,
    reasonOf: async (id: string): Promise<string | null> => (await tasks.get(id)).cancelReason,
    kept(): Kept {
      const sessions = [...plugin.sessions.values()];
      const count = (what: "tasks" | "lists") =>
        sessions.reduce((sum, session) => sum + session[what].size, 0);
      return { page: page.kept(), followed: count("tasks"), watches: count("lists") };
    },
    unload: page.unload,
  };
  return backend;
}

export type Backend = Awaited<ReturnType<typeof loadBackend>>;
