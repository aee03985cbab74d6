/** The part of the plugin that keeps schedules. It has no clock: the test triggers the runs. */
import type { ScheduleSnapshot, TaskSnapshot } from "../../core/ipc/bindings.js";
import { ENDED } from "./queue.js";

type Args = Record<string, unknown>;

/** What the schedules need from the rest of the plugin. */
export interface Runs {
  /** Starts a task that the app owns. */
  start(id: string, task: string, tags: string[]): void;
  /** Refuses a call that would get one share too many. */
  check(call: string): void;
  share(call: string, id: string): void;
  get(id: string): TaskSnapshot | undefined;
  refuse(name: string): unknown;
}

export function createSchedules(runs: Runs) {
  const schedules = new Map<string, ScheduleSnapshot>();
  /** The run that each trigger returned, by the id of the trigger. */
  const triggered = new Map<string, string>();

  function named(args: Args): ScheduleSnapshot {
    const schedule = schedules.get(String(args["name"]));
    if (!schedule) throw runs.refuse(String(args["name"]));
    return schedule;
  }

  function lastRun({ lastRun: last }: ScheduleSnapshot): ScheduleSnapshot["lastRun"] {
    const run = last && runs.get(last.id);
    return run ? { ...last, endedAt: run.endedAt, status: run.status, error: run.error } : last;
  }

  function isRunning(schedule: ScheduleSnapshot): boolean {
    const last = lastRun(schedule);
    return last !== null && !ENDED.includes(last.status);
  }

  return {
    add(name: string, task: string, more: Partial<ScheduleSnapshot> = {}): void {
      schedules.set(name, {
        name,
        task,
        every: 60_000,
        cron: null,
        paused: false,
        nextRunAt: Date.now() + 60_000,
        lastRun: null,
        running: 0,
        failures: 0,
        skipped: 0,
        ...more,
      });
    },

    handlers: {
      schedules: () =>
        [...schedules.values()]
          .map((one) => ({ ...one, lastRun: lastRun(one), running: isRunning(one) ? 1 : 0 }))
          .sort((a, b) => (a.name < b.name ? -1 : 1)),
      trigger(args: Args) {
        const schedule = named(args);
        const by = String(args["id"]);
        runs.check(by);
        const known = triggered.get(by) ?? (isRunning(schedule) ? schedule.lastRun?.id : undefined);
        const id = known ?? by;
        triggered.set(by, id);
        if (!known) {
          runs.start(id, schedule.task, [`schedule:${schedule.name}`]);
          const started = { id, startedAt: Date.now(), endedAt: null, error: null };
          schedules.set(schedule.name, { ...schedule, lastRun: { ...started, status: "queued" } });
        }
        runs.share(by, id);
        return runs.get(id);
      },
      pause_schedule(args: Args) {
        const schedule = named(args);
        schedules.set(schedule.name, { ...schedule, paused: true, nextRunAt: null });
        return null;
      },
      resume_schedule(args: Args) {
        const schedule = named(args);
        const nextRunAt = schedule.paused ? Date.now() + 60_000 : schedule.nextRunAt;
        schedules.set(schedule.name, { ...schedule, paused: false, nextRunAt });
        return null;
      },
    } satisfies Record<string, (args: Args) => unknown>,
  };
}
