import type { LimitOf } from "../../core/ipc/bindings.js";
import { byTurn, mayRun } from "../plugin/queue.js";
import type { KeptTask } from "../plugin/table.js";

/** Returns how many of these tasks may run at once, if that is limited. */
export type Limits = (of: LimitOf) => number | null;

/** Returns the tasks whose turn has come: those with the highest priority first, as long as no limit is reached. */
export function admitted(all: readonly KeptTask[], limits: Limits): KeptTask[] {
  const counts = new Map<string, number>();
  const take = (task: KeptTask) => {
    for (const { key } of limitsOf(task, all, limits)) counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  for (const task of all) if (holdsSlot(task)) take(task);
  return all
    .filter((task) => isQueued(task) && mayRun(task, all))
    .sort(byTurn)
    .filter((task) => {
      const isFull = limitsOf(task, all, limits).some(
        ({ key, limit }) => limit !== null && (counts.get(key) ?? 0) >= limit,
      );
      if (!isFull) take(task);
      return !isFull;
    });
}

/** The limits that hold for a task, each with a key of whatever it counts. */
function limitsOf({ snapshot }: KeptTask, all: readonly KeptTask[], limits: Limits) {
  const { task, parent } = snapshot;
  const batch = parent === null ? undefined : all.find((one) => one.snapshot.id === parent);
  return [
    { key: "app", limit: limits({ type: "app" }) },
    { key: `kind ${task}`, limit: limits({ type: "task", name: task }) },
    { key: `batch ${parent}`, limit: batch?.concurrency ?? null },
  ];
}

/** Whether a task takes one of the slots. A batch takes none; its members do. */
function holdsSlot({ snapshot: { status, members }, hasTurn }: KeptTask): boolean {
  return members === null && (hasTurn || status === "running" || status === "cancelling");
}

function isQueued({ snapshot: { status, members }, hasTurn }: KeptTask): boolean {
  return status === "queued" && members === null && !hasTurn;
}
