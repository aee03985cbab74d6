/** The part of the plugin that lets tasks change: their status, their progress, and their places in the queues. */
import type {
  CancelReason,
  ErrorSummary,
  Outcome,
  Progress,
  StatusChange,
  TaskStatus,
} from "../../core/ipc/bindings.js";
import type { News } from "./news.js";
import { inlined, type Outcomes } from "./outcomes.js";
import { emptyProgress } from "./progress.js";
import { ENDED, places } from "./queue.js";
import type { KeptTask, Table } from "./table.js";

/** What else happens when tasks change. */
export interface LifeHooks {
  /** Called before the places in the queues are computed. May give tasks their turn, and returns the ids of those. */
  admit(): readonly string[];
  /**
   * Called when a task is told to stop. Returns whether it has begun, so that something of it must come to its end first: it is
   * `cancelling` then.
   */
  stop(task: KeptTask): boolean;
}

/** The lives of the tasks, step by step. */
export interface Life {
  /** Accepts that the queues have changed: sends the places that differ. */
  requeue(): void;
  status(id: string, status: TaskStatus, more?: Partial<StatusChange>): void;
  progress(id: string, more: Partial<Progress>): void;
  waitsFor(id: string, waitsFor: string[]): void;
  end(id: string, outcome: Outcome): void;
  complete(id: string, output: unknown): void;
  /** Asks a task to stop and, if it is a batch, its members, too. Returns whether the task had not ended. */
  tell(task: KeptTask, cancelReason: CancelReason): boolean;
  /** Ends a batch if all its members have ended. */
  endBatch(id: string): void;
  /** Ends a task's delay. */
  due(id: string): void;
  /** Forgets a task. */
  evict(id: string): void;
}

export function createLife(table: Table, news: News, outcomes: Outcomes, hooks: LifeHooks): Life {
  const life: Life = {
    requeue() {
      for (const id of hooks.admit()) news.join(id);
      for (const [id, queue] of places([...table.all.values()])) {
        const task = table.get(id);
        if (JSON.stringify(task.snapshot.queue) === JSON.stringify(queue)) continue;
        task.snapshot = { ...task.snapshot, queue };
        news.event(id, task.snapshot.sequence, { type: "queue", data: queue });
      }
    },

    status(id, status, more = {}) {
      const task = table.get(id);
      const before = task.snapshot;
      const at = Date.now();
      const sequence = before.sequence + 1;
      const change: StatusChange = {
        status,
        at,
        attempt: before.attempt,
        cancelReason: before.cancelReason,
        timeLimit: before.timeLimit,
        overdue: before.overdue && !ENDED.includes(status),
        nextAttemptAt: null,
        endedAt: ENDED.includes(status) ? at : null,
        outcome: null,
        error: null,
        ...more,
      };
      const { outcome: _, at: __, ...shown } = change;
      task.snapshot = {
        ...before,
        ...shown,
        sequence,
        queue: null,
        waitsFor: change.endedAt === null ? before.waitsFor : [],
        startedAt: before.startedAt ?? (status === "running" ? at : null),
      };
      news.event(id, sequence, { type: "status", data: change });
      if (before.attempt > 0 && change.attempt > before.attempt) life.progress(id, emptyProgress());
      if (status !== "queued") task.hasTurn = false;
      life.requeue();
      if (change.endedAt === null) return;
      outcomes.wake(id);
      if (before.parent) life.endBatch(before.parent);
    },

    progress(id, more) {
      const task = table.get(id);
      const progress = { ...task.snapshot.progress, ...more };
      task.snapshot = { ...task.snapshot, progress };
      news.event(id, task.snapshot.sequence, { type: "progress", data: progress });
    },

    waitsFor(id, waitsFor) {
      const task = table.get(id);
      task.snapshot = { ...task.snapshot, waitsFor };
      news.event(id, task.snapshot.sequence, { type: "waitsFor", data: waitsFor });
    },

    end(id, outcome) {
      const task = table.get(id);
      task.outcome = outcome;
      task.items.end();
      life.status(id, outcome.status, {
        outcome: inlined(outcome),
        error: summaryOf(outcome),
        timeLimit: outcome.status === "timedOut" ? outcome.data.limit : null,
      });
    },

    complete(id, output) {
      life.end(id, { status: "completed", data: { output } });
    },

    tell(task, cancelReason) {
      const { id, status } = task.snapshot;
      if (ENDED.includes(status)) return false;
      if (status === "cancelling") return true;
      if (!hooks.stop(task)) {
        task.snapshot = { ...task.snapshot, cancelReason };
        life.end(id, { status: "cancelled", data: { reason: cancelReason } });
        return true;
      }
      life.status(id, "cancelling", { cancelReason });
      for (const member of table.membersOf(id)) life.tell(member, "parent");
      return true;
    },

    endBatch(id) {
      const ended = table.membersOf(id).map((member) => member.outcome);
      if (ended.includes(null)) return;
      const { cancelReason } = table.get(id).snapshot;
      if (cancelReason) life.end(id, { status: "cancelled", data: { reason: cancelReason } });
      else life.complete(id, ended);
    },

    due(id) {
      const task = table.get(id);
      task.snapshot = { ...task.snapshot, nextAttemptAt: null };
      life.requeue();
    },

    evict(id) {
      table.forget(id);
      news.touch(id);
      life.requeue();
    },
  };
  return life;
}

function summaryOf(outcome: Outcome): ErrorSummary | null {
  if (outcome.status !== "failed") return null;
  const { kind, message } = outcome.data;
  return { kind, message };
}
