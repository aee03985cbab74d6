import type {
  TaskCancelledError,
  TaskFailedError,
  TaskPanicError,
  TaskTimedOutError,
} from "../errors/task-error.js";

/** How a task ended. */
export type TaskOutcome<O = unknown, E = unknown> =
  | { readonly status: "completed"; readonly output: O }
  | { readonly status: "failed"; readonly error: TaskFailedError<E> | TaskPanicError }
  | { readonly status: "cancelled"; readonly error: TaskCancelledError }
  | { readonly status: "timedOut"; readonly error: TaskTimedOutError };
