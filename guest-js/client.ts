import { commands, type TaskFilter, type TaskSnapshot } from "./bindings.js";
import { rethrow, TaskNotFoundError } from "./errors.js";
import { createHandle } from "./handle.js";
import { page } from "./page.js";
import { startTask } from "./start.js";
import type { StartOptions, TaskMap, TaskQuery, TasksClient, WatchOptions } from "./types.js";

/**
 * The client for the tasks of this app. `M` is the task map generated from Rust; without it names and values are
 * untyped.
 *
 * Cheap, and may be called any number of times: all clients of a page share one connection, which is opened by the
 * first call that needs it.
 *
 * @example
 * ```ts
 * import { createTasks } from "tauri-plugin-tasks-api";
 * import type { Tasks } from "./tasks.gen";
 *
 * const tasks = createTasks<Tasks>();
 * const task = await tasks.start("download", { url, dest });
 * const path = await task.result;
 * ```
 */
export function createTasks<M extends TaskMap>(): TasksClient<M> {
  const client = {
    start: (name: string, input?: unknown, options?: StartOptions) =>
      startTask(page, name, input ?? null, options?.signal),

    async attach(name: string, id: string) {
      const task = await page.tasks.attach(id);
      const found = task.snapshot?.task;
      if (found !== name) {
        page.tasks.release(task);
        throw new TaskNotFoundError(`Task ${id} is a "${found}", not a "${name}".`);
      }
      return createHandle(task);
    },

    list: (query?: TaskQuery) => commands.list(toFilter(query)).catch(rethrow),

    watch: (
      query: TaskQuery,
      callback: (snapshots: TaskSnapshot[]) => void,
      options?: WatchOptions,
    ) => page.lists.watch(toFilter(query), callback, options?.signal),

    get: (id: string) => commands.get(id).catch(rethrow),
  } satisfies Record<keyof TasksClient<TaskMap>, unknown>;
  // The wire knows no types: what a name stands for is the claim of whoever names `M`.
  return client as unknown as TasksClient<M>;
}

function toFilter({ task, status }: TaskQuery = {}): TaskFilter {
  const filter: TaskFilter = {};
  if (task !== undefined) filter.task = typeof task === "string" ? [task] : [...task];
  if (status !== undefined) filter.status = typeof status === "string" ? [status] : [...status];
  return filter;
}
