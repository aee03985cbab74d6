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
  LastRun,
  LimitOf,
  OnConflict,
  Progress,
  QueuePlace,
  ScheduleSnapshot,
  TaskCounts,
  TaskSnapshot,
  TaskStatus,
  TimeLimit,
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
  TaskKeyTakenError,
  TaskNotFoundError,
  TaskPanicError,
  TaskPermissionError,
  TaskQueueFullError,
  TaskTimedOutError,
} from "./errors.js";
export type { SchedulesClient } from "./schedules.js";
export type {
  AttachOptions,
  BatchHandle,
  BatchOptions,
  BytesMethod,
  HandleFor,
  JsonItem,
  SnapshotFor,
  StartArguments,
  StartOptions,
  TaskHandle,
  TaskItems,
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
