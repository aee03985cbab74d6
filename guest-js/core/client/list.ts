import { rethrow } from "../errors/from-rejection.js";
import { commands, type TaskSnapshot } from "../ipc/bindings.js";
import type { ListOptions } from "../types/options.js";
import type { TaskQuery } from "../types/query.js";
import type { TaskPage } from "../types/snapshot.js";
import { toFilter } from "./to-wire.js";
import { checkWholeNumber } from "./whole-number.js";

/** The largest `limit` that the plugin accepts. */
const LIMIT = 10_000;

/** Returns one page of the matching tasks. Rejects with a TaskError. */
export async function listPage(query?: TaskQuery, options: ListOptions = {}): Promise<TaskPage> {
  const { limit, after } = options;
  if (limit !== undefined) checkWholeNumber("limit", limit, 1, LIMIT);
  if (after !== undefined && after !== null)
    checkWholeNumber("after", after, 0, Number.MAX_SAFE_INTEGER);
  return commands.list(toFilter(query), limit ?? null, after ?? null).catch(rethrow);
}

/** Returns all matching tasks, oldest first. Rejects with a TaskError. */
export async function listAll(query?: TaskQuery): Promise<TaskSnapshot[]> {
  const all: TaskSnapshot[] = [];
  let after: number | null = null;
  do {
    const page: TaskPage = await listPage(query, { after });
    all.push(...page.tasks);
    after = page.next;
  } while (after !== null);
  return all;
}
