import type { QueuePlace, TaskStatus } from "../ipc/bindings.js";
import type { AsyncDisposableIfKnown } from "./async-disposable.js";
import type { BytesMethod, JsonItem, TaskItems } from "./items.js";
import type { TaskMap, TaskName, TaskTypes } from "./kind.js";
import type { CallbackEvent, PaceOptions, RerunOptions } from "./options.js";
import type { TaskOutcome } from "./outcome.js";
import type { TaskProgress, TaskSnapshotOf } from "./snapshot.js";
import type { TaskStream } from "./stream.js";

/**
 * A page's handle of a task. It follows the task until the task ends, across reconnections to the plugin, and then drops its
 * callbacks and everything else it keeps. `detach` lets go of it earlier. Its methods can be passed as callbacks. To copy, log or
 * serialize a handle starts nothing.
 *
 * Where the webview has `Symbol.asyncDispose`, `await using task = …` cancels the task at the end of the block and waits until the
 * work has stopped. It does nothing if the task has ended or the handle was detached. It rejects with a {@link TaskError} if the
 * cancel is refused.
 *
 * @example
 * ```ts
 * const task = await tasks.start("download", { url, dest });
 * const off = task.onProgress((p) => (bar.value = p.fraction ?? 0));
 * const path = await task.result;
 * ```
 */
export interface TaskHandle<T extends TaskTypes = TaskTypes> extends AsyncDisposableIfKnown {
  /** The task's id, a UUID v7. Save it to `attach` to the task after a reload. */
  readonly id: string;

  /** The latest status that this page knows. It doesn't change after the task has ended. */
  readonly status: TaskStatus;

  /**
   * The latest state that this page knows: `label`, `tags`, `attempt`, `nextAttemptAt`, `queue` and so on. Each change
   * makes a new object. It doesn't change after the task has ended.
   *
   * @example
   * ```ts
   * title.textContent = task.snapshot.label ?? task.snapshot.task;
   * ```
   */
  readonly snapshot: TaskSnapshotOf<T>;

  /**
   * Calls back with the newest progress: right after this call if the task has reported any, then whenever it changes, at most
   * about once per frame. The last progress comes before the end of the task.
   *
   * It doesn't throw: a wrong argument, such as an `everyMs` that is out of range, is reported as uncaught, as a {@link TaskError} of
   * kind `invalidOptions`. So is an error that the callback throws.
   *
   * With `everyMs`, it is called at most once in that time, with the newest progress. Each callback has a pace of its own; while all of
   * them are slow, the plugin sends progress only as often as the fastest one needs it, and {@link snapshot} is no newer than that.
   *
   * @returns A function that removes the callback.
   *
   * @example
   * ```ts
   * const off = task.onProgress((p) => {
   *   label.textContent = `${p.completed} of ${p.total ?? "?"} ${p.unit}`;
   * });
   * task.onProgress((p) => console.log(p.completed), { everyMs: 5_000 });
   * ```
   */
  onProgress(
    callback: (progress: TaskProgress<T["detail"]>) => void,
    options?: PaceOptions,
  ): () => void;

  /**
   * Calls back with the status: right after this call, then for each change, in order. If the task is `cancelling` and doesn't stop
   * in time, it calls back once more with `snapshot.overdue` set.
   *
   * It doesn't throw: a callback that is no function is reported as uncaught, as a {@link TaskError} of kind `invalidOptions`. So is an
   * error that the callback throws.
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
   * Calls back with the task's place in its queue: right after this call if the task is waiting in one, then whenever the place, the
   * priority or `held` changes, at most about once per frame, and with `null` when the task no longer waits. Before another attempt, a task
   * goes through the queue again.
   *
   * It doesn't throw: a callback that is no function is reported as uncaught, as a {@link TaskError} of kind `invalidOptions`. So is an
   * error that the callback throws.
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
   * Reads the items that the task emits, one by one. A task can have only one reading at a time. The first reading of this handle
   * starts with the item `from` of {@link AttachOptions}, or else with the oldest item that nobody has read; each further reading
   * starts where the previous one stopped.
   *
   * A task whose buffer is full waits for its reading. End a reading that you don't go on with: break out of its loop, or call
   * `return()`. Of a kind with `Task::idle_reader`, a reading that doesn't ask for longer than that fails with
   * {@link TaskReaderGoneError} when it asks again.
   *
   * @example
   * ```ts
   * for await (const match of task.items()) list.append(match);
   * ```
   */
  items(): TaskItems<JsonItem<T["item"]>>;

  /**
   * Reads the items in arrays, for a page that renders many at once. Nothing waits for an array to fill up: items that come slowly
   * arrive one per array. No array is empty.
   *
   * @example
   * ```ts
   * for await (const lines of task.chunks()) view.append(lines);
   * ```
   */
  chunks(): TaskItems<JsonItem<T["item"]>[]>;

  /**
   * Reads the bytes that the task emits, if its kind emits bytes, in chunks as they come. No chunk is empty, and each owns its
   * buffer: `chunk.buffer` holds these bytes and nothing else. `position` and `missed` count bytes.
   *
   * @example
   * ```ts
   * for await (const chunk of task.bytes()) decoder.decode(chunk);
   * ```
   */
  readonly bytes: BytesMethod<T["item"]>;

  /**
   * Reads the items, or the chunks if the kind emits bytes, as a `ReadableStream`. The stream reads nothing before it is pulled and
   * fails with what a {@link TaskItems} would reject with. Its `cancel` ends the reading as `return()` does. `for await` reads it in
   * every webview: see {@link TaskStream}.
   *
   * @example
   * ```ts
   * await task.stream().pipeThrough(new DecompressionStream("gzip")).pipeTo(sink);
   * ```
   */
  stream(): TaskStream<T["item"]>;

  /**
   * The task's output. The promise is made when this property is first read, so a result that nobody reads never causes an
   * unhandled rejection. Rejects
   * - with the signal's `reason`, at once, if the signal given to `start`, `rerun` or `attach` is aborted,
   * - with a {@link TaskError} of kind `detached`, at once, if the handle is detached before the task has ended,
   * - with {@link TaskFailedError}, {@link TaskPanicError}, {@link TaskCancelledError} or {@link TaskTimedOutError} if
   *   the task ends that way,
   * - with {@link OutcomeExpiredError} if the plugin no longer has the outcome, or another {@link TaskError} if it
   *   can't be fetched: then, to read this property again fetches it again.
   *
   * @example
   * ```ts
   * const path = await task.result;
   * ```
   */
  readonly result: Promise<T["output"]>;

  /**
   * How the task ended. The promise is made when this property is first read. It resolves however the task ended, even
   * after an aborted signal. It rejects only if the outcome is unavailable: with {@link OutcomeExpiredError} if the
   * plugin no longer has it, or with another {@link TaskError} if it can't be fetched or the handle is detached before the
   * task has ended. After a failed fetch, to read this property again fetches it again. The handler's error has its own type here.
   *
   * @example
   * ```ts
   * const outcome = await task.outcome;
   * switch (outcome.status) {
   *   case "completed":
   *     return outcome.output;
   *   case "failed":
   *     if (outcome.error instanceof TaskFailedError) explain(outcome.error.error);
   *     return undefined;
   *   default:
   *     return undefined; // cancelled, timed out, or what a newer version adds
   * }
   * ```
   */
  readonly outcome: Promise<TaskOutcome<T["output"], T["error"]>>;

  /**
   * Resolves when the work has really stopped, or when the plugin no longer knows the task. After an abort, `result` rejects
   * earlier than that. Never rejects. If the handle is detached, it resolves only if another handle in this page still follows
   * the task.
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
   * Asks the task to stop. Resolves when the task has been asked; `closed` resolves when it has stopped. Asking again does nothing.
   *
   * @param reason Why, in words of your own: they become the task's {@link CancelReason}. Words of more than 1 KiB are shortened.
   * Without them the reason is `user`, as it is with an object, since a callback is given an event.
   *
   * Rejects with a {@link TaskError}: of kind `alreadyEnded` if the task has ended, of kind `invalidOptions` if the reason is one
   * that only the plugin gives, such as `shutdown`.
   *
   * @example
   * ```ts
   * await task.cancel("the disk is full");
   * await task.closed;
   * ```
   *
   * @example
   * ```ts
   * cancelButton.onclick = task.cancel;
   * ```
   */
  cancel(reason?: string | object): Promise<void>;

  /**
   * Keeps a queued task from running until `resume` is called. When it resolves, the plugin holds the task; `snapshot` and `onQueue`
   * learn of it with the next message. Does nothing if it is paused already. A running task can't be
   * paused: rejects with a {@link TaskError} of kind `notPausable` if the task is not waiting, of kind `alreadyEnded` if it has
   * ended, and of kind `shuttingDown` if the app is about to exit.
   *
   * @example
   * ```ts
   * await task.pause();
   * await task.resume();
   * ```
   */
  pause(): Promise<void>;

  /**
   * Lets a paused task, or one that was started as held, run when its turn comes. Does nothing to another waiting task. Rejects
   * with a {@link TaskError} of kind `notPausable` if the task is not waiting, and of kind `alreadyEnded` if it has ended.
   *
   * @example
   * ```ts
   * await task.resume();
   * ```
   */
  resume(): Promise<void>;

  /**
   * Changes the priority, a whole number, of a waiting task. A higher one runs earlier; of equal ones, the older task. Rejects with
   * a {@link TaskError} of kind `notQueued` if the task is not waiting.
   *
   * @example
   * ```ts
   * await task.setPriority(10);
   * ```
   */
  setPriority(priority: number): Promise<void>;

  /**
   * Starts the task again, after it failed, timed out or was cancelled, as a new task with an id of its own. The new task has the
   * same input and options, but is not held. This handle stays with the old task. The signal in the options cancels the new task,
   * as that of `start` does. An event, which a callback is given, counts as no options.
   *
   * Rejects with a {@link TaskError} of kind `notEnded` if the task has not ended, or of kind `notRerunnable` if it completed or a
   * page can't start such a task; with {@link TaskNotFoundError} if the plugin no longer has it; or as `start` does
   * ({@link TaskQueueFullError}, {@link TaskQuotaError}, {@link TaskKeyTakenError}, {@link TaskPermissionError}, …).
   *
   * @example
   * ```ts
   * rerunButton.onclick = async () => show(await task.rerun());
   * ```
   */
  rerun(options?: RerunOptions | CallbackEvent): Promise<TaskHandle<T>>;

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

  /**
   * Lets go of this handle, for example because a component is taken off the page. The task goes on. Detaching twice, or after
   * the end of the task, is harmless.
   * - The callbacks of this handle end, and so do its readings of items, as `return()` ends them.
   * - The signal given to `start`, `rerun` or `attach` no longer has an effect.
   * - If the task has not ended, `result` and `outcome` reject with a {@link TaskError} of kind `detached`. A promise that nobody
   *   waits for causes no unhandled rejection.
   * - If no other handle of the task is left, the page stops following it: `status` and `snapshot` no longer change.
   *
   * `cancel`, `pause`, `resume`, `setPriority`, `rerun` and `remove` still work. `attach` returns a new handle.
   *
   * @example
   * ```ts
   * useEffect(() => {
   *   const off = new AbortController();
   *   tasks.attach("download", id, { signal: off.signal }).then((task) => task.onProgress(setProgress), () => {});
   *   return () => off.abort(); // detaches, even if the answer has not come yet
   * }, [id]);
   * ```
   */
  detach(): void;

  /** Returns what `JSON.stringify` writes of a handle: enough to find the task again. */
  toJSON(): { id: string; task: string; status: TaskStatus };
}

/** The type of the handles from `attachAll`: by kind if the query names kinds. */
export type HandleFor<M extends TaskMap, K extends TaskName<M>> = [K] extends [never]
  ? TaskHandle
  : { [N in K]: TaskHandle<M[N]> }[K];
