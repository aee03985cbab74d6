/**
 * Typed client for `tauri-plugin-tasks`: long-running work in Rust, with progress, results and cancellation.
 *
 * @module
 */

export { createTasks } from "./client/client.js";
export type { SchedulesClient } from "./client/schedules.js";
export type { TaskErrorKind } from "./errors/errors.js";
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
} from "./errors/errors.js";
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
} from "./ipc/bindings.js";
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
} from "./types/types.js";
