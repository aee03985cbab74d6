import type { LimitOf, TaskCounts, TaskSnapshot } from "../ipc/bindings.js";
import type { BatchHandle } from "./batch-handle.js";
import type { TaskMap, TaskName } from "./kind.js";
import type {
  AttachOptions,
  BatchOptions,
  FollowOptions,
  ListOptions,
  RerunOptions,
  StartOptions,
  WatchOptions,
} from "./options.js";
import type { CancelQuery, TaskQuery, WithoutUndefined } from "./query.js";
import type { SchedulesClient } from "./schedules-client.js";
import type { SnapshotFor, TaskPage } from "./snapshot.js";
import type { HandleFor, TaskHandle } from "./task-handle.js";

/** The arguments of `start` after the name. The input may be omitted only if `null` is a valid input. */
export type StartArguments<I> = null extends I
  ? [input?: I, options?: StartOptions]
  : [input: I, options?: StartOptions];

/**
 * What {@link createTasks} returns. `M` holds the app's kinds of task.
 *
 * No method throws: each returns a promise, which rejects with a {@link TaskError} or with the `reason` of an `AbortSignal`. A call
 * with an argument that is missing or can't be sent, such as `NaN` as a limit, is refused with the kind `invalidOptions` before
 * anything is sent; the message names the argument.
 *
 * A call that the app doesn't answer for 30 seconds rejects with the kind `ipc`; time in which the page is frozen or asleep hardly
 * counts. That is for each call: a method that makes several after each other, such as an `attach` that first waits for the end of
 * an earlier following of the task, may take a multiple of it. If a start, a rerun or a batch rejects so and is answered after all, it gives its share in the task back, as if
 * its `signal` had been aborted. What other calls do late stays done. What waits for a task, such as `task.result` or a reading,
 * waits as long as the task takes.
 *
 * Inputs are sent as JSON, as Tauri does: fields that are `undefined` are left out, a `Date` is a string, a `Map` an object, a
 * `Uint8Array` an array. What would be sent as something else or not at all is refused with {@link TaskInputError} before
 * anything is sent: numbers that are not finite, a `BigInt`, functions, symbols, half of a surrogate pair, an invalid `Date`,
 * objects such as a `Set`, a `File`, an event or a promise, whatever fields they have, a `Map` with the keys `1` and `"1"`, cycles,
 * and more than 120 nested levels. An input is copied during the call, so later changes of it are not sent.
 *
 * What Rust sends is read as by `JSON.parse`. Whole numbers over `Number.MAX_SAFE_INTEGER` (2^53 − 1) are rounded, and Rust writes
 * `NaN` and infinite numbers as `null`. If exact numbers matter, send them as strings. There is one exception: what the plugin pushes
 * travels as text everywhere, but where commands have no custom protocol, on Android or with a content security policy that blocks
 * `ipc:`, Tauri evaluates their small answers as JavaScript. There, a field named `__proto__` is lost from an output, an item or a
 * snapshot that the page has asked for.
 */
export interface TasksClient<M extends TaskMap> extends SchedulesClient {
  /**
   * Starts a task and resolves as soon as the plugin has accepted it.
   *
   * Rejects with `signal.reason` if the signal is aborted first (the call then gives its share in the task back), with
   * {@link TaskInputError} if the input has the wrong type, with {@link TaskPermissionError} if this window may not start this
   * kind, with {@link TaskQueueFullError}, {@link TaskKeyTakenError} or {@link TaskQuotaError}, or with another {@link TaskError}
   * (`unknownTask`, `invalidOptions`, `ipc`, …). A rejection leaves no handle or listener behind.
   *
   * @param name The name that the kind is registered with. For a union of names, TypeScript accepts the input of any of
   *   them; the plugin checks it.
   * @param args The input (omitted or `null` for a kind without input), then the options.
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
   * Returns a handle of an existing task: one that was started before a reload, by another window or in Rust. The task may have
   * ended, as long as the plugin still keeps it. Each call returns a new handle.
   *
   * A signal in the options ends the waiting and lets go of the task, which goes on: see {@link FollowOptions}.
   *
   * Rejects with {@link TaskNotFoundError} if there is no task with this id that this page may see, or if it is a batch or of
   * another kind, and with a {@link TaskError} of kind `invalidOptions` if the id is missing or `from` is not the number of an item.
   *
   * @example
   * ```ts
   * const task = await tasks.attach("download", localStorage.download, { signal });
   * ```
   */
  attach<K extends TaskName<M>>(
    name: K,
    id: string,
    options?: AttachOptions,
  ): Promise<TaskHandle<M[K]>>;

  /**
   * Returns handles of all matching tasks that this page may see, oldest first: a way to find them again after a reload. Batches
   * are left out. If it rejects, with a {@link TaskError} or the reason of the signal, no task is followed. A later abort lets go
   * of all of the tasks.
   *
   * @example
   * ```ts
   * for (const task of await tasks.attachAll({ task: "download" })) show(task);
   * ```
   */
  attachAll<K extends TaskName<M> = never>(
    query?: TaskQuery<K>,
    options?: FollowOptions,
  ): Promise<HandleFor<M, K>[]>;

  /**
   * Starts one task per input, either all of them or none, and resolves as soon as the plugin has accepted them.
   *
   * Rejects as `start` does; the `path` of a {@link TaskInputError} begins with the index of the input, for example `[3].url`. For
   * the quotas of the window, of which a {@link TaskQuotaError} tells, the batch counts as its members.
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
   * Returns a handle of an existing batch, as `attach` does for a task. Rejects as `attach` does, and with
   * {@link TaskNotFoundError} if the task is not a batch.
   *
   * @example
   * ```ts
   * const batch = await tasks.attachBatch("download", localStorage.downloads);
   * ```
   */
  attachBatch<K extends TaskName<M>>(
    name: K,
    id: string,
    options?: FollowOptions,
  ): Promise<BatchHandle<M[K]>>;

  /**
   * Starts a task again, after it failed, timed out or was cancelled, as a new task. It does what {@link TaskHandle.rerun} does, but
   * needs no handle. Rejects as that method does, and with {@link TaskNotFoundError} if the task is of another kind.
   *
   * @example
   * ```ts
   * const failed = await tasks.list({ task: "download", status: "failed" });
   * for (const { id } of failed.tasks) await tasks.rerun("download", id);
   * ```
   */
  rerun<K extends TaskName<M>>(
    name: K,
    id: string,
    options?: RerunOptions,
  ): Promise<TaskHandle<M[K]>>;

  /**
   * Returns the matching tasks that this page may see, as they are now, oldest first: up to `limit` of them, by default 1,000. If
   * there are more, `next` is what to pass as `after` for the next page. A walk through the pages returns each task that matches all
   * the time exactly once, even if others start, end or are removed meanwhile.
   *
   * Rejects with a {@link TaskError} of kind `invalidOptions` if `limit` or `after` is out of range.
   *
   * @example
   * ```ts
   * const { tasks: running } = await tasks.list({ task: "download", status: ["queued", "running"] });
   * ```
   *
   * @example
   * ```ts
   * let after: number | null = null;
   * do {
   *   const page = await tasks.list({ status: "failed" }, { limit: 100, after });
   *   page.tasks.forEach(report);
   *   after = page.next;
   * } while (after !== null);
   * ```
   */
  list<K extends TaskName<M> = never>(
    query?: TaskQuery<K>,
    options?: ListOptions,
  ): Promise<TaskPage<SnapshotFor<M, K>>>;

  /**
   * Follows a live list: calls back with all matching tasks, oldest first, as soon as `watch` has resolved and after each change.
   * Each call gets a new array. When changes come quickly, only the newest state is passed on. With `everyMs`, there is at most one call
   * in that time, with everything that has changed meanwhile; but the end of a task is passed on at once.
   *
   * Rejects with a {@link TaskError} if the list is unavailable, of kind `invalidOptions` if `everyMs` is out of range. After that,
   * after the signal is aborted, or after the returned function is called, it never calls back again. An error that the callback
   * throws is reported as uncaught.
   *
   * A page may watch 256 lists at once. One more is refused with {@link TaskQuotaError}.
   *
   * @returns A function that stops watching.
   *
   * @example
   * ```ts
   * const stop = await tasks.watch({ task: "download" }, (downloads) => render(downloads));
   * await tasks.watch({}, (all) => badge.show(all.length), { everyMs: 1_000 });
   * ```
   */
  watch<K extends TaskName<M> = never>(
    query: TaskQuery<K>,
    callback: (snapshots: SnapshotFor<M, K>[]) => void,
    options?: WatchOptions,
  ): Promise<() => void>;

  /**
   * Returns one task as it is now. Rejects with {@link TaskNotFoundError} if there is no task with this id that this page may see.
   *
   * @example
   * ```ts
   * const { status, progress } = await tasks.get(id);
   * ```
   */
  get(id: string): Promise<TaskSnapshot>;

  /**
   * Asks all matching tasks that this page may cancel to stop, with a `reason` as in {@link TaskHandle.cancel}. Tasks that
   * have ended are not affected. Returns the number of tasks that had not ended.
   *
   * Rejects with a {@link TaskError}: of kind `invalidOptions`, before anything is sent, if `query` has no field, a field
   * that is `undefined` or `null`, or an unknown one. To cancel all tasks, pass `{ all: true }`.
   *
   * @example
   * ```ts
   * const asked = await tasks.cancelAll({ tag: "sync" });
   * ```
   */
  cancelAll<Q extends CancelQuery<TaskName<M>>>(
    query: Q & WithoutUndefined<Q>,
    reason?: string,
  ): Promise<number>;

  /**
   * Returns the number of tasks of each kind in each status, and how many have ended since the app started. The members of a batch
   * count, the batch itself doesn't. A kind is included only if this window may see its tasks of every owner, as with
   * `tasks:observe-all`. Needs a permission that `tasks:default` doesn't include; without it, rejects with
   * {@link TaskPermissionError}.
   *
   * @example
   * ```ts
   * const waiting = (await tasks.counts()).reduce((sum, { queued }) => sum + queued, 0);
   * ```
   */
  counts(): Promise<TaskCounts[]>;

  /**
   * Changes how many tasks of the whole app, of one kind or of one group may run at once. `null` removes the limit; with 0, no
   * further task starts to run. Running tasks continue. Needs a permission that `tasks:default` doesn't include;
   * without it, rejects with {@link TaskPermissionError}.
   *
   * @example
   * ```ts
   * await tasks.setLimit({ type: "task", name: "download" }, 2);
   * ```
   */
  setLimit(of: LimitOf, limit: number | null): Promise<void>;
}
