import type { Progress, TaskSnapshot, TaskStatus } from "./bindings.js";
import type {
  TaskCancelledError,
  TaskFailedError,
  TaskPanicError,
  TaskTimedOutError,
} from "./errors.js";

/** The types of one kind of task, as its Rust handler has them. */
export type TaskTypes = {
  /** What `start` takes; `null` for a kind without input. */
  input: unknown;
  /** What the handler reports beside the numbers of its progress. */
  detail: unknown;
  /** What the handler emits one by one; `never` if it emits nothing. */
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

/** Which tasks: of these kinds, in these statuses. What is left out means all; an empty list matches none. */
export interface TaskQuery<K extends string = string> {
  readonly task?: K | readonly K[] | undefined;
  readonly status?: TaskStatus | readonly TaskStatus[] | undefined;
}

/** How a task ended. */
export type TaskOutcome<O = unknown, E = unknown> =
  | { readonly status: "completed"; readonly output: O }
  | { readonly status: "failed"; readonly error: TaskFailedError<E> | TaskPanicError }
  | { readonly status: "cancelled"; readonly error: TaskCancelledError }
  | { readonly status: "timedOut"; readonly error: TaskTimedOutError };

/** Options of {@link TasksClient.start}. */
export interface StartOptions {
  /**
   * Cancels the task. Aborted before: nothing is started, and `start` rejects with `signal.reason`. Aborted later:
   * `start` or `task.result` rejects with `signal.reason` at once, and the task is told to stop.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link TasksClient.watch}. */
export interface WatchOptions {
  /** Stops watching. Aborted before the list is there: `watch` rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

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

/** What {@link createTasks} returns. `M` holds the app's kinds of task. */
export interface TasksClient<M extends TaskMap> {
  /**
   * Starts a task and resolves as soon as the plugin has accepted it.
   *
   * Rejects with `signal.reason` if the signal is aborted first (a task that was already on its way is cancelled), with
   * {@link TaskInputError} if the input doesn't fit, with {@link TaskPermissionError} if this window may not start this
   * kind, or with another {@link TaskError} (`unknownTask`, `ipc`, …). After a rejection
   * no handle or listener is left behind.
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
   * Rejects with {@link TaskNotFoundError} if there is none with this id, none that this page may see, or one of
   * another kind.
   *
   * @example
   * ```ts
   * const task = await tasks.attach("download", localStorage.download);
   * ```
   */
  attach<K extends TaskName<M>>(name: K, id: string): Promise<TaskHandle<M[K]>>;

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
}
