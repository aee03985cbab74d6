/** Runs the tasks of the plugin as their scripts say. */
import type { Progress, TimeLimit } from "../../core/ipc/bindings.js";
import type { LifeHooks } from "../plugin/life.js";
import type { Plugin } from "../plugin/plugin.js";
import { fractionOf } from "../plugin/progress.js";
import { ENDED } from "../plugin/queue.js";
import type { KeptTask } from "../plugin/table.js";
import { admitted } from "./admission.js";
import { type Attempt, beginAttempt, type Result } from "./attempt.js";
import { memberOf, sumOf } from "./batch-sum.js";
import { emitItem } from "./emission.js";
import type { MockFailure } from "./failure.js";
import { outcomeOf, timedOut } from "./outcome.js";
import type { ProgressReport, Script } from "./script.js";
import type { Timers } from "./timers.js";

/** How many ended tasks are kept. */
const KEPT = 1_000;

export interface Runner {
  readonly hooks: LifeHooks;
  /** Returns the attempt of a task that runs, and begins it if its turn has come. Throws if it has not. */
  attempt(id: string): Attempt;
  /** Ends the attempt of a task, which is tried again after `delayMs` milliseconds. */
  retry(id: string, failure: MockFailure, delayMs: number): void;
  progress(id: string, report: ProgressReport): void;
  /** Gives up all attempts. */
  stop(): void;
}

/** Creates what runs the tasks. `plugin` and `added`, which gets each new task, are called later. */
export function createRunner(
  plugin: () => Plugin,
  scripts: ReadonlyMap<string, Script>,
  timers: Timers,
  added: (task: KeptTask) => void,
): Runner {
  const attempts = new Map<string, Attempt>();
  const known = new Set<string>();
  /** The time at which each task that is delayed may go on. */
  const delayed = new Map<string, () => void>();

  const snapshotOf = (id: string) => taskOf(id).snapshot;

  function taskOf(id: string): KeptTask {
    const task = plugin().tasks.get(id);
    if (!task) throw new Error(`There is no task ${id} in this mock.`);
    return task;
  }

  /** Gives the tasks their turn that have room, and sets the clocks of those that are new or wait for a time. */
  function admit(): string[] {
    const all = [...plugin().tasks.values()];
    for (const task of all) {
      const { id, nextAttemptAt, endedAt } = task.snapshot;
      if (!known.has(id)) add(task);
      if (nextAttemptAt !== null && endedAt === null && !delayed.has(id)) delay(id, nextAttemptAt);
    }
    const next = admitted(all, plugin().limit);
    for (const task of next) {
      task.hasTurn = true;
      task.snapshot = { ...task.snapshot, queue: null };
      timers.soon(turn);
    }
    return next.map(({ snapshot }) => snapshot.id);
  }

  function add(task: KeptTask): void {
    const { id } = task.snapshot;
    known.add(id);
    added(task);
    const { deadlineMs } = task.options;
    if (deadlineMs) timers.after(deadlineMs, () => reach(id, "deadline", deadlineMs));
  }

  function delay(id: string, at: number): void {
    const cancel = timers.after(Math.max(0, at - Date.now()), () => {
      delayed.delete(id);
      const task = plugin().tasks.get(id);
      if (task?.snapshot.status === "queued") plugin().due(id);
      if (task?.snapshot.status === "retrying") {
        plugin().status(id, "queued", { error: task.snapshot.error });
      }
    });
    delayed.set(id, cancel);
  }

  /** Begins all tasks whose turn has come, tells those to stop that are to, and forgets the oldest of those that have ended. */
  function turn(): void {
    for (const { hasTurn, snapshot } of [...plugin().tasks.values()]) {
      if (hasTurn) begin(snapshot.id);
    }
    for (const [id, attempt] of [...attempts]) {
      const { status, cancelReason, timeLimit } = snapshotOf(id);
      if (status === "cancelling") attempt.stop(String(cancelReason ?? timeLimit));
    }
    forget();
  }

  function forget(): void {
    const ended = [...plugin().tasks.values()].filter(({ snapshot }) => snapshot.endedAt !== null);
    for (const { snapshot } of ended.slice(0, Math.max(0, ended.length - KEPT))) {
      known.delete(snapshot.id);
      plugin().evict(snapshot.id);
    }
  }

  function begin(id: string): void {
    const task = taskOf(id);
    const { startedAt } = task.snapshot;
    const attempt = task.snapshot.attempt + 1;
    plugin().status(id, "running", { attempt });
    const { timeoutMs } = task.options;
    if (timeoutMs && startedAt === null) {
      timers.after(timeoutMs, () => reach(id, "timeout", timeoutMs));
    }
    const { task: name } = task.snapshot;
    const nextTurn = () => new Promise<void>((resolve) => timers.soon(resolve));
    let ended: Result | undefined;
    const begun = beginAttempt({
      id,
      name,
      attempt,
      input: JSON.parse(task.input),
      script: scripts.get(name) ?? "manual",
      timers,
      effects: {
        progress: (report) => progress(id, report),
        emit: (item) => emitItem(task, attempt, item, nextTurn),
        over: (result) => {
          ended = result;
          if (attempts.delete(id)) over(id, result);
        },
      },
    });
    // A script without a function is over at once.
    if (ended) over(id, ended);
    else attempts.set(id, begun);
  }

  function over(id: string, result: Result): void {
    const { snapshot, options } = taskOf(id);
    if (snapshot.endedAt !== null) return;
    if (snapshot.parent) sumUp(snapshot.parent, id);
    const { timeLimit } = snapshot;
    const limitMs = timeLimit === "deadline" ? options.deadlineMs : options.timeoutMs;
    plugin().end(id, outcomeOf(result, snapshot, limitMs ?? 0));
    timers.soon(turn);
  }

  /** Stops a task that has reached a time limit. */
  function reach(id: string, timeLimit: TimeLimit, ms: number): void {
    const task = plugin().tasks.get(id);
    const status = task?.snapshot.status;
    if (!task || !status || ENDED.includes(status) || status === "cancelling") return;
    if (status === "running") {
      plugin().status(id, "cancelling", { timeLimit });
      timers.soon(turn);
    } else {
      plugin().end(id, timedOut(task.snapshot.task, timeLimit, ms));
    }
  }

  function progress(id: string, report: ProgressReport): void {
    const given = Object.entries(report).filter(([, value]) => value !== undefined);
    if (given.length === 0) return;
    const own = JSON.parse(JSON.stringify(Object.fromEntries(given))) as Partial<Progress>;
    const { parent, progress: before } = snapshotOf(id);
    plugin().progress(id, { ...own, fraction: fractionOf({ ...before, ...own }) });
    if (parent) sumUp(parent);
  }

  /** Reports the progress of a batch, in which the member `ending` is about to end. */
  function sumUp(batch: string, ending?: string): void {
    if (snapshotOf(batch).endedAt !== null) return;
    const members = plugin().members(batch).map(snapshotOf);
    const sum = sumOf(
      members.map((one) =>
        one.id === ending ? { ...memberOf(one), hasEnded: true } : memberOf(one),
      ),
    );
    plugin().progress(batch, sum);
  }

  return {
    hooks: {
      admit,
      stop({ snapshot: { status } }) {
        timers.soon(turn);
        return status === "running";
      },
    },
    attempt(id) {
      const { snapshot, hasTurn } = taskOf(id);
      if (hasTurn) begin(id);
      const attempt = attempts.get(id);
      if (attempt) return attempt;
      throw new Error(
        snapshot.endedAt === null
          ? `Task ${id} is ${snapshot.status} and doesn't run: ${WAITS[snapshot.status] ?? "wait until it does"}.`
          : `Task ${id} has ended: it is ${snapshot.status}.`,
      );
    },
    retry(id, { message, error: _ }, delayMs) {
      const attempt = this.attempt(id);
      attempts.delete(id);
      attempt.abandon();
      const error = { kind: "error", message } as const;
      plugin().status(id, "retrying", { error, nextAttemptAt: Date.now() + delayMs });
    },
    progress,
    stop() {
      for (const attempt of attempts.values()) attempt.abandon();
      attempts.clear();
    },
  };
}

/** What lets a task run that doesn't. */
const WAITS: Readonly<Record<string, string>> = {
  queued: "resume it if it is paused, and make room for it if a limit or its key keeps it",
  retrying: "let the time until its next attempt pass",
};
