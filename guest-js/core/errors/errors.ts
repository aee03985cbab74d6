import type { CancelReason, ErrorKind, TimeLimit } from "../ipc/bindings.js";

/**
 * What went wrong, as a word to compare with.
 *
 * The plugin's own kinds, those of the ways a task can end (`failed`, `panic`, `unserializable`, `cancelled`,
 * `timedOut`), `permission` for a refusal by Tauri's access list and `ipc` for a call that never reached the plugin.
 * Open, because a newer plugin may know more kinds than this package: always keep a default branch.
 */
export type TaskErrorKind =
  | ErrorKind
  | "failed"
  | "panic"
  | "unserializable"
  | "cancelled"
  | "timedOut"
  | "permission"
  | "ipc"
  | (string & {});

/**
 * Base of everything this package rejects with, except the `reason` of an `AbortSignal`, which is passed on as it is.
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
  /** What the plugin sent along, `null` if nothing. */
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

class FailedError<E> extends TaskError {
  override readonly name = "TaskFailedError";
  declare readonly kind: "failed";
  readonly error: E;

  constructor(message: string, error: E) {
    super("failed", message, error);
    this.error = error;
  }
}

/**
 * The task's handler returned an error; `error` is that value.
 *
 * TypeScript can't type a rejection, so after `catch` and `instanceof` `error` is `unknown`; in `await task.outcome` it
 * has the handler's exact type.
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
 * The task ended by a mistake in its Rust code rather than by an error it meant to return: its handler panicked
 * (`kind: "panic"`), or returned something that can't be written as JSON (`kind: "unserializable"`).
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
  declare readonly kind: "panic" | "unserializable";

  constructor(message: string, kind: "panic" | "unserializable" = "panic") {
    super(kind, message);
  }
}

/**
 * The task was cancelled. `reason` says by what: `user` (a call of `cancel`), `signal` (an `AbortSignal`),
 * `ownerClosed`, `shutdown`, `parent`, `replaced` or `unread` (nobody read its items).
 *
 * Whoever passed the `AbortSignal` sees the signal's own reason in `task.result` instead; all others see this.
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

/**
 * The task reached a time limit, one of its kind's policy in Rust or one of its {@link StartOptions}. `limit` says which:
 * `timeout` (the whole task from its first attempt on), `attemptTimeout` (one attempt), `stalled` (no progress was
 * reported for too long) or `deadline` (everything since the start, with the waiting).
 *
 * @example
 * ```ts
 * if (error instanceof TaskTimedOutError && error.limit === "stalled") offerRetry();
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

/**
 * The page may not do this. `kind: "permission"`: Tauri refused the command; `kind: "notAllowed"`: the command is
 * allowed, but no scope entry covers the task. The message says what to add to which file.
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

/**
 * The input doesn't fit what the handler takes. `path` names the field, such as `url` or `files[2].name`; it is empty
 * if the input as a whole doesn't fit.
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

  constructor(message: string, path: string, data: unknown = null) {
    super("invalidInput", message, data);
    this.path = path;
  }
}

/**
 * There is no task with this id, or none that this page may see: the plugin doesn't tell the two apart.
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

/**
 * The task is over and its outcome is no longer kept: it was removed, or made room for newer ones.
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

/**
 * Nothing was started, because too many tasks wait already; `limit` is how many may. Start again when some have run.
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

/**
 * Nothing was started, because a live task of the kind has the key already. `id` is that of the live task, `null` if
 * this page may not see it: then it can't be joined or replaced either, whatever `onConflict` says.
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

/** Makes a {@link TaskError} of whatever a command rejected with. `task`: the kind of task it was about, for hints. */
export function toTaskError(rejection: unknown, task?: string): TaskError {
  if (rejection instanceof TaskError) return rejection;
  if (isWireError(rejection)) return fromWire(rejection.kind, rejection.message, rejection.data);
  if (typeof rejection === "string") return fromTauri(rejection, task);
  const text = rejection instanceof Error ? rejection.message : String(rejection);
  const hint = insideTauri() ? "" : " This page doesn't run in a Tauri window.";
  return new TaskError("ipc", `The call didn't reach the tasks plugin: ${text}.${hint}`, null, {
    cause: rejection,
  });
}

/** For the `catch` of a command. */
export function rethrow(rejection: unknown): never {
  throw toTaskError(rejection);
}

function isWireError(
  value: unknown,
): value is { readonly kind: string; readonly message: string; readonly data?: unknown } {
  return (
    typeof value === "object" &&
    value !== null &&
    "kind" in value &&
    typeof value.kind === "string" &&
    "message" in value &&
    typeof value.message === "string"
  );
}

function fromWire(kind: string, message: string, data: unknown = null): TaskError {
  switch (kind) {
    case "notAllowed":
      return new TaskPermissionError(kind, message, data);
    case "invalidInput":
      return new TaskInputError(message, textOf(data, "path") ?? "", data);
    case "queueFull":
      return new TaskQueueFullError(message, Number(fieldOf(data, "limit")), data);
    case "keyTaken":
      return new TaskKeyTakenError(message, textOf(data, "id"), data);
    case "notFound":
      return new TaskNotFoundError(message, data);
    case "outcomeExpired":
      return new OutcomeExpiredError(message, data);
    default:
      return new TaskError(kind, message, data);
  }
}

function fieldOf(data: unknown, name: string): unknown {
  return typeof data === "object" && data !== null ? Reflect.get(data, name) : undefined;
}

function textOf(data: unknown, name: string): string | null {
  const text = fieldOf(data, name);
  return typeof text === "string" ? text : null;
}

const CAPABILITIES = "src-tauri/capabilities/*.json";
const SAME_VERSION =
  'Update the crate "tauri-plugin-tasks" and the npm package "tauri-plugin-tasks-api" together.';

/**
 * Tauri rejects with plain strings. In debug builds its access list explains itself in five wordings
 * (`RuntimeAuthority::resolve_access_message`), in release builds it says `Command plugin:tasks|start not allowed by ACL`.
 */
function fromTauri(text: string, task?: string): TaskError {
  if (/\bplugin (tasks )?not found/i.test(text)) {
    return ipc(
      text,
      'Add the crate "tauri-plugin-tasks" to src-tauri/Cargo.toml and register the plugin with ' +
        "tauri::Builder::plugin(…) before the window opens.",
    );
  }
  if (/\bCommand (\S+ )?not found/.test(text) || text.startsWith("invalid args ")) {
    return ipc(text, SAME_VERSION);
  }
  if (text.includes("explicitly denied")) {
    return refused(
      text,
      `Take the "deny" permission out of the capability it names (${CAPABILITIES}).`,
    );
  }
  if (text.includes("not allowed on window")) {
    return refused(
      text,
      `Add this window to "windows" (or this webview to "webviews") in one of ${CAPABILITIES}.`,
    );
  }
  if (text.includes("not allowed on origin")) {
    return refused(
      text,
      `Allow this origin with "remote": { "urls": […] } in one of ${CAPABILITIES}.`,
    );
  }
  if (text.includes("deserializing scope")) {
    return refused(
      text,
      `Correct the scope entry of a "tasks:…" permission in one of ${CAPABILITIES}.`,
    );
  }
  if (text.includes("not allowed")) {
    return refused(
      text,
      `Add ${permissionsFor(text, task)} to "permissions" in the one of ${CAPABILITIES} that lists this window.`,
    );
  }
  return ipc(text, "");
}

/** What a command needs. `tasks:allow-start` covers all that starts something. */
function permissionsFor(text: string, task = "…"): string {
  if (/tasks[.|](start|retry|batch)\b/.test(text)) {
    return `"tasks:default" and { "identifier": "tasks:allow-start", "allow": [{ "task": "${task}" }] }`;
  }
  if (/tasks[.|]set_limit\b/.test(text)) {
    return `"tasks:default" and { "identifier": "tasks:allow-set-limit", "allow": [{ "task": "…", "owner": "any" }] }`;
  }
  if (/tasks[.|]counts\b/.test(text)) {
    return '"tasks:default" and { "identifier": "tasks:allow-counts", "allow": [{ "task": "*", "owner": "any" }] }';
  }
  if (/tasks[.|]trigger\b/.test(text)) {
    return '{ "identifier": "tasks:allow-trigger", "allow": [{ "task": "…" }] }, with the name of the task that the schedule runs,';
  }
  if (/tasks[.|](pause|resume)_schedule\b/.test(text)) {
    return '"tasks:control-all"';
  }
  return /tasks[.|]schedules\b/.test(text) ? '"tasks:observe-all"' : '"tasks:default"';
}

function refused(text: string, hint: string): TaskPermissionError {
  return new TaskPermissionError("permission", `${text}\n\n${hint}`, null, { cause: text });
}

function ipc(text: string, hint: string): TaskError {
  return new TaskError("ipc", hint ? `${text}\n\n${hint}` : text, null, { cause: text });
}

function insideTauri(): boolean {
  return "__TAURI_INTERNALS__" in globalThis;
}
