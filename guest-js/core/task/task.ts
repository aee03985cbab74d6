import { callGuarded, createListeners } from "../callbacks/listeners.js";
import { OutcomeExpiredError, TaskNotFoundError } from "../errors/task-error.js";
import {
  commands,
  type Outcome,
  type Progress,
  type QueuePlace,
  type Started,
  type StatusChange,
  type TaskEvent,
  type TaskSnapshot,
  type TaskStatus,
} from "../ipc/bindings.js";
import type { Session } from "../session/session.js";
import { createSubscription } from "../session/subscription.js";
import type { TaskOutcome } from "../types/outcome.js";
import { batchFromWire, expired, fetchOutcome, fromWire } from "./outcome.js";

/** What this page knows of one task. All handles of the task share it. */
export interface TrackedTask {
  /** That of the first answer: a start that joined gets another one than it sent. */
  readonly id: string;
  /** The newest state; `undefined` until the first answer. */
  readonly snapshot: TaskSnapshot | undefined;
  /** `live`: more may come. `ended`: its end was seen. `vanished`: the plugin forgot it before its end was seen. */
  readonly phase: "live" | "ended" | "vanished";
  onProgress(callback: (progress: Progress) => void): () => void;
  onStatus(callback: (status: TaskStatus, snapshot: TaskSnapshot) => void): () => void;
  onQueue(callback: (place: QueuePlace | null) => void): () => void;
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
  open(request: (nonce: string) => Promise<Started>, name?: string): Promise<void>;
  receive(event: TaskEvent, nonce: string): void;
  /** Resolves when no request for its state is on its way. */
  settled(): Promise<void>;
  /** Takes the state that another answer of the same session gave, unless it is older. */
  catchUp(next: TaskSnapshot): void;
  /** Goes on following a task that turned out to be another one than was asked for; `again`: asks how it stands. */
  keep(again: boolean): void;
  /** Stops following such a task, because somebody else follows it in the same session. */
  drop(): void;
  /** Stops following a task that nobody holds, and tells the plugin. */
  leave(): Promise<void>;
}

const FINAL: ReadonlySet<TaskStatus> = new Set(["completed", "failed", "cancelled", "timedOut"]);

/** `forget` is called when nothing more can come, before anybody is told. */
export function followTask(session: Session, asked: string, forget: () => void): FollowedTask {
  const progressed = createListeners<[Progress]>();
  const changed = createListeners<[TaskStatus, TaskSnapshot]>();
  const moved = createListeners<[QueuePlace | null]>();
  const over = createListeners<[]>();
  let id = asked;
  let snapshot: TaskSnapshot | undefined;
  let phase: TrackedTask["phase"] = "live";
  let inlined: Outcome | null = null;
  let outcome: Promise<TaskOutcome> | undefined;
  let close!: () => void;
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });

  const subscription = createSubscription<Started, TaskEvent>(session, {
    watch: (nonce) => watchTask(nonce, id),
    restore({ snapshot: next, outcome: found }) {
      if (next.id !== id) {
        id = next.id;
        // Until it is clear that nobody else here follows that task: two would take each other's events.
        subscription.leave();
      }
      take(next, found);
    },
    apply({ id: about, sequence, change }) {
      // A start that may join hears of all tasks until it is answered.
      if (!snapshot || about !== id) return;
      if (change.type === "progress" && sequence >= snapshot.sequence) {
        snapshot = { ...snapshot, progress: change.data };
        tellProgress();
      }
      if (change.type === "queue" && sequence >= snapshot.sequence) {
        const known = snapshot;
        snapshot = withPlace(snapshot, change.data);
        tellQueue(known.queue);
      }
      if (change.type === "status" && sequence > snapshot.sequence) {
        const known = snapshot;
        snapshot = withStatus(snapshot, sequence, change.data);
        inlined = change.data.outcome;
        if (FINAL.has(snapshot.status)) finish("ended");
        tellQueue(known.queue);
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

  /** A whole state, unless it is older than the known one, and how the task ended, if that came with it. */
  function take(next: TaskSnapshot, found: Outcome | null): void {
    const known = snapshot;
    if (phase !== "live" || (known && next.sequence < known.sequence)) return;
    snapshot = next;
    inlined = found;
    if (FINAL.has(next.status)) finish("ended");
    if (!known || !same(known.progress, next.progress)) tellProgress();
    tellQueue(known?.queue ?? null);
    if (next.sequence !== known?.sequence) tellStatus();
    if (phase !== "live") settle();
  }

  function tellProgress(): void {
    if (snapshot) progressed.emit(snapshot.progress);
  }

  function tellStatus(): void {
    if (snapshot) changed.emit(snapshot.status, snapshot);
  }

  /** `before`: what was told last. */
  function tellQueue(before: QueuePlace | null): void {
    if (snapshot && !same(snapshot.queue, before)) moved.emit(snapshot.queue);
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
    moved.clear();
    close();
  }

  async function findOutcome(): Promise<TaskOutcome> {
    await closed;
    if (phase === "vanished") throw expired(id);
    const found = inlined ?? (await fetchOutcome(id));
    inlined = null;
    return isBatch(snapshot) ? batchFromWire(found) : fromWire(found);
  }

  return {
    task: {
      get id() {
        return id;
      },
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
      onQueue(callback) {
        const off = phase === "live" ? moved.add(callback) : () => {};
        if (snapshot?.queue) callGuarded(callback, snapshot.queue);
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
    settled: subscription.settled,
    catchUp(next) {
      // With the same sequence only the progress can tell which is newer: it goes up.
      const known = snapshot;
      const isOlder =
        known?.sequence === next.sequence && known.progress.completed > next.progress.completed;
      if (!isOlder) take(next, null);
    },
    keep: subscription.stay,
    drop: subscription.close,
    async leave() {
      subscription.leave();
      // Not while it is being watched anew: the plugin may run the two commands in either order.
      await subscription.settled();
      const { nonce } = subscription;
      subscription.close();
      if (nonce !== undefined) {
        await commands.unwatch(nonce, { type: "task", data: { id } }).catch(() => {});
      }
      forget();
    },
  };
}

/** Asks for a task's state and for its events, as a start does. Rejects with `notFound` if there is none. */
export async function watchTask(nonce: string, id: string): Promise<Started> {
  const [snapshot] = await commands.watch(nonce, { type: "task", data: { id } });
  if (!snapshot) throw new TaskNotFoundError(`There is no task ${id}.`);
  return { snapshot, outcome: null };
}

/** Whether a task is a batch: its output then holds the outcomes of its members. */
export function isBatch(snapshot: TaskSnapshot | undefined): boolean {
  return typeof snapshot?.members === "number";
}

function withStatus(before: TaskSnapshot, sequence: number, change: StatusChange): TaskSnapshot {
  const { status, at, attempt, cancelReason, timeLimit, overdue, nextAttemptAt, error } = change;
  return {
    ...before,
    status,
    sequence,
    attempt,
    cancelReason,
    timeLimit,
    overdue,
    nextAttemptAt,
    error,
    // Its place in a queue comes by itself.
    queue: null,
    startedAt: before.startedAt ?? (status === "running" ? at : null),
    endedAt: FINAL.has(status) ? at : null,
  };
}

/** A place in the queue, while the task waits in one. */
function withPlace(before: TaskSnapshot, queue: QueuePlace): TaskSnapshot {
  if (before.status !== "queued") return before;
  // What may run waits for no time any more, and no change of status says so.
  return { ...before, queue, nextAttemptAt: queue.position === null ? before.nextAttemptAt : null };
}

function same(a: Progress | QueuePlace | null, b: Progress | QueuePlace | null): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
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
