import type {
  TaskCancelledError,
  TaskFailedError,
  TaskPanicError,
  TaskTimedOutError,
} from "../errors/task-error.js";

/**
 * How a task ended. A minor version may add to `status`: keep a default branch. Every outcome but `completed` has an `error`, which is a
 * {@link TaskError}.
 *
 * @example
 * ```ts
 * switch (outcome.status) {
 *   case "completed":
 *     return show(outcome.output);
 *   case "cancelled":
 *     return;
 *   default:
 *     return explain(outcome.error.message);
 * }
 * ```
 */
export type TaskOutcome<O = unknown, E = unknown> =
  | { readonly status: "completed"; readonly output: O }
  | { readonly status: "failed"; readonly error: TaskFailedError<E> | TaskPanicError }
  | { readonly status: "cancelled"; readonly error: TaskCancelledError }
  | { readonly status: "timedOut"; readonly error: TaskTimedOutError };
