/** Feeds the client with what the plugin really takes and sends: the files in `tests/wire`, which its own tests write. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toTaskError } from "../errors/from-rejection.js";
import type { TaskError } from "../errors/task-error.js";
import type { BatchOptions, StartOptions } from "../index.js";
import type { Chunk, Outcome, SessionMessage, Started, TaskSnapshot } from "../ipc/bindings.js";
import { toChunk } from "../items/chunk.js";
import { PROTOCOL } from "../session/link.js";
import { fromWire } from "../task/outcome.js";
import { type LoadedPage, loadPage, settle } from "./load-page.js";

interface Call {
  readonly name: string;
  readonly command: string;
  readonly arguments: Record<string, unknown>;
  readonly answer?: unknown;
  readonly bytes?: number[];
  readonly error?: { readonly kind: string; readonly message: string; readonly data: unknown };
}

function load<T>(file: string): T {
  const path = resolve(import.meta.dirname, "../../../tests/wire", file);
  return JSON.parse(readFileSync(path, "utf8")) as T;
}

const calls = load<Call[]>("calls.json");
const messages = load<SessionMessage[]>("messages.json");

function call(name: string): Call {
  const found = calls.find((one) => one.name === name);
  if (!found) throw new Error(`There is no call ${name} in calls.json.`);
  return found;
}

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

/** What the client makes up itself. */
const OWN = ["session", "id", "newId", "reader", "channel"];

/** How the client makes each call that the plugin has recorded. */
const made: Record<string, (recorded: Call) => Promise<unknown>> = {
  open: () => page.tasks.start("tick"),
  start: ({ arguments: { input, options } }) =>
    page.api.createTasks().start("echo", input, options as StartOptions),
  batch: ({ arguments: { inputs, options } }) =>
    page.api.createTasks().batch("hang", inputs as null[], options as BatchOptions),
  list: () => page.tasks.list({}, { limit: 1 }),
  "list-next": () => page.api.createTasks().list({ task: "hang" }, { limit: 1, after: 2 }),
  "list-none": ({ arguments: { filter } }) =>
    page.api.createTasks().list(filter as Parameters<typeof page.tasks.list>[0]),
  get: ({ arguments: { id } }) => page.tasks.get(String(id)),
  leave: async () => {
    const controller = new AbortController();
    await page.tasks.start("tick", null, { signal: controller.signal });
    controller.abort();
    await settle();
  },
  "watch-list": () => page.api.createTasks().watch({ task: "echo" }, () => {}),
  counts: () => page.tasks.counts(),
  cancelAll: () => page.tasks.cancelAll({ tag: "none" }),
  setLimit: () => page.tasks.setLimit({ type: "task", name: "one" }, 0),
  schedules: () => page.tasks.schedules(),
  pauseSchedule: () => page.tasks.pauseSchedule("nightly"),
  resumeSchedule: () => page.tasks.resumeSchedule("nightly"),
};

describe("the calls of the client", () => {
  for (const [name, make] of Object.entries(made)) {
    it(`are those that the plugin takes, and it reads the answer: ${name}`, async () => {
      const recorded = call(name);
      const { plugin } = page;
      if (name !== "open") plugin.answer(recorded.command, recorded.answer);
      const result = await make(recorded);
      const sent = plugin.calls(recorded.command)[0] ?? {};
      const expected = Object.entries(recorded.arguments).map(([field, value]) =>
        OWN.includes(field) ? [field, expect.anything()] : [field, value],
      );
      expect(sent).toEqual(Object.fromEntries(expected));
      const plain = ["list", "list-next", "list-none", "get", "counts", "cancelAll", "schedules"];
      if (plain.includes(name)) expect(result).toEqual(recorded.answer);
    });
  }

  it("about one task are those that the plugin takes", async () => {
    const { plugin } = page;
    const tasks = page.api.createTasks();
    const { snapshot } = call("start").answer as Started;
    plugin.answer("watch", [snapshot]);
    const task = await tasks.attach("echo", snapshot.id);
    const names = { setPriority: -3, pause: null, resume: null, cancel: null, remove: null };
    await settle();
    plugin.answer("set_priority", null);
    await task.setPriority(names.setPriority);
    for (const name of ["pause", "resume", "cancel", "remove"] as const) {
      plugin.answer(name, call(name).answer);
      await task[name]();
      const { id: _, ...rest } = call(name).arguments;
      expect(plugin.calls(name)).toEqual([{ id: snapshot.id, ...rest }]);
    }
    expect(plugin.calls("set_priority")).toEqual([call("setPriority").arguments]);
    plugin.answer("watch", [snapshot]);
    task.onProgress(() => {}, { everyMs: 250 });
    await settle();
    const { session: __, ...watched } = call("watch-task").arguments;
    expect(plugin.calls("watch").at(-1)).toMatchObject(watched);
  });

  it("leave out none that the plugin has recorded", () => {
    const others = new Set([
      "ack",
      "unwatch",
      "cancel_read",
      "read",
      "outcome",
      "rerun",
      "trigger",
    ]);
    const covered = new Set([
      ...Object.keys(made).map((name) => call(name).command),
      ...["set_priority", "pause", "resume", "cancel", "remove", "watch"],
    ]);
    const missing = calls.filter(({ command }) => !covered.has(command) && !others.has(command));
    expect(missing).toEqual([]);
  });

  it("speak the same protocol", () => {
    expect(call("open").answer).toMatchObject({ protocol: PROTOCOL });
    expect(call("open").arguments).toMatchObject({ protocol: PROTOCOL });
  });
});

describe("the errors of the plugin", () => {
  for (const { name, error } of calls.filter((one) => one.error)) {
    it(`are read with all that they say: ${name}`, () => {
      const read = toTaskError(error);
      expect(read.kind).toBe(name);
      expect([read.message, read.data]).toEqual([error?.message, error?.data]);
    });
  }

  it("have the fields that their classes are for", () => {
    const field = (name: string, of: string) => Reflect.get(toTaskError(call(name).error), of);
    expect(field("invalidInput", "path")).toBe("number");
    expect(field("queueFull", "limit")).toBe(20);
    expect([field("quotaExceeded", "quota"), field("quotaExceeded", "limit")]).toEqual([
      "sessions",
      16,
    ]);
    expect(field("keyTaken", "id")).toBe(call("start").arguments["id"]);
  });
});

describe("the outcomes of the plugin", () => {
  const outcome = (name: string) => fromWire(call(`outcome-${name}`).answer as Outcome);
  const error = (name: string) => (outcome(name) as { error: TaskError }).error;

  it("are read with all that they say", () => {
    expect(outcome("completed")).toEqual({ status: "completed", output: 42 });
    expect(error("failed")).toMatchObject({ kind: "failed", error: { http: 404 } });
    expect(error("panicked")).toMatchObject({ kind: "panic" });
    expect(error("cancelled")).toMatchObject({ kind: "cancelled", reason: "user" });
    expect(error("timedOut")).toMatchObject({ kind: "timedOut", limit: "deadline" });
  });
});

describe("the chunks of the plugin", () => {
  it("are read with all that they say", () => {
    const head = { first: 0, missed: 0, done: true, attempt: 1 };
    const items = ["a", { b: [1] }];
    expect(toChunk(call("read-items").answer as Chunk)).toEqual({ ...head, end: 2, items });
    const { buffer } = Uint8Array.from(call("read-bytes").bytes ?? []);
    const bytes = toChunk(buffer as unknown as Chunk);
    expect(bytes).toEqual({ ...head, end: 3, items: new Uint8Array([0, 1, 2]) });
  });
});

describe("the messages of the plugin", () => {
  it("lead to the same states in handles and in a list", async () => {
    const { plugin } = page;
    const tasks = page.api.createTasks();
    const first = messages[0]?.lists[0]?.changed ?? [];
    const lists: TaskSnapshot[][] = [];
    await tasks.watch({}, (all) => lists.push(all));
    const handles = [];
    for (const snapshot of first) {
      plugin.answer("watch", [snapshot]);
      handles.push(await tasks.attach(snapshot.task, snapshot.id));
    }
    for (const message of messages) await plugin.push(message);
    const ends = handles.map(({ status }) => status);
    expect(ends).toEqual([
      "completed",
      "failed",
      "cancelled",
      "timedOut",
      "completed",
      "completed",
    ]);
    expect(page.page.tasks.size).toBe(0);
    const left = handles.filter(({ id }) => messages.at(-1)?.lists[0]?.removed[0] !== id);
    expect(left).toHaveLength(5);
    expect(lists.at(-1)).toEqual(left.map(({ snapshot }) => snapshot));
    const outcomes = await Promise.all(handles.map(({ outcome }) => outcome));
    expect(outcomes.map(({ status }) => status)).toEqual(ends);
    expect(plugin.calls("outcome")).toEqual([]);
    const detail = handles[0]?.snapshot.progress.detail;
    expect(JSON.stringify(detail)).toBe('{"__proto__":{"a":1},"file":"a \\"b\\"\\\\c"}');
  });

  it("have an event and a change of each sort", () => {
    const sorts = messages.flatMap(({ events }) => events.map(({ change }) => change.type));
    expect(new Set(sorts)).toEqual(new Set(["status", "progress", "queue"]));
    const changes = messages.flatMap(({ lists }) => lists);
    for (const part of ["changed", "progressed", "removed"] as const) {
      expect(changes.some((change) => change[part].length > 0)).toBe(true);
    }
  });
});

describe("the mock of the plugin", () => {
  /** The names of all fields, without their values: what is null in one may have a value in the other. */
  const fields = (value: object | null | undefined) => Object.keys(value ?? {}).sort();
  const eventOf = (all: readonly SessionMessage[], type: string) =>
    all.flatMap(({ events }) => events).find((event) => event.change.type === type);

  it("sends what has the shape of what the real one sends", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    await tasks.watch({}, () => {});
    plugin.status(task.id, "running", { attempt: 1 });
    await plugin.frame();
    plugin.progress(task.id, { completed: 1 });
    const waits = await tasks.start("tick", null, { held: true });
    await waits.resume();
    await plugin.frame();
    const real = call("start").answer as Started;
    const { snapshot } = waits;
    expect(fields(snapshot)).toEqual(fields(real.snapshot));
    expect(fields(snapshot.progress)).toEqual(fields(real.snapshot.progress));
    expect(fields(snapshot.queue)).toEqual(fields(real.snapshot.queue));
    expect(fields(await tasks.list())).toEqual(fields(call("list").answer as object));
    plugin.emit(task.id, 1);
    const chunk = plugin.tasks.get(task.id)?.items.ask("s", { reader: "r", chunk: 1, from: 0 }, 9);
    expect(fields(chunk)).toEqual(fields(call("read-items").answer as object));
    for (const type of ["status", "progress", "queue"]) {
      const [made, recorded] = [eventOf(plugin.sent, type), eventOf(messages, type)];
      expect(fields(made)).toEqual(fields(recorded));
      expect(fields(made?.change.data)).toEqual(fields(recorded?.change.data));
    }
    expect(fields(plugin.sent[0])).toEqual(fields(messages[0]));
    expect(fields(plugin.sent[0]?.lists[0])).toEqual(fields(messages[0]?.lists[0]));
  });
});
