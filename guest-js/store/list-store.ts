import type { TaskError } from "../core/errors/task-error.js";
import type { TaskMap, TaskName } from "../core/types/kind.js";
import type { PaceOptions } from "../core/types/options.js";
import type { TaskQuery } from "../core/types/query.js";
import type { SnapshotFor } from "../core/types/snapshot.js";
import type { TasksClient } from "../core/types/tasks-client.js";
import type { Readable } from "./readable.js";
import { sharedStore } from "./shared.js";

/** What a list of tasks is known to be. In each state, `tasks` is what was known last. */
export type ListState<S> =
  | {
      readonly state: "loading" | "ready";
      readonly tasks: readonly S[];
      readonly error?: undefined;
    }
  | { readonly state: "error"; readonly tasks: readonly S[]; readonly error: TaskError };

const LOADING: ListState<never> = { state: "loading", tasks: [] };

/**
 * Returns a store of all tasks that match and that this page may see, oldest first. A task that hasn't changed keeps its object.
 * Stores of equal queries share one watch.
 *
 * @param client What `createTasks` has returned.
 * @param query As for `watch`. By default, all tasks.
 * @param options How often it changes at most, as for `watch`.
 *
 * @example
 * ```ts
 * const downloads = listStore(tasks, { task: "download" });
 * downloads.subscribe(() => render(downloads.getSnapshot().tasks));
 * ```
 */
export function listStore<M extends TaskMap, K extends TaskName<M> = never>(
  client: TasksClient<M>,
  query: TaskQuery<K> = {},
  { everyMs }: PaceOptions = {},
): Readable<ListState<SnapshotFor<M, K>>> {
  return sharedStore<ListState<SnapshotFor<M, K>>>(`list ${everyMs ?? 0} ${keyOf(query)}`, {
    initial: LOADING,
    open: (set, signal) =>
      client.watch(query, (tasks) => set({ state: "ready", tasks }), { everyMs, signal }),
    failed: (error, { tasks }) => ({ state: "error", tasks, error }),
  });
}

/** Returns the same text for queries that select the same tasks, in whatever order they say so. */
export function keyOf(query: TaskQuery): string {
  const fields = Object.entries(query).filter(([, values]) => values !== undefined);
  return JSON.stringify(fields.map(([field, values]) => [field, [values].flat().sort()]).sort());
}
