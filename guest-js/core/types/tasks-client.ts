import type { LimitOf, TaskCounts, TaskSnapshot } from "../ipc/bindings.js";
import type { BatchHandle } from "./batch-handle.js";
import type { TaskMap, TaskName } from "./kind.js";
import type { AttachOptions, BatchOptions, StartOptions, WatchOptions } from "./options.js";
import type { TaskQuery } from "./query.js";
import type { SchedulesClient } from "./schedules-client.js";
import type { SnapshotFor } from "./snapshot.js";
import type { HandleFor, TaskHandle } from "./task-handle.js";

/** The arguments of `start` after the name: the input may be left out exactly where `null` is one. */
export type StartArguments<I> = null extends I
  ? [input?: I, options?: StartOptions]
  : [input: I, options?: StartOptions];

/** What {@link createTasks} returns. `M` holds the app's kinds of task. */
export interface TasksClient<M extends TaskMap> extends SchedulesClient {
  /**
   * Starts a task and resolves as soon as the plugin has accepted it.
   *
   * Rejects with `signal.reason` if the signal is aborted first (a task that was already on its way is cancelled), with
   * {@link TaskInputError} if the input doesn't fit, with {@link TaskPermissionError} if this window may not start this
   * kind, with {@link TaskQueueFullError} or {@link TaskKeyTakenError}, or with another {@link TaskError} (`unknownTask`,
   * `invalidOptions`, `ipc`, …). After a rejection no handle or listener is left behind.
   *
   * @param name The name the kind is registered with. For a union of names the input may be that of any of them: the
   *   plugin checks it.
   * @param args The input (left out, or `null`, for a kind without), then the options.
   *
   * @example
   * ```ts
   * const task = await tasks.start("download", { url, dest }, { signal: controller.signal });
   * const tick = await tasks.start("tick");
   * ```
   */
  start<K extends TaskName<M>>(
    name: K,
    ...args: StartArguments<M[K]["input"]>
  ): Promise<TaskHandle<M[K]>>;

  /**
   * A handle of a task that is already there: started before a reload, by another window or in Rust. Also of an ended
   * one, as long as the plugin keeps it. Each call gives a handle of its own.
   *
   * Rejects with {@link TaskNotFoundError} if there is none with this id, none that this page may see, one of another
   * kind, or a batch, and with a {@link TaskError} of kind `invalidOptions` if `from` is no number of an item.
   *
   * @example
   * ```ts
   * const task = await tasks.attach("download", localStorage.download);
   * ```
   */
  attach<K extends TaskName<M>>(
    name: K,
    id: string,
    options?: AttachOptions,
  ): Promise<TaskHandle<M[K]>>;

  /**
   * Handles of all matching tasks that this page may see, oldest first, without the batches: to find one's tasks again after a
   * reload. Rejects with a {@link TaskError}; then none is followed.
   *
   * @example
   * ```ts
   * for (const task of await tasks.attachAll({ task: "download" })) show(task);
   * ```
   */
  attachAll<K extends TaskName<M> = never>(query?: TaskQuery<K>): Promise<HandleFor<M, K>[]>;

  /**
   * Starts one task for each of the inputs, all or none, and resolves as soon as the plugin has accepted them.
   *
   * Rejects as `start` does; the `path` of a {@link TaskInputError} begins with the number of the input, from 0:
   * `[3].url`.
   *
   * @example
   * ```ts
   * const batch = await tasks.batch("download", urls.map((url) => ({ url, dest })), { concurrency: 4 });
   * ```
   */
  batch<K extends TaskName<M>>(
    name: K,
    inputs: readonly M[K]["input"][],
    options?: BatchOptions,
  ): Promise<BatchHandle<M[K]>>;

  /**
   * A handle of a batch that is already there, as `attach` gives one of a task. Rejects as `attach` does, and with
   * {@link TaskNotFoundError} if the task is no batch.
   *
   * @example
   * ```ts
   * const batch = await tasks.attachBatch("download", localStorage.downloads);
   * ```
   */
  attachBatch<K extends TaskName<M>>(name: K, id: string): Promise<BatchHandle<M[K]>>;

  /**
   * Starts a task that ended badly once more, as a new one: what {@link TaskHandle.retry} does, for a task that was only
   * listed. Rejects as that does, and with {@link TaskNotFoundError} if the task is of another kind.
   *
   * @example
   * ```ts
   * for (const { id } of await tasks.list({ task: "download", status: "failed" })) await tasks.retry("download", id);
   * ```
   */
  retry<K extends TaskName<M>>(name: K, id: string): Promise<TaskHandle<M[K]>>;

  /**
   * The tasks this page may see, as they are now.
   *
   * @example
   * ```ts
   * const running = await tasks.list({ task: "download", status: ["queued", "running"] });
   * ```
   */
  list<K extends TaskName<M> = never>(query?: TaskQuery<K>): Promise<SnapshotFor<M, K>[]>;

  /**
   * A live list: calls back with all matching tasks, oldest first, before `watch` resolves and after each change. Each
   * call gets a new array. Of quick changes only the newest state is shown.
   *
   * Rejects with a {@link TaskError} if the list can't be had; then, and after the returned function was called or the
   * signal was aborted, the callback is never called again. What the callback throws is reported as an uncaught error.
   *
   * @returns A function that ends the watching.
   *
   * @example
   * ```ts
   * const stop = await tasks.watch({ task: "download" }, (downloads) => render(downloads));
   * ```
   */
  watch<K extends TaskName<M> = never>(
    query: TaskQuery<K>,
    callback: (snapshots: SnapshotFor<M, K>[]) => void,
    options?: WatchOptions,
  ): Promise<() => void>;

  /**
   * One task as it is now. Rejects with {@link TaskNotFoundError} if there is none that this page may see.
   *
   * @example
   * ```ts
   * const { status, progress } = await tasks.get(id);
   * ```
   */
  get(id: string): Promise<TaskSnapshot>;

  /**
   * Asks all matching tasks that this page may cancel to stop, with the reason `user`; `{}` matches all. Those that have
   * ended are left alone. Resolves with how many had not ended. Rejects with a {@link TaskError}.
   *
   * @example
   * ```ts
   * const asked = await tasks.cancelAll({ tag: "sync" });
   * ```
   */
  cancelAll(query: TaskQuery<TaskName<M>>): Promise<number>;

  /**
   * How many tasks of each kind stand where, and how many have ended since the app began; a batch doesn't count, its
   * members do. Only kinds whose tasks this window sees whoever has started them, as with `tasks:observe-all`. Needs a
   * permission that `tasks:default` doesn't have, and rejects with {@link TaskPermissionError} without.
   *
   * @example
   * ```ts
   * const waiting = (await tasks.counts()).reduce((sum, { queued }) => sum + queued, 0);
   * ```
   */
  counts(): Promise<TaskCounts[]>;

  /**
   * Changes how many tasks may run at once: of the whole app, of a kind or of a group. `null` is no limit, 0 lets no
   * further one begin; those that run go on. Needs a permission that `tasks:default` doesn't have, and rejects with
   * {@link TaskPermissionError} without.
   *
   * @example
   * ```ts
   * await tasks.setLimit({ type: "task", name: "download" }, 2);
   * ```
   */
  setLimit(of: LimitOf, limit: number | null): Promise<void>;
}
