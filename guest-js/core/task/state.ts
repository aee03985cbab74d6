import type {
  Progress,
  QueuePlace,
  StatusChange,
  TaskEvent,
  TaskSnapshot,
} from "../ipc/bindings.js";

/**
 * Returns whether a task has ended. Its status alone doesn't tell: a newer plugin may have final statuses that this package doesn't
 * know.
 */
export function hasEnded(snapshot: TaskSnapshot): boolean {
  return snapshot.endedAt !== null;
}

/** Returns whether a task is a batch. The output of a batch holds the outcomes of its members. */
export function isBatch(snapshot: TaskSnapshot | undefined): boolean {
  return typeof snapshot?.members === "number";
}

/** Returns whether the handler has reported any progress yet. */
export function isReported(progress: Progress): boolean {
  return (
    progress.completed > 0 ||
    progress.total !== null ||
    progress.fraction !== null ||
    progress.message !== null ||
    progress.detail !== null
  );
}

/**
 * Returns the state of a task after an event: `snapshot` itself if the event is older, about another task or tells nothing new, else
 * a new object. The parts that the event doesn't change remain the same objects.
 */
export function reduce(snapshot: TaskSnapshot, { id, sequence, change }: TaskEvent): TaskSnapshot {
  if (id !== snapshot.id || sequence < snapshot.sequence) return snapshot;
  switch (change.type) {
    case "progress": {
      // An answer may have brought what was still to be sent as an event.
      const progress = keepIfEqual(snapshot.progress, change.data);
      return progress === snapshot.progress ? snapshot : { ...snapshot, progress };
    }
    case "queue":
      return withPlace(snapshot, change.data);
    case "waitsFor": {
      const waitsFor = keepIfEqual(snapshot.waitsFor, change.data);
      return waitsFor === snapshot.waitsFor ? snapshot : { ...snapshot, waitsFor };
    }
    case "status":
      return sequence > snapshot.sequence ? withStatus(snapshot, sequence, change.data) : snapshot;
    default:
      // A gap changes nothing: the sequence of the status event after it shows what was missed.
      return snapshot;
  }
}

/**
 * Returns the state of a task after an answer with its full state: `known` itself if the answer is older, else a new
 * object. The progress, the place in the queue and the awaited tasks remain the same objects if they are equal.
 */
export function restore(known: TaskSnapshot | undefined, answer: TaskSnapshot): TaskSnapshot {
  if (!known) return answer;
  if (answer.sequence < known.sequence) return known;
  return {
    ...answer,
    progress: keepIfEqual(known.progress, answer.progress),
    queue: keepIfEqual(known.queue, answer.queue),
    waitsFor: keepIfEqual(known.waitsFor, answer.waitsFor),
  };
}

function withStatus(before: TaskSnapshot, sequence: number, change: StatusChange): TaskSnapshot {
  const { status, at, attempt, cancelReason, timeLimit, overdue, nextAttemptAt, endedAt, error } =
    change;
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
    // The place in the queue comes in an event of its own.
    queue: null,
    // An attempt that is over waits for nothing, and no event says so after the end.
    waitsFor: endedAt === null && status !== "retrying" ? before.waitsFor : [],
    startedAt: before.startedAt ?? (status === "running" ? at : null),
    endedAt,
  };
}

function withPlace(before: TaskSnapshot, place: QueuePlace): TaskSnapshot {
  if (before.status !== "queued") return before;
  return {
    ...before,
    queue: keepIfEqual(before.queue, place),
    // A task with a position no longer waits for `nextAttemptAt`, and no status event says so.
    nextAttemptAt: place.position === null ? before.nextAttemptAt : null,
  };
}

function keepIfEqual<T>(known: T, next: T): T {
  return JSON.stringify(known) === JSON.stringify(next) ? known : next;
}
