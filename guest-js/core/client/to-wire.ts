import type * as wire from "../ipc/bindings.js";
import type { BatchOptions, StartOptions } from "../types/options.js";
import type { TaskQuery } from "../types/query.js";

/** Converts the options that callers pass to those that the plugin takes: without `undefined` fields and without the signal. */
export function toStartOptions({ signal: _, tags, ...rest }: StartOptions = {}): wire.StartOptions {
  return given({ ...rest, tags: toList(tags) });
}

export function toBatchOptions({ signal: _, tags, ...rest }: BatchOptions = {}): wire.BatchOptions {
  return given({ ...rest, tags: toList(tags) });
}

export function toFilter({ task, status, tag, key, parent }: TaskQuery = {}): wire.TaskFilter {
  return given({
    task: toList(task),
    status: toList(status),
    tag: toList(tag),
    key: toList(key),
    parent: toList(parent),
  });
}

/** Returns the reason of a cancel. A `cancel` that is passed as a callback gets anything, such as an event. */
export const toReason = (reason: unknown): string => (typeof reason === "string" ? reason : "user");

function toList<T extends string>(value: T | readonly T[] | undefined): T[] | undefined {
  if (value === undefined) return undefined;
  return typeof value === "string" ? [value] : [...value];
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Returns the fields that are not `undefined`. */
function given<T extends object>(fields: T): Given<T> {
  const there = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(there) as Given<T>;
}
