import type { ScheduleSnapshot, TaskSnapshot } from "../ipc/bindings.js";

/**
 * What a page may do with the schedules of the app: work that is run at an interval or by a cron expression, as the app says
 * in Rust. All of it needs permissions that `tasks:default` doesn't have, and rejects with {@link TaskPermissionError} without.
 * A schedule that this page may not deal with is like one that isn't there: a {@link TaskError} of kind `unknownSchedule`.
 */
export interface SchedulesClient {
  /**
   * The schedules that this page may see, by name, as they are now. `every` (the interval) is in milliseconds, and
   * `nextRunAt`, `lastRun.startedAt` and `lastRun.endedAt` are milliseconds since 1970 (`Date.now()`). `nextRunAt` is `null`
   * while that is open: in a pause, for example.
   *
   * @example
   * ```ts
   * for (const { name, nextRunAt, lastRun } of await tasks.schedules()) {
   *   row(name, nextRunAt && new Date(nextRunAt), lastRun?.status);
   * }
   * ```
   */
  schedules(): Promise<ScheduleSnapshot[]>;

  /**
   * A run now, beside the timetable, also in a pause; resolves with how it stands. If a run of the schedule goes on already and its
   * runs may not overlap, nothing is started, and it is that one, shown whoever has started it. The run is a task of the app: to follow it with `attach`
   * takes a permission to see the app's tasks, as `tasks:observe-all` is.
   *
   * Rejects as `start` does if the run is refused, with {@link TaskQueueFullError} for example.
   *
   * @example
   * ```ts
   * const { id } = await tasks.trigger("sync");
   * const sync = await tasks.attach("sync-library", id); // the name of the task that the schedule runs
   * ```
   */
  trigger(name: string): Promise<TaskSnapshot>;

  /**
   * Starts no more runs of a schedule until `resumeSchedule`; those that go on do. To pause it again changes nothing.
   *
   * @example
   * ```ts
   * await tasks.pauseSchedule("sync");
   * ```
   */
  pauseSchedule(name: string): Promise<void>;

  /**
   * Goes on after `pauseSchedule`: the next run is a whole interval from now, or when the cron expression says next. What would
   * have been due in the pause is not made up for.
   *
   * @example
   * ```ts
   * await tasks.resumeSchedule("sync");
   * ```
   */
  resumeSchedule(name: string): Promise<void>;
}
