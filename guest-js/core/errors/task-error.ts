import type { CancelReason, ErrorKind, TimeLimit } from "../ipc/bindings.js";
import { shareInstances } from "./instance.js";

/**
 * What went wrong, as a word to compare with.
 *
 * It is one of the plugin's own kinds, or how a task ended (`failed`, `panic`, `unserializable`, `runtimeEnded`, `cancelled`,
 * `timedOut`), or `permission` if Tauri's access control list (ACL) refused the command, or `ipc` if the call never reached the plugin or was
 * not answered for 30 seconds in which the page ran, or `detached` if the handle was let go of while somebody waited.
 * A newer plugin may have kinds that this package doesn't know: always keep a default branch.
 */
export type TaskErrorKind =
  | ErrorKind
  | "failed"
  | "panic"
  | "unserializable"
  | "runtimeEnded"
  | "cancelled"
  | "timedOut"
  | "permission"
  | "ipc"
  | "detached"
  | (string & {});

/**
 * The base class of all errors that this package rejects with. Only the `reason` of an `AbortSignal` is passed on unchanged.
 *
 * Branch on `kind`. `instanceof` with this class or a subclass gives typed access to further fields. It also works for an error of
 * another copy of this package in the page: a page may load the ES module, the CommonJS module and `window.__TAURI__.tasks`, or two
 * patch versions. A class that extends one of these has instances of its own only, as usual.
 *
 * @example
 * ```ts
 * try {
 *   await task.cancel();
 * } catch (error) {
 *   if (!(error instanceof TaskError && error.kind === "alreadyEnded")) throw error;
 * }
 * ```
 */
export class TaskError extends Error {
  override readonly name: string = "TaskError";
  /** What went wrong. */
  readonly kind: TaskErrorKind;
  /** Further data from the plugin; `null` if there is none. */
  readonly data: unknown;

  constructor(
    kind: TaskErrorKind,
    message: string,
    data: unknown = null,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.kind = kind;
    this.data = data;
  }
}
shareInstances(TaskError, "TaskError");

class FailedError<E> extends TaskError {
  override readonly name = "TaskFailedError";
  declare readonly kind: "failed";
  readonly error: E;

  constructor(message: string, error: E) {
    super("failed", message, error);
    this.error = error;
  }
}
shareInstances(FailedError, "TaskFailedError");

/**
 * The task's handler returned an error, which is in `error`.
 *
 * TypeScript can't type rejections: after `catch` and `instanceof`, `error` is `unknown`. In `await task.outcome`, it has
 * the type of the handler's error.
 *
 * @example
 * ```ts
 * const outcome = await task.outcome;
 * if (outcome.status === "failed" && outcome.error instanceof TaskFailedError) {
 *   console.log(outcome.error.error); // typed as the handler's error
 * }
 * ```
 */
export type TaskFailedError<E = unknown> = FailedError<E>;
// Not `export class`: `instanceof` would then narrow to `TaskFailedError<any>`.
export const TaskFailedError: {
  new <E>(message: string, error: E): TaskFailedError<E>;
  readonly prototype: TaskFailedError<unknown>;
} = FailedError;

/**
 * The task ended because of a bug in its Rust code: its handler panicked (`kind: "panic"`), or it returned or emitted
 * something that can't be serialized as JSON, or emitted an item larger than its whole buffer (`kind: "unserializable"`), or
 * the runtime that handlers run on has ended before the task, as at the exit of the app (`kind: "runtimeEnded"`).
 *
 * @example
 * ```ts
 * task.result.catch((error) => {
 *   if (error instanceof TaskPanicError) reportBug(error.message);
 * });
 * ```
 */
export class TaskPanicError extends TaskError {
  override readonly name = "TaskPanicError";
  declare readonly kind: "panic" | "unserializable" | "runtimeEnded";

  constructor(message: string, kind: "panic" | "unserializable" | "runtimeEnded" = "panic") {
    super(kind, message);
  }
}
shareInstances(TaskPanicError, "TaskPanicError");

/**
 * The task was cancelled. `reason` says why: `user` (a call of `cancel`), `signal` (an `AbortSignal`), `ownerClosed`,
 * `shutdown`, `parent`, `replaced`, `unread` (nobody read its items), or the words that were given to `cancel`. A newer plugin may
 * have further reasons: always keep a default branch.
 *
 * For the caller who passed the `AbortSignal`, `task.result` rejects with the signal's own reason instead.
 *
 * @example
 * ```ts
 * if (error instanceof TaskCancelledError && error.reason === "user") return;
 * ```
 */
export class TaskCancelledError extends TaskError {
  override readonly name = "TaskCancelledError";
  declare readonly kind: "cancelled";
  readonly reason: CancelReason;

  constructor(message: string, reason: CancelReason) {
    super("cancelled", message);
    this.reason = reason;
  }
}
shareInstances(TaskCancelledError, "TaskCancelledError");

/**
 * The task reached a time limit that its kind's policy in Rust or its {@link StartOptions} set. `limit` says which one:
 * `timeout` (the time from the start of the first attempt), `attemptTimeout` (the time of one attempt), `stalled` (the time in which
 * it neither reported progress nor emitted anything, nor waited to) or `deadline` (the time since the task was started, including all waiting).
 *
 * @example
 * ```ts
 * if (error instanceof TaskTimedOutError && error.limit === "stalled") offerRerun();
 * ```
 */
export class TaskTimedOutError extends TaskError {
  override readonly name = "TaskTimedOutError";
  declare readonly kind: "timedOut";
  readonly limit: TimeLimit;

  constructor(message: string, limit: TimeLimit) {
    super("timedOut", message);
    this.limit = limit;
  }
}
shareInstances(TaskTimedOutError, "TaskTimedOutError");

/**
 * The page is not allowed to do this. With `kind: "permission"`, Tauri refused the command. With `kind: "notAllowed"`, Tauri
 * allowed the command, but no scope entry covers the task. The message says what to add to which file.
 *
 * @example
 * ```ts
 * if (error instanceof TaskPermissionError) console.error(error.message);
 * ```
 */
export class TaskPermissionError extends TaskError {
  override readonly name = "TaskPermissionError";
  declare readonly kind: "permission" | "notAllowed";

  constructor(
    kind: "permission" | "notAllowed",
    message: string,
    data: unknown = null,
    options?: { cause?: unknown },
  ) {
    super(kind, message, data, options);
  }
}
shareInstances(TaskPermissionError, "TaskPermissionError");

/**
 * The input doesn't have the type that the handler takes, or can't be written as JSON. `path` names the field, for example `url`
 * or `files[2].name`; it is empty if the input as a whole is wrong.
 *
 * @example
 * ```ts
 * if (error instanceof TaskInputError) form.showError(error.path, error.message);
 * ```
 */
export class TaskInputError extends TaskError {
  override readonly name = "TaskInputError";
  declare readonly kind: "invalidInput";
  readonly path: string;

  constructor(message: string, path: string, data: unknown = null, options?: { cause?: unknown }) {
    super("invalidInput", message, data, options);
    this.path = path;
  }
}
shareInstances(TaskInputError, "TaskInputError");

/**
 * There is no task with this id, or this page may not see it: the plugin doesn't tell the two apart.
 *
 * @example
 * ```ts
 * const task = await tasks.attach("download", id).catch((error) => {
 *   if (error instanceof TaskNotFoundError) return undefined;
 *   throw error;
 * });
 * ```
 */
export class TaskNotFoundError extends TaskError {
  override readonly name = "TaskNotFoundError";
  declare readonly kind: "notFound";

  constructor(message: string, data: unknown = null) {
    super("notFound", message, data);
  }
}
shareInstances(TaskNotFoundError, "TaskNotFoundError");

/**
 * The task has ended and its outcome is no longer kept: the task was removed, or was dropped to make room for newer ones.
 *
 * @example
 * ```ts
 * if (error instanceof OutcomeExpiredError) await startAgain();
 * ```
 */
export class OutcomeExpiredError extends TaskError {
  override readonly name = "OutcomeExpiredError";
  declare readonly kind: "outcomeExpired";

  constructor(message: string, data: unknown = null, options?: { cause?: unknown }) {
    super("outcomeExpired", message, data, options);
  }
}
shareInstances(OutcomeExpiredError, "OutcomeExpiredError");

/**
 * Nothing was started, because `limit` tasks are already waiting. Try again when some of them have run.
 *
 * @example
 * ```ts
 * if (error instanceof TaskQueueFullError) toast(`${error.limit} downloads wait already.`);
 * ```
 */
export class TaskQueueFullError extends TaskError {
  override readonly name = "TaskQueueFullError";
  declare readonly kind: "queueFull";
  readonly limit: number;

  constructor(message: string, limit: number, data: unknown = null) {
    super("queueFull", message, data);
    this.limit = limit;
  }
}
shareInstances(TaskQueueFullError, "TaskQueueFullError");

/**
 * The name of a quota of a window, or of a fixed bound. `liveTasks`, `startsPerSecond`, `startsAtOnce`, `bytesOnHand` and
 * `bytesPerCall` are the keys of `quotas` in `plugins.tasks` of `tauri.conf.json`. There are others, which can't be set: always
 * keep a default branch.
 */
export type TaskQuota =
  | "liveTasks"
  | "startsPerSecond"
  | "startsAtOnce"
  | "bytesOnHand"
  | "bytesPerCall"
  | (string & {});

/**
 * Nothing was done, because the window has used up the quota named `quota`, which is `limit`. The message says what to do and
 * where the limit is set. Other windows have quotas of their own, so they don't notice.
 *
 * @example
 * ```ts
 * if (error instanceof TaskQuotaError && error.quota === "liveTasks") toast(`Only ${error.limit} tasks at a time.`);
 * ```
 */
export class TaskQuotaError extends TaskError {
  override readonly name = "TaskQuotaError";
  declare readonly kind: "quotaExceeded";
  readonly quota: TaskQuota;
  readonly limit: number;

  constructor(message: string, quota: TaskQuota, limit: number, data: unknown = null) {
    super("quotaExceeded", message, data);
    this.quota = quota;
    this.limit = limit;
  }
}
shareInstances(TaskQuotaError, "TaskQuotaError");

/**
 * Nothing was started, because a live task of the kind already has the key. `id` is the id of that task, or `null` if this
 * page may not see it. A task that the page may not see can't be joined or replaced, whatever `onConflict` says.
 *
 * @example
 * ```ts
 * if (error instanceof TaskKeyTakenError && error.id) showTask(error.id);
 * ```
 */
export class TaskKeyTakenError extends TaskError {
  override readonly name = "TaskKeyTakenError";
  declare readonly kind: "keyTaken";
  readonly id: string | null;

  constructor(message: string, id: string | null, data: unknown = null) {
    super("keyTaken", message, data);
    this.id = id;
  }
}
shareInstances(TaskKeyTakenError, "TaskKeyTakenError");

/**
 * The reading has ended, because it did not ask for more for longer than its kind allows (`Task::idle_reader` in Rust). `missed` is
 * how many items, or bytes, this reading can't get any more: since then they were dropped, or read by another reading. Read on
 * with a new reading of the same handle: it begins after the last item that this one handed out, and the `missed` of its first chunk
 * counts the same items again. So add up one of the two.
 *
 * @example
 * ```ts
 * if (error instanceof TaskReaderGoneError) note(`${error.missed} lines are left out here.`);
 * ```
 */
export class TaskReaderGoneError extends TaskError {
  override readonly name = "TaskReaderGoneError";
  declare readonly kind: "readerGone";
  readonly missed: number;

  constructor(message: string, missed: number, data: unknown = null) {
    super("readerGone", message, data);
    this.missed = missed;
  }
}
shareInstances(TaskReaderGoneError, "TaskReaderGoneError");
