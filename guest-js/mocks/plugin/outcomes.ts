/** The part of the plugin that answers when a task has ended. */
import type { Outcome, Started, TaskSnapshot } from "../../core/ipc/bindings.js";
import type { Args } from "./json.js";
import { isTold } from "./shares.js";
import type { Table } from "./table.js";
import type { Waits } from "./waits.js";

/** How large an outcome may be to travel with an event or an answer, in bytes of JSON. */
const INLINE_LIMIT = 4_096;
/** How long `outcome` waits at most, in milliseconds. */
const LONGEST_WAIT_MS = 25_000;

/** Returns the outcome if it is small enough to travel with an event or an answer. */
export function inlined(outcome: Outcome | null): Outcome | null {
  return outcome && JSON.stringify(outcome).length <= INLINE_LIMIT ? outcome : null;
}

export function createOutcomes(table: Table, waits: Waits) {
  const waiters = new Map<string, Set<() => void>>();

  return {
    /** Answers whoever waits for the end of this task. */
    wake(id: string): void {
      for (const wake of waiters.get(id) ?? []) wake();
      waiters.delete(id);
    },

    /** Returns the answer to a start. */
    started: (snapshot: TaskSnapshot): Started => ({
      snapshot,
      outcome: inlined(table.get(snapshot.id).outcome),
    }),

    handlers: {
      async outcome(args: Args) {
        const id = String(args["id"]);
        const task = table.getOrExpired(id, isTold);
        if (task.outcome) return task.outcome;
        const over = waits.take();
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, LONGEST_WAIT_MS);
          const wake = () => {
            clearTimeout(timer);
            resolve();
          };
          const all = waiters.get(id) ?? new Set();
          waiters.set(id, all.add(wake));
        });
        over();
        return task.outcome;
      },
    },
  };
}

export type Outcomes = ReturnType<typeof createOutcomes>;
