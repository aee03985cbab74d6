import { type Argument, readSafely } from "../arguments/check.js";
import { TaskError } from "../errors/task-error.js";
import type * as wire from "../ipc/bindings.js";
import type { TaskQuery } from "../types/query.js";
import { query } from "./arguments.js";

// From an object, so that a new field of the query has to be named here.
const FIELDS = Object.keys({
  task: true,
  status: true,
  tag: true,
  key: true,
  parent: true,
} satisfies Record<keyof TaskQuery, true>);

/** Reads the query of `cancelAll`. Throws unless it says clearly which tasks to cancel. */
export const CANCEL_QUERY: Argument<wire.TaskFilter> = {
  name: "query",
  rule(value, at) {
    const there = readSafely(at, () =>
      typeof value === "object" && value !== null ? Object.entries(value as object) : [],
    );
    if (there.length === 0) throw refused(`${at} is empty`);
    for (const [field, content] of there) {
      if (content === undefined || content === null) throw refused(`${at}.${field} is ${content}`);
      if (field === "all" && there.length === 1 && content === true) return {};
      if (field === "all") throw refused(`${at}.all can only be true, and alone`);
      if (!FIELDS.includes(field)) throw refused(`${at} has no field ${field}`);
    }
    // What was checked, not what another look at it would give.
    return query(Object.fromEntries(there), at);
  },
};

function refused(why: string): TaskError {
  return new TaskError(
    "invalidOptions",
    `${why}: pass at least one of ${FIELDS.join(", ")}, or { all: true } for all tasks.`,
  );
}
