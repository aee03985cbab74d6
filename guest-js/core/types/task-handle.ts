import type { QueuePlace, TaskStatus } from "../ipc/bindings.js";
import type { BytesMethod, JsonItem, TaskItems } from "./items.js";
import type { TaskMap, TaskName, TaskTypes } from "./kind.js";
import type { TaskOutcome } from "./outcome.js";
import type { TaskProgress, TaskSnapshotOf } from "./snapshot.js";

/**
 * A task, from the page's side. The handle follows the task until it ends, across reconnections to the plugin, and then releases
 * its callbacks and everything else it keeps.
 *
 * @example
 * ```ts
 * const task = await tasks.start("download", { url, dest });
 * const off = task.onProgress((p) => (bar.value = p.fraction ?? 0));
 * const path = await task.result;
 * ```
 */
export interface TaskHandle<T extends TaskTypes = TaskTypes> {
  /** The task's id, a UUID v7. Keep it to `attach` again after a reload. */
  readonly id: string;

  /** The latest status that this page knows. It no longer changes after the end. */
  readonly status: TaskStatus;

  /**
   * The latest state that this page knows: `label`, `tags`, `attempt`, `nextAttemptAt`, `queue` and so on. Each change
   * makes a new object. It no longer changes after the end.
   *
   * @example
   * ```ts
   * title.textContent = task.snapshot.label ?? task.snapshot.task;
   * ```
   */
  readonly snapshot: TaskSnapshotOf<T>;

  /**
   * Calls back with the newest progress: at once if any was reported already, then whenever it changes, at most about once
   * per frame. The last progress comes before the end. What the callback throws is reported as an uncaught error.
   *
   * @returns A function that removes the callback.
   *
   * @example
   * ```ts
   * const off = task.onProgress((p) => {
   *   label.textContent = `${p.completed} of ${p.total ?? "?"} ${p.unit}`;
   * });
   * ```
   */
  onProgress(callback: (progress: TaskProgress<T["detail"]>) => void): () => void;

  /**
   * Calls back with the status: at once, then for each change, in order. For a task that is `cancelling` and doesn't stop in
   * time, it calls back once more with `snapshot.overdue` set. What the callback throws is reported as an uncaught error.
   *
   * @returns A function that removes the callback.
   *
   * @example
   * ```ts
   * task.onStatus((status, snapshot) => {
   *   chip.textContent = snapshot.overdue ? "still stopping" : status;
   * });
   * ```
   */
  onStatus(callback: (status: TaskStatus, snapshot: TaskSnapshotOf<T>) => void): () => void;

  /**
   * Calls back with the task's place in its queue: at once if it waits in one, then whenever the place, the priority or
   * `held` changes, at most about once per frame, and with `null` when it no longer waits. Before another attempt, a task goes
   * through the queue again. What the callback throws is reported as an uncaught error.
   *
   * @returns A function that removes the callback.
   *
   * @example
   * ```ts
   * const off = task.onQueue((place) => {
   *   chip.textContent = place === null ? "" : place.held ? "held" : `number ${place.position ?? "…"}`;
   * });
   * ```
   */
  onQueue(callback: (place: QueuePlace | null) => void): () => void;

  /**
   * Reads the items that the task emits, one by one. A task has only one reading at a time. A new one starts where the last
   * reading of this handle stopped; the first one with `from` of {@link AttachOptions}, or else with the oldest item that nobody
   * has read.
   *
   * @example
   * ```ts
   * for await (const match of task.items()) list.append(match);
   * ```
   */
  items(): TaskItems<JsonItem<T["item"]>>;

  /**
   * Reads the items in arrays as they come, for a page that renders many at once. Items that come slowly come at once, in arrays
   * of one. No array is empty.
   *
   * @example
   * ```ts
   * for await (const lines of task.batches()) view.append(lines);
   * ```
   */
  batches(): TaskItems<JsonItem<T["item"]>[]>;

  /**
   * Reads the bytes that a task of a kind that emits bytes emits, in chunks as they come. No chunk is empty. `position` and
   * `missed` count bytes.
   *
   * @example
   * ```ts
   * for await (const chunk of task.bytes()) decoder.decode(chunk);
   * ```
   */
  readonly bytes: BytesMethod<T["item"]>;

  /**
   * Reads the items, or the chunks for a kind that emits bytes, as a `ReadableStream` that can be piped. It reads nothing before
   * it is pulled, fails with what a {@link TaskItems} would reject with, and `cancel` ends the reading as `return()` does.
   *
   * @example
   * ```ts
   * await task.stream().pipeThrough(new DecompressionStream("gzip")).pipeTo(sink);
   * ```
   */
  stream(): ReadableStream<T["item"]>;

  /**
   * The task's output. The promise is made when this property is first read, so if nobody reads it, there is never an unhandled
   * rejection. Rejects
   * - with the signal's `reason`, at once, if the signal given to `start` is aborted,
   * - with {@link TaskFailedError}, {@link TaskPanicError}, {@link TaskCancelledError} or {@link TaskTimedOutError} if
   *   the task ends that way,
   * - with {@link OutcomeExpiredError} if the plugin no longer has the outcome, or another {@link TaskError} if it
   *   can't be fetched.
   *
   * @example
   * ```ts
   * const path = await task.result;
   * ```
   */
  readonly result: Promise<T["output"]>;

  /**
   * How the task ended. The promise is made when this property is first read. It doesn't reject because of how the task ended
   * or because of an aborted signal, only if the outcome is unavailable: with {@link OutcomeExpiredError}, or with another
   * {@link TaskError} if it can't be fetched. The handler's own error is typed here.
   *
   * @example
   * ```ts
   * const outcome = await task.outcome;
   * switch (outcome.status) {
   *   case "completed":
   *     return outcome.output;
   *   case "failed":
   *     if (outcome.error instanceof TaskFailedError) explain(outcome.error.error);
   * }
   * ```
   */
  readonly outcome: Promise<TaskOutcome<T["output"], T["error"]>>;

  /**
   * Resolves when the work has really stopped, which after an abort is later than `result` rejects, or when the plugin no
   * longer knows the task. Never rejects.
   *
   * @example
   * ```ts
   * controller.abort();
   * await task.closed;
   * await removeFile(dest);
   * ```
   */
  readonly closed: Promise<void>;

  /**
   * Asks the task to stop, with the reason `user`. Resolves when the task has been asked; `closed` resolves when it has stopped.
   * Asking again does nothing. Rejects with a {@link TaskError} of kind `alreadyEnded` if the task has ended.
   *
   * @example
   * ```ts
   * await task.cancel();
   * await task.closed;
   * ```
   */
  cancel(): Promise<void>;

  /**
   * Keeps the task in its queue until `release` is called. Does nothing if it is held already. Rejects with a
   * {@link TaskError} of kind `notQueued` if the task is not waiting, and of kind `shuttingDown` if the app is about to exit.
   *
   * @example
   * ```ts
   * await task.hold();
   * await task.release();
   * ```
   */
  hold(): Promise<void>;

  /**
   * Lets a held task run when its turn comes. Does nothing if it is not held. Rejects with a {@link TaskError} of kind
   * `notQueued` if the task is not waiting.
   *
   * @example
   * ```ts
   * await task.release();
   * ```
   */
  release(): Promise<void>;

  /**
   * Changes the priority of a waiting task, a whole number. Higher runs earlier; among equals, the older task does. Rejects with
   * a {@link TaskError} of kind `notQueued` if the task is not waiting.
   *
   * @example
   * ```ts
   * await task.setPriority(10);
   * ```
   */
  setPriority(priority: number): Promise<void>;

  /**
   * Starts a task that failed, timed out or was cancelled once more, with the same input and options (but not held), as a
   * new task with its own id. This handle remains that of the old task.
   *
   * Rejects with a {@link TaskError} of kind `notEnded`, or of kind `notRetriable` if the task completed or is not one that a
   * page can start; with {@link TaskNotFoundError} if the plugin no longer has it; or as `start` does
   * ({@link TaskQueueFullError}, {@link TaskKeyTakenError}, {@link TaskPermissionError}, …).
   *
   * @example
   * ```ts
   * retryButton.onclick = async () => show(await task.retry());
   * ```
   */
  retry(): Promise<TaskHandle<T>>;

  /**
   * Makes the plugin forget an ended task and its outcome. Rejects with a {@link TaskError} of kind `notEnded` if the task has
   * not ended.
   *
   * @example
   * ```ts
   * await task.closed;
   * await task.remove();
   * ```
   */
  remove(): Promise<void>;
}

/** The handles from `attachAll`: typed by kind if the query names kinds. */
export type HandleFor<M extends TaskMap, K extends TaskName<M>> = [K] extends [never]
  ? TaskHandle
  : { [N in K]: TaskHandle<M[N]> }[K];
