import { TaskError } from "../errors/task-error.js";
import type * as wire from "../ipc/bindings.js";
import type { CancelQuery, TaskQuery } from "../types/query.js";
import { toFilter } from "./to-wire.js";

// From an object, so that a new field of the query has to be named here.
const FIELDS = Object.keys({
  task: true,
  status: true,
  tag: true,
  key: true,
  parent: true,
} satisfies Record<keyof TaskQuery, true>);

/** Converts the query of `cancelAll` to a filter. Throws unless it says clearly which tasks to cancel. */
export function toCancelFilter(query: CancelQuery): wire.TaskFilter {
  // Callers without types may pass anything.
  const fields = typeof query === "object" && query !== null ? Object.entries(query) : [];
  if (fields.length === 0) throw refused("the query is empty");
  for (const [field, value] of fields) {
    if (value === undefined || value === null) throw refused(`${field} is ${value}`);
    if (field === "all" && fields.length === 1 && value === true) return {};
    if (field === "all") throw refused("all can only be true, and alone");
    if (!FIELDS.includes(field)) throw refused(`there is no field ${field}`);
  }
  return toFilter(query as TaskQuery);
}

function refused(why: string): TaskError {
  return new TaskError(
    "invalidOptions",
    `cancelAll was refused, since ${why}: pass at least one of ${FIELDS.join(", ")}, or { all: true } for all tasks.`,
  );
}
