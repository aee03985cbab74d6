import type { TaskError } from "../core/errors/task-error.js";
import type { TaskMap, TaskName, TaskTypes } from "../core/types/kind.js";
import type { TaskSnapshotOf } from "../core/types/snapshot.js";
import type { TaskHandle } from "../core/types/task-handle.js";
import type { TasksClient } from "../core/types/tasks-client.js";
import { follow } from "./follow.js";
import { constant, type Readable } from "./readable.js";
import { sharedStore } from "./shared.js";

/** What a task is known to be. `idle` is what there is without an id. */
export type TaskState<T extends TaskTypes = TaskTypes> =
  | {
      readonly state: "idle" | "loading";
      readonly task?: undefined;
      readonly snapshot?: undefined;
      readonly error?: undefined;
    }
  | {
      readonly state: "ready";
      /** A handle of the task, which is let go of when the store has no subscriber any more. */
      readonly task: TaskHandle<T>;
      readonly snapshot: TaskSnapshotOf<T>;
      readonly error?: undefined;
    }
  | {
      readonly state: "error";
      readonly task?: undefined;
      readonly snapshot?: undefined;
      readonly error: TaskError;
    };

const LOADING = { state: "loading" } as const;
const IDLE = constant({ state: "idle" } as const);

/**
 * Returns a store of one task, which has a new value for each change of its status and its place in the queue, and at most once a
 * frame for its progress. Stores of the same task share what they follow.
 *
 * @param client What `createTasks` has returned.
 * @param name The kind of the task.
 * @param id The id of the task. Without one, the store is `idle`.
 *
 * @example
 * ```ts
 * const download = taskStore(tasks, "download", id);
 * download.subscribe(() => show(download.getSnapshot().snapshot?.progress));
 * ```
 */
export function taskStore<M extends TaskMap, K extends TaskName<M>>(
  client: TasksClient<M>,
  name: K,
  id: string | null | undefined,
): Readable<TaskState<M[K]>> {
  if (id === null || id === undefined) return IDLE;
  return sharedStore<TaskState<M[K]>>(`task ${id} ${name}`, {
    initial: LOADING,
    async open(set, signal) {
      const task = await client.attach(name, id, { signal });
      follow(task, () => set({ state: "ready", task, snapshot: task.snapshot }));
    },
    failed: (error) => ({ state: "error", error }),
  });
}
