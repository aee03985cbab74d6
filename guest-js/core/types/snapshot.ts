import type { Progress, TaskSnapshot } from "../ipc/bindings.js";
import type { TaskMap, TaskName, TaskTypes } from "./kind.js";

/**
 * How far a task has come: `completed` and `total` in `unit`, `fraction` from 0 to 1, `rate` in units a second, `etaMs`
 * the time left in milliseconds, `message` a line for people, `detail` what the handler adds. `null` where unknown.
 */
export type TaskProgress<D = unknown> = Omit<Progress, "detail"> & { detail: D | null };

/**
 * The state of a task at one moment, with the types of its kind. Times are milliseconds since 1970 (`Date.now()`).
 *
 * `sequence` is the number of its latest status change; if it grows by more than one between two calls of an
 * `onStatus` callback, the changes between were not seen. `input` is `null` unless the kind shows it.
 */
export type TaskSnapshotOf<T extends TaskTypes, N extends string = string> = Omit<
  TaskSnapshot,
  "task" | "input" | "progress"
> & { task: N; input: T["input"] | null; progress: TaskProgress<T["detail"]> };

/** Snapshots as `list` and `watch` give them: typed by kind if the query names kinds, else plain {@link TaskSnapshot}s. */
export type SnapshotFor<M extends TaskMap, K extends TaskName<M>> = [K] extends [never]
  ? TaskSnapshot
  : { [N in K]: TaskSnapshotOf<M[N], N> }[K];
