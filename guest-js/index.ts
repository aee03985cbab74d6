/**
 * Typed client for `tauri-plugin-tasks`: long-running work in Rust, with progress, results and cancellation.
 *
 * @module
 */
export type {
  CancelReason,
  ErrorKind,
  ErrorSummary,
  FailureKind,
  Progress,
  TaskSnapshot,
  TaskStatus,
  Unit,
} from "./bindings.js";
export { createTasks } from "./client.js";
export type { TaskErrorKind } from "./errors.js";
export {
  OutcomeExpiredError,
  TaskCancelledError,
  TaskError,
  TaskFailedError,
  TaskInputError,
  TaskNotFoundError,
  TaskPanicError,
  TaskPermissionError,
  TaskTimedOutError,
} from "./errors.js";
export type {
  SnapshotFor,
  StartArguments,
  StartOptions,
  TaskHandle,
  TaskMap,
  TaskName,
  TaskOutcome,
  TaskProgress,
  TaskQuery,
  TaskSnapshotOf,
  TasksClient,
  TaskTypes,
  WatchOptions,
} from "./types.js";
