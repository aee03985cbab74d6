/**
 * Typed client for `tauri-plugin-tasks`: long-running work in Rust, with progress, results and cancellation.
 *
 * @module
 */

export { createTasks } from "./client/client.js";
export type { TaskErrorKind, TaskQuota } from "./errors/task-error.js";
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
  TaskQuotaError,
  TaskReaderGoneError,
  TaskTimedOutError,
} from "./errors/task-error.js";
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
export type { BatchHandle } from "./types/batch-handle.js";
export type { BytesMethod, JsonItem, TaskItems } from "./types/items.js";
export type { TaskMap, TaskName, TaskTypes } from "./types/kind.js";
export type {
  AttachOptions,
  BatchOptions,
  CallbackEvent,
  FollowOptions,
  ListOptions,
  PaceOptions,
  RerunOptions,
  StartOptions,
  WatchOptions,
} from "./types/options.js";
export type { TaskOutcome } from "./types/outcome.js";
export type { CancelQuery, TaskQuery, WithoutUndefined } from "./types/query.js";
export type { SchedulesClient } from "./types/schedules-client.js";
export type { SnapshotFor, TaskPage, TaskProgress, TaskSnapshotOf } from "./types/snapshot.js";
export type { StreamIterationOptions, TaskStream } from "./types/stream.js";
export type { HandleFor, TaskHandle } from "./types/task-handle.js";
export type { StartArguments, TasksClient } from "./types/tasks-client.js";
