import { type Argument, misfit, type Rule, readSafely } from "../arguments/check.js";
import { json, jsonList } from "../arguments/json.js";
import {
  callback,
  fields,
  flag,
  list,
  number,
  oneOrMore,
  options,
  signal,
  text,
  word,
} from "../arguments/rules.js";
import type { LimitOf, OnConflict, TaskStatus } from "../ipc/bindings.js";
import type {
  AttachOptions,
  BatchOptions,
  FollowOptions,
  ListOptions,
  PaceOptions,
  RerunOptions,
  StartOptions,
  WatchOptions,
} from "../types/options.js";
import type { TaskQuery } from "../types/query.js";

const MAX_I32 = 2 ** 31 - 1;
const MAX_U32 = 2 ** 32 - 1;

const priority = number(`a whole number from ${-MAX_I32 - 1} to ${MAX_I32}`, {
  min: -MAX_I32 - 1,
  max: MAX_I32,
});
const count = `a whole number from 0 to ${MAX_U32}`;
const milliseconds = number("a number of milliseconds that is not negative, or omit it", {
  min: 0,
  max: Number.MAX_SAFE_INTEGER,
  whole: false,
});
const from = number(
  "the position of an earlier reading, or omit it to start with the oldest item",
  { min: 0, max: Number.MAX_SAFE_INTEGER },
);
/** An hour is the longest time that the plugin accepts. */
const everyMs = number("a whole number of milliseconds from 0 to 3600000, or omit it", {
  min: 0,
  max: 3_600_000,
});
const limit = number("a whole number from 1 to 10000, or omit it for 1000", {
  min: 1,
  max: 10_000,
});
const position = number("the `next` of an earlier page, or omit it to begin with the oldest task", {
  min: 0,
  max: Number.MAX_SAFE_INTEGER,
});
/** The last page has no `next`. */
const after: Rule<number | null> = (value, at) => (value === null ? null : position(value, at));
const label = text("a string, or omit it");
const tags = list(text("a string"), "an array of strings, or omit it");

function argument<T>(name: string, rule: Rule<T>): Argument<T> {
  return { name, rule };
}

export const KIND = argument("name", word("the name of a kind of task"));
export const SCHEDULE = argument("name", word("the name of a schedule"));
export const ID = argument("id", word("the id of a task, such as task.id"));
export const INPUT = argument("input", json);
export const INPUTS = argument("inputs", jsonList);
export const PRIORITY = argument("priority", priority);
const reason: Rule<string> = (value, at) =>
  value === undefined ? "user" : text("a string, or omit it")(value, at);
export const REASON = argument("reason", reason);
/** A `cancel` that is passed as a callback gets an event, which may be an object of any class. */
export const REASON_OR_EVENT = argument("reason", (value, at) =>
  typeof value === "object" && value !== null ? "user" : reason(value, at),
);
export const CALLBACK = argument("callback", callback);

export const START_OPTIONS = argument(
  "options",
  options<StartOptions>({
    signal,
    priority,
    held: flag,
    key: text("a string, or omit it"),
    // The plugin knows the words.
    onConflict: word('"refuse", "join", "replace" or "append"') as Rule<OnConflict>,
    label,
    tags,
    delayMs: milliseconds,
    timeoutMs: milliseconds,
    deadlineMs: milliseconds,
  }),
);

export const BATCH_OPTIONS = argument(
  "options",
  options<BatchOptions>({
    signal,
    concurrency: number(`${count}, or omit it`, { min: 0, max: MAX_U32 }),
    priority,
    label,
    tags,
  }),
);

export const ATTACH_OPTIONS = argument("options", options<AttachOptions>({ signal, from }));
export const FOLLOW_OPTIONS = argument("options", options<FollowOptions>({ signal }));
export const RERUN_OPTIONS = argument("options", options<RerunOptions>({ signal }));
/** A `rerun` that is passed as a callback gets an event. */
export const RERUN_OPTIONS_OR_EVENT = argument("options", (value, at) =>
  isEvent(value, at) ? {} : RERUN_OPTIONS.rule(value, at),
);
export const PACE_OPTIONS = argument("options", options<PaceOptions>({ everyMs }));
export const WATCH_OPTIONS = argument("options", options<WatchOptions>({ signal, everyMs }));
export const LIST_OPTIONS = argument("options", options<ListOptions>({ limit, after }));

/** Whether a value is an event of the DOM, of a framework that has its own, or of Tauri. */
function isEvent(value: unknown, at: string): boolean {
  if (typeof value !== "object" || value === null) return false;
  return readSafely(at, () => {
    const { type, event, signal } = value as Record<string, unknown>;
    return (typeof type === "string" || typeof event === "string") && signal === undefined;
  });
}

/** How many entries the plugin takes in a list of a query. */
const MOST_ENTRIES = 256;

function entries<T>(rule: Rule<T>, expected: string): Rule<T[]> {
  return oneOrMore(rule, expected, MOST_ENTRIES);
}

type Filter = { [F in keyof TaskQuery]-?: F extends "status" ? TaskStatus[] : string[] };

/** A query, as the plugin takes it: with a list of values for each field. */
export const query = fields<Filter>(
  {
    task: entries(word("the name of a kind of task"), "a name or an array of names"),
    status: entries(word("a status") as Rule<TaskStatus>, "a status or an array of them"),
    tag: entries(text("a string"), "a string or an array of strings"),
    key: entries(text("a string"), "a string or an array of strings"),
    parent: entries(word("the id of a batch"), "the id of a batch or an array of ids"),
  },
  "a query, or {} for all tasks",
);
export const QUERY = argument("query", query);
export const QUERY_IF_ANY = argument("query", (value, at) =>
  value === undefined ? {} : query(value, at),
);

export const LIMIT_OF = argument("of", (value, at): LimitOf => {
  const expected = '{ type: "app" }, { type: "task", name } or { type: "group", name }';
  const { type, name } = fields({ type: word(expected), name: word("a name") }, expected)(
    value,
    at,
  );
  if (type === "app" && name === undefined) return { type };
  if (type === "app") throw misfit(`${at}.name`, name, "it only with the type task or group");
  if (type !== "task" && type !== "group") throw misfit(`${at}.type`, type, expected);
  if (name === undefined) throw misfit(`${at}.name`, name, `the name of a ${type}`);
  return { type, name };
});
export const LIMIT = argument("limit", (value, at): number | null =>
  value === null
    ? null
    : number(`${count}, or null for no limit`, { min: 0, max: MAX_U32 })(value, at),
);
