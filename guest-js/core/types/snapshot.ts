import type { Progress, TaskSnapshot } from "../ipc/bindings.js";
import type { TaskMap, TaskName, TaskTypes } from "./kind.js";

/**
 * The progress of a task: `completed` and `total` are in `unit`, `fraction` is from 0 to 1, `rate` is in units per second, `etaMs` is
 * the time left in milliseconds, `message` is a line to show to people, and `detail` is what the handler adds. Unknown values are
 * `null`. `fraction` is unknown without a total, with a total of 0 and when more is done than the total, so a task may complete
 * without a fraction of 1: its status says that it is done.
 */
export type TaskProgress<D = unknown> = Omit<Progress, "detail"> & { detail: D | null };

/**
 * The state of a task at one moment, with the types of its kind. Times are milliseconds since 1970, as in `Date.now()`.
 *
 * `sequence` is the number of the latest status change. If it grows by more than one between two calls of an `onStatus`
 * callback, this page has missed the changes in between. `input` is `null` unless the kind's policy in Rust shows it.
 */
export type TaskSnapshotOf<T extends TaskTypes, N extends string = string> = Omit<
  TaskSnapshot,
  "task" | "input" | "progress"
> & { task: N; input: T["input"] | null; progress: TaskProgress<T["detail"]> };

/** The type of the snapshots from `list` and `watch`: by kind if the query names kinds, else plain {@link TaskSnapshot}. */
export type SnapshotFor<M extends TaskMap, K extends TaskName<M>> = [K] extends [never]
  ? TaskSnapshot
  : { [N in K]: TaskSnapshotOf<M[N], N> }[K];

/** A page of tasks, as {@link TasksClient.list} returns it. */
export interface TaskPage<S = TaskSnapshot> {
  /** The tasks, oldest first. */
  readonly tasks: S[];
  /** What to pass as `after` for the next page; `null` if no further task matches. */
  readonly next: number | null;
}
