import { throwIfAborted } from "../callbacks/abort.js";
import { commands } from "../calls/commands.js";
import { rethrow } from "../errors/from-rejection.js";
import type { TaskFilter, TaskSnapshot } from "../ipc/bindings.js";
import type { TaskPage } from "../types/snapshot.js";

/** Returns all matching tasks, oldest first. Rejects with a TaskError, or with the reason of the signal before the next page. */
export async function listAll(
  filter: TaskFilter,
  signal: AbortSignal | undefined,
): Promise<TaskSnapshot[]> {
  const all: TaskSnapshot[] = [];
  let after: number | null = null;
  do {
    throwIfAborted(signal);
    const page: TaskPage = await commands.list(filter, null, after).catch(rethrow);
    all.push(...page.tasks);
    after = page.next;
  } while (after !== null);
  return all;
}
