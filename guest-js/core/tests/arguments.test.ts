import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TaskMap } from "../types/kind.js";
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
import type { TasksClient } from "../types/tasks-client.js";
import { type LoadedPage, loadPage, settle } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

/** A value that fits, and values that don't. */
interface Sort {
  readonly good: unknown;
  readonly bad: readonly unknown[];
}

/** An argument: a sort of value, or an object with fields. `missing` says whether it has to be there. */
interface Argument extends Sort {
  readonly name: string;
  readonly fields?: Readonly<Record<string, Sort>>;
  /** The error is that of an input. */
  readonly isInput?: boolean;
}

type Call = readonly Argument[];

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function thrower(): never {
  throw new Error("mine");
}

const throwing = new Proxy({}, { get: thrower, ownKeys: thrower, getPrototypeOf: thrower });
const LONE = "half \ud83d of a pair";
const never = [5n, Symbol("s"), {}, () => {}, revoked(), throwing];
const numbers = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const noNumber = [null, "5", true, [], Object(1), new Date(), ...never];

const text: Sort = { good: "a", bad: [null, 5, true, ...numbers, [], LONE, ...never] };
const word: Sort = { good: "a", bad: ["", ...text.bad] };
const required = (sort: Sort): Sort => ({ ...sort, bad: [undefined, ...sort.bad] });

const orNull = (sort: Sort): Sort => ({ ...sort, bad: sort.bad.filter((bad) => bad !== null) });

function whole(min: number, max: number): Sort {
  return { good: 1, bad: [min - 1, max + 1, 0.5, 2 ** 53, ...numbers, ...noNumber] };
}

const priority = whole(-(2 ** 31), 2 ** 31 - 1);
const count = whole(0, 2 ** 32 - 1);
const milliseconds: Sort = { good: 1.5, bad: [-1, 2 ** 54, ...numbers, ...noNumber] };
const flag: Sort = { good: true, bad: [null, 0, 1, "true", ...numbers, ...never] };
const signal: Sort = {
  good: new AbortController().signal,
  bad: [
    ...[null, true, "s", 5, new AbortController(), { aborted: false }],
    ...[
      { aborted: false, addEventListener() {} },
      { aborted: false, removeEventListener() {} },
    ],
    ...[...numbers, ...never],
  ],
};
const tags: Sort = {
  good: ["a"],
  bad: [null, "a", 5, ["a", 5], [undefined], Array(1), [null], [LONE], new Set(["a"]), ...never],
};
const texts: Sort = { good: ["a"], bad: [null, 5, ["a", 5], [LONE], LONE, ...numbers, ...never] };
const names: Sort = { good: "a", bad: ["", [""], ...texts.bad] };

const query: Argument = {
  name: "query",
  good: {},
  bad: [null, "tick", 5, [], new Map(), Promise.resolve({}), revoked(), throwing, { tags: "a" }],
  fields: {
    task: names,
    status: { ...names, good: ["running"] },
    tag: texts,
    key: texts,
    parent: names,
  } satisfies Record<keyof TaskQuery, Sort>,
};

function options(fields: Record<string, Sort>): Argument {
  const bad = [null, "a", 5, true, [], new Map(), Promise.resolve({}), signal.good, revoked()];
  return { name: "options", good: {}, bad: [...bad, throwing, { nonsense: 1 }], fields };
}

const name = { name: "name", ...required(word) };
const id = { name: "id", ...required(word) };
const callback = {
  name: "callback",
  good: () => {},
  bad: [undefined, null, 5, "f", {}, revoked()],
};
const start = options({
  signal,
  priority,
  held: flag,
  key: text,
  onConflict: { ...word, good: "join" },
  label: text,
  tags,
  delayMs: milliseconds,
  timeoutMs: milliseconds,
  deadlineMs: milliseconds,
} satisfies Record<keyof StartOptions, Sort>);
const batch = options({
  signal,
  concurrency: count,
  priority,
  label: text,
  tags,
} satisfies Record<keyof BatchOptions, Sort>);
const attach = options({ signal, from: whole(0, Number.MAX_SAFE_INTEGER) } satisfies Record<
  keyof AttachOptions,
  Sort
>);
const follow = options({ signal } satisfies Record<keyof FollowOptions, Sort>);
const rerun = options({ signal } satisfies Record<keyof RerunOptions, Sort>);
const everyMs = whole(0, 3_600_000);
const pace = options({ everyMs } satisfies Record<keyof PaceOptions, Sort>);
const watch = options({ signal, everyMs } satisfies Record<keyof WatchOptions, Sort>);
const listed = options({
  limit: whole(1, 10_000),
  // The last page has no `next`.
  after: orNull(whole(0, Number.MAX_SAFE_INTEGER)),
} satisfies Record<keyof ListOptions, Sort>);
const input: Argument = {
  name: "input",
  good: { size: 1 },
  bad: [...numbers, 5n, LONE, () => {}, Symbol("s"), revoked(), throwing, { size: Number.NaN }],
  isInput: true,
};
const limitOf: Argument = {
  name: "of",
  good: { type: "app" },
  bad: [
    ...[
      undefined,
      null,
      "app",
      {},
      { type: "kind" },
      { type: "task" },
      { type: "group", name: "" },
    ],
    ...[
      { type: "task", name: 5 },
      { type: "app", name: "a" },
      { type: "app", nam: "a" },
    ],
    ...[throwing, revoked()],
  ],
};

const reason = { name: "reason", ...text };
/** A cancel that is a callback gets an object. */
const isObject = (value: unknown) => typeof value === "object" && value !== null;
const reasonOrEvent = { ...reason, bad: text.bad.filter((bad) => !isObject(bad)) };

const CLIENT = {
  start: [name, input, start],
  rerun: [name, id, rerun],
  attach: [name, id, attach],
  attachAll: [query, follow],
  batch: [
    name,
    { name: "inputs", good: [1], bad: [undefined, null, 5, "ab", {}, new Set([1]), revoked()] },
    batch,
  ],
  attachBatch: [name, id, follow],
  list: [query, listed],
  watch: [{ ...query, bad: [undefined, ...query.bad] }, callback, watch],
  get: [id],
  cancelAll: [
    { ...query, good: { all: true }, bad: [undefined, {}, { all: false }, ...query.bad] },
    reason,
  ],
  counts: [],
  setLimit: [
    limitOf,
    // No limit is `null`.
    { name: "limit", ...required(orNull(count)) },
  ],
  schedules: [],
  trigger: [name],
  pauseSchedule: [name],
  resumeSchedule: [name],
} satisfies Record<keyof TasksClient<TaskMap>, Call>;

/** The methods that the handles of a task and of a batch have in common. */
const HANDLE: Record<string, Call> = {
  cancel: [reasonOrEvent],
  pause: [],
  resume: [],
  setPriority: [{ name: "priority", ...required(priority) }],
  remove: [],
  detach: [],
  toJSON: [],
};
const TASK: Record<string, Call> = { rerun: [rerun], items: [], chunks: [], bytes: [], stream: [] };
const BATCH: Record<string, Call> = { watchMembers: [callback, watch] };
/** They return at once, and report what is wrong. */
const LISTENERS: Record<string, Call> = {
  onProgress: [callback, pace],
  onStatus: [callback],
  onQueue: [callback],
};

/** The arguments of one call, all good but one; and the words that the message has to have. */
interface Case {
  readonly arguments: readonly unknown[];
  readonly words: string;
  readonly isInput: boolean;
}

function casesOf(call: Call): Case[] {
  return call.flatMap((argument, index) => {
    const but = (value: unknown) => call.map(({ good }, at) => (at === index ? value : good));
    const { name, bad, fields = {}, isInput = false } = argument;
    const whole = bad.map((value) => ({ arguments: but(value), words: name, isInput }));
    const parts = Object.entries(fields).flatMap(([field, { bad }]) =>
      bad.map((value) => ({
        arguments: but({ [field]: value }),
        words: `${name}.${field}`,
        isInput,
      })),
    );
    const getters = Object.keys(fields).map((field) => {
      const object = Object.defineProperty({}, field, { get: thrower, enumerable: true });
      return { arguments: but(object), words: name, isInput };
    });
    return [...whole, ...parts, ...getters];
  });
}

/** Returns what a call rejects with. Throws if it throws. */
async function rejection(
  target: object,
  method: string,
  args: readonly unknown[],
): Promise<unknown> {
  const call: unknown = Reflect.get(target, method);
  if (typeof call !== "function") throw new Error(`There is no method ${method}.`);
  const answer: unknown = call.apply(target, args);
  expect(answer).toBeInstanceOf(Promise);
  return (answer as Promise<unknown>).then(
    () => expect.unreachable(`${method} was not refused`),
    (error: unknown) => error,
  );
}

async function expectRefused(target: object, method: string, call: Call): Promise<void> {
  const { plugin, api } = page;
  const before = plugin.commands().length;
  for (const one of casesOf(call)) {
    const error = await rejection(target, method, one.arguments);
    expect(error).toBeInstanceOf(one.isInput ? api.TaskInputError : api.TaskError);
    expect(error).toMatchObject({ kind: one.isInput ? "invalidInput" : "invalidOptions" });
    expect((error as Error).message).toContain(`${method} was refused, since ${one.words}`);
  }
  expect(plugin.commands().slice(before)).toEqual([]);
  expect(page.page.session.size).toBeLessThanOrEqual(1);
}

function methodsOf(handle: object): string[] {
  const found: string[] = [];
  for (
    let at = Object.getPrototypeOf(handle);
    at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (name !== "constructor" && typeof value === "function") found.push(name);
    }
  }
  return found.sort();
}

describe("the tables", () => {
  it("have a row for each method of the client and of its handles", async () => {
    const { tasks } = page;
    expect(Object.keys(tasks).sort()).toEqual(Object.keys(CLIENT).sort());
    const all = (own: object) =>
      [...Object.keys({ ...HANDLE, ...own }), ...Object.keys(LISTENERS)].sort();
    expect(methodsOf(await tasks.start("tick"))).toEqual(all(TASK));
    expect(methodsOf(await tasks.batch("tick", []))).toEqual(all(BATCH));
  });

  it("have values that fit", async () => {
    const { plugin, tasks } = page;
    for (const [method, call] of Object.entries<Call>(CLIENT)) {
      const before = plugin.commands().length;
      const full = call.map(({ good, fields }) =>
        fields && method !== "cancelAll"
          ? Object.fromEntries(Object.entries(fields).map(([field, sort]) => [field, sort.good]))
          : good,
      );
      const run = Reflect.get(tasks, method) as (...args: unknown[]) => Promise<unknown>;
      // Some are refused by the plugin, which is enough here.
      await run(...full).catch(() => {});
      expect(plugin.commands().length, method).toBeGreaterThan(before);
    }
  });
});

describe("the client refuses, by name and before anything is sent, wrong arguments of", () => {
  it.each(Object.entries<Call>(CLIENT))("%s", async (method, call) => {
    await expectRefused(page.tasks, method, call);
    expect(page.plugin.commands()).toEqual([]);
  });
});

describe("a signal in the wrong place", () => {
  it("is refused with the place where it belongs", async () => {
    const { tasks } = page;
    const { signal } = new AbortController();
    const start = tasks.start as (...args: unknown[]) => Promise<unknown>;
    await expect(start("tick", { signal })).rejects.toThrow(
      "start was refused, since input.signal is an AbortSignal: pass it in the options, after the input, which is null",
    );
    await expect(start("tick", null, signal)).rejects.toThrow(
      "start was refused, since options is of type AbortSignal: pass { signal }.",
    );
  });
});

describe("a handle refuses wrong arguments of", () => {
  it.each(Object.entries({ ...HANDLE, ...TASK }))("%s", async (method, call) => {
    await expectRefused(await page.tasks.start("tick"), method, call);
  });

  it.each(Object.entries({ ...HANDLE, ...BATCH }))("%s, of a batch", async (method, call) => {
    await expectRefused(await page.tasks.batch("tick", [null]), method, call);
  });

  it.each(Object.entries(LISTENERS))("%s, which reports them", async (method, call) => {
    const reported = vi.fn();
    vi.stubGlobal("reportError", reported);
    const task = await page.tasks.start("tick");
    const cases = casesOf(call);
    for (const one of cases) {
      const listen = Reflect.get(task, method) as (...args: readonly unknown[]) => () => void;
      expect(listen(...one.arguments)()).toBeUndefined();
      expect(reported.mock.lastCall?.[0]).toMatchObject({
        name: "TaskError",
        kind: "invalidOptions",
        message: expect.stringContaining(`${method} was refused, since ${one.words}`),
      });
    }
    expect(reported).toHaveBeenCalledTimes(cases.length);
    vi.unstubAllGlobals();
  });
});

describe("no method throws or rejects with anything but a TaskError,", () => {
  const junk = [undefined, null, Number.NaN, "", LONE, [], ...never];

  async function sweep(target: object, methods: readonly string[]): Promise<void> {
    for (const method of methods) {
      for (const value of junk) {
        const run = Reflect.get(target, method) as (...args: unknown[]) => unknown;
        const answer = run(value, value, value);
        if (!(answer instanceof Promise)) continue;
        const error: unknown = await answer.then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (error !== undefined) expect(error).toBeInstanceOf(page.api.TaskError);
      }
    }
  }

  it("of the client", async () => {
    await sweep(page.tasks, Object.keys(page.tasks));
  });

  it("of a handle or a reading", async () => {
    vi.stubGlobal("reportError", () => {});
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.complete(task.id, 1);
    await plugin.frame();
    const items = task.items();
    await sweep(items, ["next", "return"]);
    await sweep(task, methodsOf(task));
    const batch = await tasks.batch("tick", []);
    await sweep(batch, methodsOf(batch));
    await settle();
    vi.unstubAllGlobals();
  });
});

describe("the message for a missing argument", () => {
  it("says which one, and what to pass", async () => {
    const { tasks } = page;
    const saved: { download?: string } = {};
    const attached = tasks.attach("download", saved.download as string);
    await expect(attached).rejects.toThrow(
      "attach was refused, since id is missing: pass the id of a task, such as task.id.",
    );
    await expect(
      (tasks.setLimit as (of: object) => Promise<void>)({ type: "app" }),
    ).rejects.toThrow(
      "limit is missing: pass a whole number from 0 to 4294967295, or null for no limit.",
    );
    await expect(tasks.start("tick", null, { priority: 1.5 })).rejects.toThrow(
      "options.priority is 1.5: pass a whole number from -2147483648 to 2147483647.",
    );
  });
});
