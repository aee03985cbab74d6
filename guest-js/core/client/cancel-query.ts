import { type Argument, misfit, readSafely } from "../arguments/check.js";
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

const EXPECTED = `a query with at least one of ${FIELDS.join(", ")}, or { all: true } for all tasks`;

/** Reads the query of `cancelAll`. Throws unless it says clearly which tasks to cancel. */
export const CANCEL_QUERY: Argument<wire.TaskFilter> = {
  name: "query",
  rule(value, at) {
    if (typeof value !== "object" || value === null) throw misfit(at, value, EXPECTED);
    const there = readSafely(at, () => {
      // Not an array or a map, which would seem to be empty.
      const isPlain = Object.prototype.toString.call(value) === "[object Object]";
      if (!isPlain) throw misfit(at, value, EXPECTED);
      return Object.entries(value as object);
    });
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
  return new TaskError("invalidOptions", `${why}: pass ${EXPECTED}.`);
}
