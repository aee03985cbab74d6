/** The part of the plugin that computes each task's place in its queue. */
import type {
  QueuePlace,
  StartOptions,
  TaskSnapshot,
  TaskStatus,
} from "../../core/ipc/bindings.js";

export const ENDED: readonly TaskStatus[] = ["completed", "failed", "cancelled", "timedOut"];

/** What a queue knows of a task. */
export interface Waiting {
  snapshot: TaskSnapshot;
  options: StartOptions;
  priority: number;
  held: boolean;
  /** Whether its turn has come, so that it waits in no queue any more. */
  hasTurn: boolean;
}

/** Returns each queued task's place among the tasks of its kind or its batch. */
export function places(all: readonly Waiting[]): Map<string, QueuePlace> {
  const found = new Map<string, QueuePlace>();
  const lines = new Map<string, Waiting[]>();
  for (const task of all) {
    const { snapshot, priority, held, hasTurn } = task;
    // A batch doesn't wait itself; its members do.
    if (snapshot.status !== "queued" || snapshot.members !== null || hasTurn) continue;
    found.set(snapshot.id, { position: null, priority, held });
    if (!mayRun(task, all)) continue;
    const line = snapshot.parent ?? snapshot.task;
    lines.set(line, [...(lines.get(line) ?? []), task]);
  }
  for (const line of lines.values()) {
    line.sort(byTurn);
    line.forEach(({ snapshot, priority, held }, index) => {
      found.set(snapshot.id, { position: index + 1, priority, held });
    });
  }
  return found;
}

/** Whether a queued task waits for nothing but room. */
export function mayRun(task: Waiting, all: readonly Waiting[]): boolean {
  const { snapshot, held } = task;
  return !held && snapshot.nextAttemptAt === null && !comesAfter(task, all);
}

/** Sorts tasks by when their turn comes. */
export function byTurn(a: Waiting, b: Waiting): number {
  return b.priority - a.priority || byOrder(a, b);
}

/** Returns the live task of this kind that has the key: the oldest, if several wait for the key. */
export function holderOf<T extends Waiting>(
  key: string | null,
  task: string,
  all: readonly T[],
): T | undefined {
  if (key === null) return undefined;
  return all
    .filter(({ snapshot }) => snapshot.task === task && snapshot.key === key)
    .filter(({ snapshot }) => !ENDED.includes(snapshot.status))
    .sort(byOrder)[0];
}

function comesAfter(task: Waiting, all: readonly Waiting[]): boolean {
  const holder = holderOf(task.snapshot.key, task.snapshot.task, all);
  return holder !== undefined && holder !== task;
}

function byOrder({ snapshot: a }: Waiting, { snapshot: b }: Waiting): number {
  return a.order - b.order;
}
