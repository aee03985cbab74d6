import type { ScheduleSnapshot, TaskSnapshot } from "../ipc/bindings.js";

/**
 * The schedules of the app, which are defined in Rust: each runs a task at an interval or by a cron expression. Every method needs
 * a permission that `tasks:default` doesn't include; without it, the method rejects with {@link TaskPermissionError}. For a
 * schedule that doesn't exist, or that this page may not use, it rejects with a {@link TaskError} of kind `unknownSchedule`.
 */
export interface SchedulesClient {
  /**
   * Returns the schedules that this page may see, as they are now, sorted by name. `every`, the interval, is in milliseconds;
   * `nextRunAt`, `lastRun.startedAt` and `lastRun.endedAt` are milliseconds since 1970, as in `Date.now()`. `nextRunAt` is `null`
   * while no next run is planned, for example because the schedule is paused.
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
   * Starts a run now, outside the timetable and even if the schedule is paused, and returns the state of the run. If a run is going
   * on already and runs of this schedule may not overlap, nothing is started and the state is that of the current run, no
   * matter who started it. The run is a task of the app. This page may follow it with `attach` and read its outcome, as one that it has
   * joined; for anything else it needs a permission for the app's tasks, such as `tasks:control-all`.
   *
   * Rejects as `start` does if the run is refused, for example with {@link TaskQueueFullError} or {@link TaskQuotaError}. If it rejects because it was not
   * answered in time, the run may begin all the same, and goes on: another `trigger` of the schedule within five minutes returns that run.
   *
   * @example
   * ```ts
   * const { id } = await tasks.trigger("sync");
   * const sync = await tasks.attach("sync-library", id); // the name of the task that the schedule runs
   * ```
   */
  trigger(name: string): Promise<TaskSnapshot>;

  /**
   * Pauses a schedule: it starts no more runs until `resumeSchedule` is called. Current runs continue. Pausing a paused schedule does
   * nothing.
   *
   * @example
   * ```ts
   * await tasks.pauseSchedule("sync");
   * ```
   */
  pauseSchedule(name: string): Promise<void>;

  /**
   * Resumes a paused schedule. The next run is one full interval from now, or at the next time of the cron expression. Runs that
   * were missed during the pause are not made up for.
   *
   * @example
   * ```ts
   * await tasks.resumeSchedule("sync");
   * ```
   */
  resumeSchedule(name: string): Promise<void>;
}
