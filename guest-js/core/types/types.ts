import type { SchedulesClient } from "../client/schedules.js";
import type {
  TaskCancelledError,
  TaskFailedError,
  TaskPanicError,
  TaskTimedOutError,
} from "../errors/errors.js";
import type {
  LimitOf,
  OnConflict,
  Progress,
  QueuePlace,
  TaskCounts,
  TaskSnapshot,
  TaskStatus,
} from "../ipc/bindings.js";

/** The types of one kind of task, as its Rust handler has them. */
export type TaskTypes = {
  /** What `start` takes; `null` for a kind without input. */
  input: unknown;
  /** What the handler reports beside the numbers of its progress. */
  detail: unknown;
  /** What the handler emits one by one; `Uint8Array` if it emits bytes, `never` if it emits nothing. */
  item: unknown;
  /** What the handler returns. */
  output: unknown;
  /** What the handler returns when it fails. */
  error: unknown;
};

/**
 * All kinds of task an app registers, by name. Generated from Rust as a type alias (an `interface` doesn't fit here).
 *
 * @example
 * ```ts
 * type Tasks = {
 *   download: { input: { url: string }; detail: { file: string }; item: never; output: string; error: string };
 * };
 * const tasks = createTasks<Tasks>();
 * ```
 */
export type TaskMap = { [name: string]: TaskTypes };

/** The names in a {@link TaskMap}. */
export type TaskName<M extends TaskMap> = keyof M & string;

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

/**
 * Which tasks: of these kinds, in these statuses, with one of these tags, with one of these keys, members of these
 * batches. What is left out means all; an empty list matches none.
 */
export interface TaskQuery<K extends string = string> {
  readonly task?: K | readonly K[] | undefined;
  readonly status?: TaskStatus | readonly TaskStatus[] | undefined;
  readonly tag?: string | readonly string[] | undefined;
  readonly key?: string | readonly string[] | undefined;
  /** The id of a batch. */
  readonly parent?: string | readonly string[] | undefined;
}

/** Handles as `attachAll` gives them: typed by kind if the query names kinds. */
export type HandleFor<M extends TaskMap, K extends TaskName<M>> = [K] extends [never]
  ? TaskHandle
  : { [N in K]: TaskHandle<M[N]> }[K];

/** How a task ended. */
export type TaskOutcome<O = unknown, E = unknown> =
  | { readonly status: "completed"; readonly output: O }
  | { readonly status: "failed"; readonly error: TaskFailedError<E> | TaskPanicError }
  | { readonly status: "cancelled"; readonly error: TaskCancelledError }
  | { readonly status: "timedOut"; readonly error: TaskTimedOutError };

/**
 * Options of {@link TasksClient.start}. Times are in milliseconds. One that doesn't fit, such as a label of more than 256
 * bytes, makes `start` reject with a {@link TaskError} of kind `invalidOptions`.
 *
 * @example
 * ```ts
 * await tasks.start("sync", input, { key: "library", onConflict: "join", label: "Sync the library", tags: ["sync"] });
 * ```
 */
export interface StartOptions {
  /**
   * Cancels the task. Aborted before: nothing is started, and `start` rejects with `signal.reason`. Aborted later:
   * `start` or `task.result` rejects with `signal.reason` at once, and the task is told to stop.
   *
   * A joined task (see `onConflict`) is not cancelled by the signal, since others wait for it, too: `start` or
   * `task.result` rejects all the same, and the task goes on. Cancel it explicitly if that is meant.
   */
  readonly signal?: AbortSignal | undefined;
  /** Higher runs earlier, among equals the older one; a whole number, 0 by default. */
  readonly priority?: number | undefined;
  /** It waits until `release` is called. */
  readonly held?: boolean | undefined;
  /** What it is about, in up to 256 bytes: no two tasks of a kind with the same key run at once. See `onConflict`. */
  readonly key?: string | undefined;
  /**
   * What happens when a live task of the kind has the key already. In brackets, what `WorkManager` on Android calls it:
   * - `refuse`, the default: `start` rejects with {@link TaskKeyTakenError};
   * - `join` (`KEEP`): nothing is started, and the handle is one of the live task, with the id of that and whatever input
   *   that was started with;
   * - `replace` (`REPLACE`): the live task is cancelled with the reason `replaced`, and the new one waits until it has
   *   really ended;
   * - `append` (`APPEND_OR_REPLACE`): the new task waits until the live one has ended, however it ends.
   *
   * What this page may not see it can only `append` to: the others reject as `refuse` does.
   */
  readonly onConflict?: OnConflict | undefined;
  /** What people call it, in up to 256 bytes. */
  readonly label?: string | undefined;
  /** Words to find it by with a {@link TaskQuery}: up to 16, of up to 256 bytes each. */
  readonly tags?: readonly string[] | undefined;
  /** How long it waits before it may have its turn, in milliseconds; it is `queued` meanwhile. */
  readonly delayMs?: number | undefined;
  /** The longest it may take from its first attempt on, waits between attempts included. Its kind may allow less. */
  readonly timeoutMs?: number | undefined;
  /** The longest it may take from now on, with all waiting. Its kind may allow less. */
  readonly deadlineMs?: number | undefined;
}

/** Options of {@link TasksClient.batch}. */
export interface BatchOptions {
  /** Cancels the batch with all its members, as that of {@link StartOptions} does a task. */
  readonly signal?: AbortSignal | undefined;
  /** How many members may run at once, within the other limits; 0 lets none run. No limit of its own by default. */
  readonly concurrency?: number | undefined;
  /** That of the members: higher runs earlier; a whole number, 0 by default. */
  readonly priority?: number | undefined;
  /** What people call the batch, in up to 256 bytes. */
  readonly label?: string | undefined;
  /** Words to find the batch and its members by: up to 16, of up to 256 bytes each. */
  readonly tags?: readonly string[] | undefined;
}

/** Options of {@link TasksClient.watch}. */
export interface WatchOptions {
  /** Stops watching. Aborted before the list is there: `watch` rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link TasksClient.attach}. */
export interface AttachOptions {
  /**
   * The number of the item that `items`, `batches` and `stream` begin with (of the byte, for a kind that emits bytes); by
   * default the oldest that nobody has read. Kept together with what was made of the items, {@link TaskItems.position} makes
   * each item count exactly once across reloads.
   */
  readonly from?: number | undefined;
}

/**
 * What a task emits, in order, to be read with `for await`. The first `next()` begins the reading, which ends
 * - with the last item, if the task completes;
 * - by a rejection after the last item, with what `task.result` rejects with, if the task ends otherwise;
 * - by a rejection with a {@link TaskError}: `locked` while another reading of the same task goes on, in this window or another
 *   one; `invalidItem` for bytes where items were expected, or the other way round; `notFound` or {@link OutcomeExpiredError} if
 *   the plugin no longer has the task; `ipc` if it can't be reached;
 * - with `break` or `return()`. What was not given then stays for the next reading, as the kind's policy in Rust says.
 *
 * The task waits while its buffer is full, so that a slow loop slows it down. What is waited for when the page loses its
 * connection to the plugin comes afterwards, nothing lost and nothing doubled. Each call of `next()` gives another item, in
 * order, also without waiting for the one before.
 *
 * @example
 * ```ts
 * for await (const line of task.items()) {
 *   log.append(line);
 *   if (log.isFull) break;
 * }
 * ```
 */
export interface TaskItems<T> extends AsyncIterableIterator<T> {
  /**
   * The number of the next item, counted from the task's first one: to pass as `from` to go on right after the item that
   * was given last.
   *
   * @example
   * ```ts
   * const lines = task.items();
   * for await (const line of lines) {
   *   count(line);
   *   sessionStorage.state = JSON.stringify({ counts, id: task.id, from: lines.position });
   * }
   * ```
   */
  readonly position: number;
  /** How many items were dropped before this reading could have them: 0, unless nobody read for some time. */
  readonly missed: number;
  next(): Promise<IteratorResult<T, undefined>>;
  /** Ends the reading, as `break` does: also a `next()` that waits. Resolves when the plugin knows; never rejects. */
  return(): Promise<IteratorReturnResult<undefined>>;
  /** Ends the reading as `return()` does, and rejects with `error`. */
  throw(error?: unknown): Promise<IteratorReturnResult<undefined>>;
  [Symbol.asyncIterator](): TaskItems<T>;
}

/** What a kind emits as JSON: its items, and nothing for a kind that emits bytes. */
export type JsonItem<I> = Exclude<I, Uint8Array>;

/** `bytes` of a handle: `never`, which can't be called, for a kind that doesn't emit bytes. */
export type BytesMethod<I> = I extends Uint8Array
  ? () => TaskItems<Uint8Array>
  : // What is not `unknown`. (`unknown extends I` would make a `TaskHandle<T>` none of `TaskHandle`.)
    I extends object | string | number | bigint | boolean | symbol | null | undefined
    ? never
    : () => TaskItems<Uint8Array>;

/** The arguments of `start` after the name: the input may be left out exactly where `null` is one. */
export type StartArguments<I> = null extends I
  ? [input?: I, options?: StartOptions]
  : [input: I, options?: StartOptions];

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

/**
 * Many tasks of one kind that were started together, from the page's side. It is a task itself, which ends when all its
 * members have: its progress is the sum of theirs (`fraction` the mean), and `cancel` cancels them all.
 *
 * It waits in no queue itself, so that `onQueue` never calls back, and `hold`, `release` and `setPriority` reject with
 * `notQueued`. Its members do: `tasks.attach` gives the handle of one.
 *
 * @example
 * ```ts
 * const batch = await tasks.batch("download", [{ url: a }, { url: b }], { concurrency: 2 });
 * batch.onProgress((p) => (bar.value = p.fraction ?? 0));
 * for (const one of await batch.result) {
 *   if (one.status === "rejected") explain(one.reason);
 * }
 * ```
 */
export interface BatchHandle<T extends TaskTypes = TaskTypes>
  extends Omit<
    TaskHandle<T>,
    "result" | "outcome" | "retry" | "items" | "batches" | "bytes" | "stream"
  > {
  /**
   * What became of each member, in the order of the inputs, as `Promise.allSettled` would have it: `value` is the
   * member's output, `reason` the {@link TaskFailedError}, {@link TaskPanicError}, {@link TaskCancelledError} or
   * {@link TaskTimedOutError} that the member's own `result` rejects with. A member that fails doesn't make it reject;
   * it rejects as that of {@link TaskHandle} does, when the batch itself was cancelled for example.
   *
   * @example
   * ```ts
   * const failed = (await batch.result).filter((one) => one.status === "rejected");
   * ```
   */
  readonly result: Promise<PromiseSettledResult<T["output"]>[]>;

  /**
   * How the batch ended, with the outcomes of its members in the order of the inputs. This is where the handler's own
   * errors are typed. Rejects as that of {@link TaskHandle} does.
   *
   * @example
   * ```ts
   * const outcome = await batch.outcome;
   * if (outcome.status === "completed") outcome.output.forEach((member, i) => report(inputs[i], member));
   * ```
   */
  readonly outcome: Promise<TaskOutcome<TaskOutcome<T["output"], T["error"]>[]>>;

  /**
   * A live list of the members, in the order of the inputs, as that of {@link TasksClient.watch}: without those that the
   * plugin no longer keeps. `tasks.retry` starts one again, outside of the batch.
   *
   * @returns A function that ends the watching.
   *
   * @example
   * ```ts
   * const stop = await batch.watchMembers((members) => render(members));
   * ```
   */
  watchMembers(
    callback: (members: TaskSnapshotOf<T>[]) => void,
    options?: WatchOptions,
  ): Promise<() => void>;
}

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
