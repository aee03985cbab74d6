import { emptyProgress } from "../../mocks/plugin/progress.js";
import type {
  Progress,
  QueuePlace,
  StatusChange,
  TaskEvent,
  TaskSnapshot,
} from "../ipc/bindings.js";

/** One step in the life of a task: the event that the plugin sends, and the state of the task after it. */
export interface Step {
  readonly event: TaskEvent;
  readonly after: TaskSnapshot;
}

/** Returns the state of a task that was just started. */
export function queuedTask(more: Partial<TaskSnapshot> = {}): TaskSnapshot {
  return {
    id: "a",
    order: 1,
    task: "download",
    status: "queued",
    sequence: 1,
    owner: "main",
    progress: emptyProgress(),
    attempt: 0,
    cancelReason: null,
    timeLimit: null,
    overdue: false,
    queue: null,
    nextAttemptAt: null,
    createdAt: 1_000,
    startedAt: null,
    endedAt: null,
    input: null,
    error: null,
    key: null,
    label: null,
    tags: [],
    parent: null,
    waitsFor: [],
    members: null,
    ...more,
  };
}

/** Returns a status event that differs from the state `before` only in `more`. */
export function statusEvent(before: TaskSnapshot, more: Partial<StatusChange>): TaskEvent {
  const { id, sequence, status, attempt, cancelReason, timeLimit, overdue } = before;
  const kept = { status, attempt, cancelReason, timeLimit, overdue };
  const nothing = { nextAttemptAt: null, endedAt: null, outcome: null, error: null };
  return {
    id,
    sequence: sequence + 1,
    change: { type: "status", data: { ...kept, ...nothing, at: 2_000, ...more } },
  };
}

export function progressEvent(before: TaskSnapshot, more: Partial<Progress>): TaskEvent {
  const { id, sequence, progress } = before;
  return { id, sequence, change: { type: "progress", data: { ...progress, ...more } } };
}

export function queueEvent(before: TaskSnapshot, more: Partial<QueuePlace> = {}): TaskEvent {
  const { id, sequence } = before;
  const place = { position: 1, priority: 0, held: false, ...more };
  return { id, sequence, change: { type: "queue", data: place } };
}

export function waitsForEvent(before: TaskSnapshot, data: string[]): TaskEvent {
  const { id, sequence } = before;
  return { id, sequence, change: { type: "waitsFor", data } };
}

/** Returns a random life of a task, from the state `first` to its end. */
export function liveOnce(first: TaskSnapshot, random: (below: number) => number): Step[] {
  const steps: Step[] = [];
  let now = first.createdAt;
  let state = first;

  function take(event: TaskEvent, changed: Partial<TaskSnapshot>): void {
    state = { ...state, sequence: event.sequence, ...changed };
    steps.push({ event, after: state });
  }

  function become(more: Partial<StatusChange>, times: Partial<TaskSnapshot> = {}): void {
    const { status = state.status, nextAttemptAt = null, error = null, ...rest } = more;
    const event = statusEvent(state, { ...more, at: now });
    const isOver = status === "retrying" || (rest.endedAt ?? null) !== null;
    const waits = isOver ? { waitsFor: [] } : {};
    take(event, { ...rest, ...waits, status, nextAttemptAt, error, queue: null, ...times });
  }

  function report(): void {
    const completed = state.progress.completed + random(5);
    const progress = { ...state.progress, completed, message: `${completed} done` };
    take(progressEvent(state, progress), { progress });
  }

  function lendSlots(): void {
    const waitsFor = ["b", "c"].slice(random(3));
    take(waitsForEvent(state, waitsFor), { waitsFor });
  }

  function waitInQueue(): void {
    const queue = { position: random(3) || null, priority: random(3), held: random(2) === 0 };
    const isDue = queue.position !== null;
    take(queueEvent(state, queue), isDue ? { queue, nextAttemptAt: null } : { queue });
  }

  function begin(): void {
    const attempt = state.attempt + 1;
    become({ status: "running", attempt }, { startedAt: state.startedAt ?? now });
    if (attempt > 1) take(progressEvent(state, emptyProgress()), { progress: emptyProgress() });
  }

  function fail(): void {
    const error = { kind: "error", message: "broken pipe" } as const;
    become({ status: "retrying", nextAttemptAt: now + 500, error });
  }

  const next = {
    queued: [waitInQueue, waitInQueue, begin],
    running: [
      report,
      report,
      report,
      lendSlots,
      fail,
      () => become({ status: "cancelling", cancelReason: "user" }),
    ],
    retrying: [() => become({ status: "queued", nextAttemptAt: random(2) ? now + 100 : null })],
    cancelling: [report, () => become({ overdue: true })],
  } as const;

  for (let left = 5 + random(30); left > 0; left -= 1) {
    now += 1 + random(100);
    const ways = next[state.status as keyof typeof next];
    ways[random(ways.length)]?.();
  }
  now += 1;
  const end = (["completed", "failed", "cancelled", "timedOut"] as const)[random(4)] ?? "failed";
  become({ status: end, endedAt: now, timeLimit: end === "timedOut" ? "deadline" : null });
  return steps;
}
