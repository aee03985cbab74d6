import {
  commands,
  type Progress,
  type StatusChange,
  type TaskEvent,
  type TaskSnapshot,
  type TaskStatus,
} from "./bindings.js";
import { OutcomeExpiredError, TaskNotFoundError } from "./errors.js";
import { callGuarded, createListeners } from "./listeners.js";
import { expired, fetchOutcome, fromWire, type WireOutcome } from "./outcome.js";
import type { Session } from "./session.js";
import { createSubscription } from "./subscription.js";
import type { TaskOutcome } from "./types.js";

/** What this page knows of one task. All handles of the task share it. */
export interface TrackedTask {
  readonly id: string;
  /** The newest state; `undefined` until the first answer. */
  readonly snapshot: TaskSnapshot | undefined;
  /** `live`: more may come. `ended`: its end was seen. `vanished`: the plugin forgot it before its end was seen. */
  readonly phase: "live" | "ended" | "vanished";
  onProgress(callback: (progress: Progress) => void): () => void;
  onStatus(callback: (status: TaskStatus, snapshot: TaskSnapshot) => void): () => void;
  /** Calls back as soon as the task is no longer live, before any user is told. */
  onOver(callback: () => void): () => void;
  /** Resolves when the task is no longer live. */
  readonly closed: Promise<void>;
  /** How it ended; nothing is fetched before the first time, and again only if that failed. */
  outcome(): Promise<TaskOutcome>;
}

/** A task, with what the side that feeds it needs. */
export interface FollowedTask {
  readonly task: TrackedTask;
  /** The first request, `start` or `watch`. Rejects with a TaskError; the task is not followed then. */
  open(request: (nonce: string) => Promise<TaskSnapshot>, name?: string): Promise<void>;
  receive(event: TaskEvent, nonce: string): void;
  /** Stops following a task that nobody holds, and tells the plugin. */
  leave(): Promise<void>;
}

const FINAL: ReadonlySet<TaskStatus> = new Set(["completed", "failed", "cancelled", "timedOut"]);

/** `forget` is called when nothing more can come, before anybody is told. */
export function followTask(session: Session, id: string, forget: () => void): FollowedTask {
  const progressed = createListeners<[Progress]>();
  const changed = createListeners<[TaskStatus, TaskSnapshot]>();
  const over = createListeners<[]>();
  const target = { type: "task", data: { id } } as const;
  let snapshot: TaskSnapshot | undefined;
  let phase: TrackedTask["phase"] = "live";
  let inlined: WireOutcome | null = null;
  let outcome: Promise<TaskOutcome> | undefined;
  let close!: () => void;
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });

  const subscription = createSubscription<TaskSnapshot, TaskEvent>(session, {
    watch: (nonce) => watchTask(nonce, id),
    restore(next) {
      const known = snapshot;
      if (known && next.sequence < known.sequence) return;
      snapshot = next;
      if (FINAL.has(next.status)) finish("ended");
      if (!known || !sameProgress(known.progress, next.progress)) tellProgress();
      if (next.sequence !== known?.sequence) tellStatus();
      if (phase !== "live") settle();
    },
    apply({ sequence, change }) {
      if (!snapshot) return;
      if (change.type === "progress" && sequence >= snapshot.sequence) {
        snapshot = { ...snapshot, progress: change.data };
        tellProgress();
      }
      if (change.type === "status" && sequence > snapshot.sequence) {
        snapshot = withStatus(snapshot, sequence, change.data);
        inlined = change.data.outcome;
        if (FINAL.has(snapshot.status)) finish("ended");
        tellStatus();
        if (phase !== "live") settle();
      }
      // A gap needs nothing: the status that follows it has the newer sequence.
    },
    vanished() {
      finish("vanished");
      settle();
    },
  });

  function tellProgress(): void {
    if (snapshot) progressed.emit(snapshot.progress);
  }

  function tellStatus(): void {
    if (snapshot) changed.emit(snapshot.status, snapshot);
  }

  /** First everything is in its final state, then callbacks are told, then `settle`. */
  function finish(how: "ended" | "vanished"): void {
    phase = how;
    subscription.close();
    forget();
    over.emit();
    over.clear();
  }

  function settle(): void {
    progressed.clear();
    changed.clear();
    close();
  }

  async function findOutcome(): Promise<TaskOutcome> {
    await closed;
    if (phase === "vanished") throw expired(id);
    const found = inlined ?? (await fetchOutcome(id));
    inlined = null;
    return fromWire(found);
  }

  return {
    task: {
      id,
      get snapshot() {
        return snapshot;
      },
      get phase() {
        return phase;
      },
      onProgress(callback) {
        const off = phase === "live" ? progressed.add(callback) : () => {};
        if (snapshot && isReported(snapshot.progress)) callGuarded(callback, snapshot.progress);
        return off;
      },
      onStatus(callback) {
        const off = phase === "live" ? changed.add(callback) : () => {};
        if (snapshot) callGuarded(callback, snapshot.status, snapshot);
        return off;
      },
      onOver: (callback) => over.add(callback),
      closed,
      outcome() {
        outcome ??= findOutcome().catch((error: unknown) => {
          // What could not be fetched now may be fetched later.
          if (!(error instanceof OutcomeExpiredError)) outcome = undefined;
          throw error;
        });
        return outcome;
      },
    },
    open: (request, name) => subscription.open(request, name),
    receive: subscription.receive,
    async leave() {
      subscription.leave();
      // Not while it is being watched anew: the plugin may run the two commands in either order.
      await subscription.settled();
      const { nonce } = subscription;
      subscription.close();
      if (nonce !== undefined) await commands.unwatch(nonce, target).catch(() => {});
      forget();
    },
  };
}

/** Asks for a task's state and for its events. Rejects with `notFound` if there is none. */
export async function watchTask(nonce: string, id: string): Promise<TaskSnapshot> {
  const [snapshot] = await commands.watch(nonce, { type: "task", data: { id } });
  if (!snapshot) throw new TaskNotFoundError(`There is no task ${id}.`);
  return snapshot;
}

function withStatus(before: TaskSnapshot, sequence: number, change: StatusChange): TaskSnapshot {
  const { status, at, attempt, cancelReason, overdue, error } = change;
  return {
    ...before,
    status,
    sequence,
    attempt,
    cancelReason,
    overdue,
    error,
    startedAt: before.startedAt ?? (status === "running" ? at : null),
    endedAt: FINAL.has(status) ? at : null,
  };
}

function sameProgress(a: Progress, b: Progress): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Whether a handler has reported anything yet. */
function isReported(progress: Progress): boolean {
  return (
    progress.completed > 0 ||
    progress.total !== null ||
    progress.fraction !== null ||
    progress.message !== null ||
    progress.detail !== null
  );
}
