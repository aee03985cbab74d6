import type { QueuePlace, TaskStatus } from "../ipc/bindings.js";
import type { BytesMethod, JsonItem, TaskItems } from "./items.js";
import type { TaskMap, TaskName, TaskTypes } from "./kind.js";
import type { TaskOutcome } from "./outcome.js";
import type { TaskProgress, TaskSnapshotOf } from "./snapshot.js";

/**
 * A task, from the page's side. It follows the task until its end, across reconnections to the plugin; callbacks and
 * everything else are let go of at the end.
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

  /** The latest status this page knows of. After the end it no longer changes. */
  readonly status: TaskStatus;

  /**
   * The latest state this page knows of: `label`, `tags`, `attempt`, `nextAttemptAt`, `queue` and so on. Each change
   * makes a new object. After the end it no longer changes.
   *
   * @example
   * ```ts
   * title.textContent = task.snapshot.label ?? task.snapshot.task;
   * ```
   */
  readonly snapshot: TaskSnapshotOf<T>;

  /**
   * Calls back with the newest progress: at once if some was reported already, then whenever it changes, at most about
   * once a frame. The last progress comes before the end. What the callback throws is reported as an uncaught error.
   *
   * @returns A function that ends the calls.
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
   * Calls back with the status: at once, then for each change in order. A task that is `cancelling` and doesn't stop
   * in time calls once more with `snapshot.overdue`. What the callback throws is reported as an uncaught error.
   *
   * @returns A function that ends the calls.
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
   * `held` changes, at most about once a frame, and with `null` when it no longer waits. A task that waits for another
   * attempt goes through the queue again. What the callback throws is reported as an uncaught error.
   *
   * @returns A function that ends the calls.
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
   * What the task emits, one by one. Only one reading of a task goes on at a time; a new one begins where the last one of
   * this handle stopped, else with `from` of {@link AttachOptions}, else with the oldest item that nobody has read.
   *
   * @example
   * ```ts
   * for await (const match of task.items()) list.append(match);
   * ```
   */
  items(): TaskItems<JsonItem<T["item"]>>;

  /**
   * The same in arrays, as the items come: for a page that renders once for many. Slow ones come in arrays of one, at once.
   * None is empty.
   *
   * @example
   * ```ts
   * for await (const lines of task.batches()) view.append(lines);
   * ```
   */
  batches(): TaskItems<JsonItem<T["item"]>[]>;

  /**
   * What a task of a kind that emits bytes does emit, in chunks as they come, none of them empty. `position` and `missed`
   * count bytes.
   *
   * @example
   * ```ts
   * for await (const chunk of task.bytes()) decoder.decode(chunk);
   * ```
   */
  readonly bytes: BytesMethod<T["item"]>;

  /**
   * The items (the chunks, for a kind that emits bytes) as a `ReadableStream`, which pipes. Nothing is read before it is wanted.
   * It fails as {@link TaskItems} rejects, and `cancel` ends the reading as `return()` does there.
   *
   * @example
   * ```ts
   * await task.stream().pipeThrough(new DecompressionStream("gzip")).pipeTo(sink);
   * ```
   */
  stream(): ReadableStream<T["item"]>;

  /**
   * The task's output, as a promise that is made when it is first read: never read, it never leaves an unhandled
   * rejection behind. Rejects
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
   * How the task ended, as a promise that is made when it is first read. No way to end makes it reject, an aborted
   * signal neither; it rejects only if the outcome can't be had ({@link OutcomeExpiredError}, or another
   * {@link TaskError} if it can't be fetched). This is where the handler's own error is typed.
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
   * Resolves when the work has really stopped (later than `result` rejects after an abort), or when the plugin no
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
   * Asks the task to stop, with the reason `user`, and resolves when it has been asked; `closed` tells when it stopped.
   * Asking again does nothing. Rejects with a {@link TaskError} of kind `alreadyEnded` if it has ended.
   *
   * @example
   * ```ts
   * await task.cancel();
   * await task.closed;
   * ```
   */
  cancel(): Promise<void>;

  /**
   * Keeps the task in its queue until `release` is called; held already, nothing changes. Rejects with a
   * {@link TaskError} of kind `notQueued` if it doesn't wait (any more), and of kind `shuttingDown` if the app is about to exit.
   *
   * @example
   * ```ts
   * await task.hold();
   * await task.release();
   * ```
   */
  hold(): Promise<void>;

  /**
   * Lets a held task run when it is its turn; not held, nothing changes. Rejects with a {@link TaskError} of kind
   * `notQueued` if it doesn't wait (any more).
   *
   * @example
   * ```ts
   * await task.release();
   * ```
   */
  release(): Promise<void>;

  /**
   * Gives a waiting task another priority: higher runs earlier, among equals the older one. A whole number. Rejects with
   * a {@link TaskError} of kind `notQueued` if it doesn't wait (any more).
   *
   * @example
   * ```ts
   * await task.setPriority(10);
   * ```
   */
  setPriority(priority: number): Promise<void>;

  /**
   * Starts a task that failed, timed out or was cancelled once more, with the same input and options (but not held), as a
   * new task with an id of its own. This handle stays that of the old one.
   *
   * Rejects with a {@link TaskError} of kind `notEnded` or `notRetriable` (it completed, or is none that a page starts),
   * with {@link TaskNotFoundError} if the plugin no longer has it, or as `start` does ({@link TaskQueueFullError},
   * {@link TaskKeyTakenError}, {@link TaskPermissionError}, …).
   *
   * @example
   * ```ts
   * retryButton.onclick = async () => show(await task.retry());
   * ```
   */
  retry(): Promise<TaskHandle<T>>;

  /**
   * Makes the plugin forget an ended task and its outcome. Rejects with a {@link TaskError} of kind `notEnded` while
   * it goes on.
   *
   * @example
   * ```ts
   * await task.closed;
   * await task.remove();
   * ```
   */
  remove(): Promise<void>;
}

/** Handles as `attachAll` gives them: typed by kind if the query names kinds. */
export type HandleFor<M extends TaskMap, K extends TaskName<M>> = [K] extends [never]
  ? TaskHandle
  : { [N in K]: TaskHandle<M[N]> }[K];
