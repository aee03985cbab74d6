import { describe, expect, it, vi } from "vitest";
import { toTaskError } from "../errors/from-rejection.js";
import {
  OutcomeExpiredError,
  TaskCancelledError,
  TaskError,
  TaskFailedError,
  TaskInputError,
  TaskKeyTakenError,
  TaskNotFoundError,
  TaskPanicError,
  TaskPermissionError,
  TaskQueueFullError,
  TaskQuotaError,
  TaskReaderGoneError,
  TaskTimedOutError,
} from "../errors/task-error.js";

describe("errors of the plugin", () => {
  it("become instances of their kind's class and keep message and data", () => {
    const wire = (kind: string, data: unknown = null) => ({ kind, message: `it is ${kind}`, data });
    const cases = [
      ["notAllowed", TaskPermissionError],
      ["notFound", TaskNotFoundError],
      ["outcomeExpired", OutcomeExpiredError],
      ["alreadyEnded", TaskError],
      ["somethingNewer", TaskError],
    ] as const;
    for (const [kind, type] of cases) {
      const error = toTaskError(wire(kind, { some: "data" }));
      expect(error.constructor).toBe(type);
      expect(error).toMatchObject({ kind, message: `it is ${kind}`, data: { some: "data" } });
    }
  });

  it("can come without data", () => {
    expect(toTaskError({ kind: "internal", message: "no" }).data).toBeNull();
  });

  it("name the field of an input that has the wrong type", () => {
    const error = toTaskError({ kind: "invalidInput", message: "no", data: { path: "files[2]" } });
    expect(error).toBeInstanceOf(TaskInputError);
    expect(error).toMatchObject({ path: "files[2]" });
    expect(toTaskError({ kind: "invalidInput", message: "no", data: null })).toMatchObject({
      path: "",
    });
  });

  it("say how many tasks may wait, which quota is used up, which task has the key, or what a reading has missed", () => {
    const full = toTaskError({ kind: "queueFull", message: "no", data: { limit: 100 } });
    expect(full).toBeInstanceOf(TaskQueueFullError);
    expect(full).toMatchObject({ limit: 100, data: { limit: 100 } });
    const over = { quota: "liveTasks", limit: 20_000 };
    const exceeded = toTaskError({ kind: "quotaExceeded", message: "no", data: over });
    expect(exceeded).toBeInstanceOf(TaskQuotaError);
    expect(exceeded).toMatchObject({ ...over, data: over });
    const taken = toTaskError({ kind: "keyTaken", message: "no", data: { id: "a" } });
    expect(taken).toBeInstanceOf(TaskKeyTakenError);
    expect(taken).toMatchObject({ id: "a", data: { id: "a" } });
    const hidden = toTaskError({ kind: "keyTaken", message: "no", data: null });
    expect(hidden).toBeInstanceOf(TaskKeyTakenError);
    expect(hidden).toMatchObject({ id: null, data: null });
    const idled = toTaskError({ kind: "readerGone", message: "no", data: { missed: 7 } });
    expect(idled).toBeInstanceOf(TaskReaderGoneError);
    expect(idled).toMatchObject({ missed: 7, data: { missed: 7 } });
    const none = toTaskError({ kind: "readerGone", message: "no", data: { missed: 0 } });
    expect(none).toBeInstanceOf(TaskReaderGoneError);
    for (const data of [null, undefined, {}, { missed: null }]) {
      const lost = toTaskError({ kind: "readerGone", message: "no", data });
      expect(lost).not.toBeInstanceOf(TaskReaderGoneError);
      expect([lost.name, lost.kind, lost.data]).toEqual(["TaskError", "readerGone", data ?? null]);
    }
    for (const kind of ["notQueued", "notRerunnable", "invalidOptions"]) {
      const error = toTaskError({ kind, message: "no", data: null });
      expect([error.constructor, error.kind]).toEqual([TaskError, kind]);
    }
  });

  it("stay the same when they are converted twice", () => {
    const error = new TaskError("internal", "no");
    expect(toTaskError(error)).toBe(error);
  });
});

describe("each error", () => {
  it("is an Error with its own name, a kind and a stack", () => {
    const all: [TaskError, string, string][] = [
      [new TaskError("internal", "m"), "TaskError", "internal"],
      [new TaskFailedError("m", 1), "TaskFailedError", "failed"],
      [new TaskPanicError("m"), "TaskPanicError", "panic"],
      [new TaskPanicError("m", "unserializable"), "TaskPanicError", "unserializable"],
      [new TaskPanicError("m", "runtimeEnded"), "TaskPanicError", "runtimeEnded"],
      [new TaskCancelledError("m", "user"), "TaskCancelledError", "cancelled"],
      [new TaskTimedOutError("m", "stalled"), "TaskTimedOutError", "timedOut"],
      [new TaskQueueFullError("m", 1), "TaskQueueFullError", "queueFull"],
      [new TaskQuotaError("m", "liveTasks", 1), "TaskQuotaError", "quotaExceeded"],
      [new TaskReaderGoneError("m", 1), "TaskReaderGoneError", "readerGone"],
      [new TaskKeyTakenError("m", null), "TaskKeyTakenError", "keyTaken"],
      [new TaskPermissionError("permission", "m"), "TaskPermissionError", "permission"],
      [new TaskInputError("m", "url"), "TaskInputError", "invalidInput"],
      [new TaskNotFoundError("m"), "TaskNotFoundError", "notFound"],
      [new OutcomeExpiredError("m"), "OutcomeExpiredError", "outcomeExpired"],
    ];
    for (const [error, name, kind] of all) {
      expect(error).toBeInstanceOf(Error);
      expect(error).toBeInstanceOf(TaskError);
      expect(error).toMatchObject({ name, kind, message: "m" });
      expect(String(error)).toBe(`${name}: m`);
    }
  });
});

// The messages of tauri 2.12.5: `RuntimeAuthority::resolve_access_message` (debug builds), `Webview::on_message`.
describe("refusals by Tauri's ACL", () => {
  const refusals: [wording: string, text: string, hint: RegExp][] = [
    [
      "debug, no permission",
      "tasks.open not allowed. Permissions associated with this command: tasks:allow-open, tasks:default",
      /Add "tasks:default" to "permissions" in the one of src-tauri\/capabilities\/\*\.json/,
    ],
    [
      "debug, no permission to start",
      "tasks.start not allowed. Permissions associated with this command: tasks:allow-start, tasks:default",
      /"tasks:default" and \{ "identifier": "tasks:allow-start", "allow": \[\{ "task": "download" \}\] \}/,
    ],
    [
      "release",
      "Command plugin:tasks|start not allowed by ACL",
      /"tasks:allow-start", "allow": \[\{ "task": "download" \}\]/,
    ],
    [
      "debug, no permission to rerun",
      "tasks.rerun not allowed. Permissions associated with this command: tasks:allow-start",
      /"tasks:default" and \{ "identifier": "tasks:allow-start", "allow": \[\{ "task": "download" \}\] \}/,
    ],
    [
      "release, no permission for a batch",
      "Command plugin:tasks|batch not allowed by ACL",
      /"tasks:allow-start", "allow": \[\{ "task": "download" \}\]/,
    ],
    [
      "release, no permission to set a limit",
      "Command plugin:tasks|set_limit not allowed by ACL",
      /"tasks:default" and \{ "identifier": "tasks:allow-set-limit", "allow": \[\{ "task": "…", "owner": "any" \}\] \}/,
    ],
    [
      "debug, no permission to count",
      "tasks.counts not allowed. Permissions associated with this command: tasks:observe-all",
      /"tasks:default" and \{ "identifier": "tasks:allow-counts", .+ \} to "permissions"/,
    ],
    [
      "debug, another window",
      'tasks.start not allowed on window "two", webview "two", URL: local\n\nallowed on: [windows: "main", URL: local]\n\nreferenced by: capability: main, permission: default',
      /Add this window to "windows"/,
    ],
    [
      "debug, another origin",
      "tasks.start not allowed on origin [remote: https://example.org/]. Please create a capability that has this origin on the context field.\n\nFound matches for: - context: [local], referenced by: capability: main, permission: default\n\nPermissions associated with this command: tasks:default",
      /"remote": \{ "urls": \[…\] \}/,
    ],
    [
      "debug, denied",
      "tasks.start explicitly denied on origin local\n\nreferenced by: capability: main, permission: deny-start",
      /Remove the "deny" permission/,
    ],
  ];
  for (const [wording, text, hint] of refusals) {
    it(`become a permission error with a hint (${wording})`, () => {
      const error = toTaskError(text, "download");
      expect(error).toBeInstanceOf(TaskPermissionError);
      expect(error.kind).toBe("permission");
      expect(error.message.startsWith(text)).toBe(true);
      expect(error.message.slice(text.length)).toMatch(hint);
      expect(error.message.slice(text.length)).toContain("src-tauri/capabilities/*.json");
    });
  }
});

describe("other strings from Tauri", () => {
  const others: [text: string, hint: RegExp][] = [
    ["tasks.start not allowed. Plugin not found", /register the plugin/],
    ["plugin tasks not found", /register the plugin/],
    ["tasks.start not allowed. Command not found", /Update the crate/],
    ["Command start not found", /Update the crate/],
    [
      "invalid args `target` for command `watch`: command watch missing required key target",
      /Update/,
    ],
  ];
  for (const [text, hint] of others) {
    it(`become ipc errors with a hint (${text.slice(0, 40)})`, () => {
      const error = toTaskError(text);
      expect(error.constructor).toBe(TaskError);
      expect(error.kind).toBe("ipc");
      expect(error.message.startsWith(text)).toBe(true);
      expect(error.message.slice(text.length)).toMatch(hint);
    });
  }

  it("are passed on unchanged if this package doesn't know them", () => {
    expect(toTaskError("the webview is gone")).toMatchObject({
      kind: "ipc",
      message: "the webview is gone",
    });
  });

  it("can be errors of the page itself", () => {
    const cause = new TypeError("Load failed");
    expect(toTaskError(cause)).toMatchObject({ kind: "ipc", cause });
    expect(toTaskError(undefined).kind).toBe("ipc");
  });
});

describe("instanceof", () => {
  /** One error of each class, with the classes that it is an instance of. */
  function eachOf(classes: typeof import("../errors/task-error.js")) {
    return [
      [new classes.TaskError("internal", "m"), "TaskError"],
      [new classes.TaskFailedError("m", 1), "TaskFailedError"],
      [new classes.TaskPanicError("m"), "TaskPanicError"],
      [new classes.TaskCancelledError("m", "user"), "TaskCancelledError"],
      [new classes.TaskTimedOutError("m", "stalled"), "TaskTimedOutError"],
      [new classes.TaskQueueFullError("m", 1), "TaskQueueFullError"],
      [new classes.TaskQuotaError("m", "liveTasks", 1), "TaskQuotaError"],
      [new classes.TaskReaderGoneError("m", 1), "TaskReaderGoneError"],
      [new classes.TaskKeyTakenError("m", null), "TaskKeyTakenError"],
      [new classes.TaskPermissionError("permission", "m"), "TaskPermissionError"],
      [new classes.TaskInputError("m", "url"), "TaskInputError"],
      [new classes.TaskNotFoundError("m"), "TaskNotFoundError"],
      [new classes.OutcomeExpiredError("m"), "OutcomeExpiredError"],
    ] as const;
  }

  async function twoCopies() {
    const one = await import("../errors/task-error.js");
    vi.resetModules();
    const other = await import("../errors/task-error.js");
    expect(other.TaskError).not.toBe(one.TaskError);
    return [one, other] as const;
  }

  it("works across two copies of the package, both ways, for each class and no other", async () => {
    const [one, other] = await twoCopies();
    const names = eachOf(one).map(([, name]) => name);
    expect([...names].sort()).toEqual(Object.keys(one).sort());
    for (const [made, asked] of [
      [one, other],
      [other, one],
      [one, one],
    ] as const) {
      for (const [error, own] of eachOf(made)) {
        const found = names.filter((name) => error instanceof asked[name]);
        expect(found).toEqual(own === "TaskError" ? [own] : ["TaskError", own]);
        expect(error).toBeInstanceOf(Error);
      }
    }
  });

  it("keeps its ordinary meaning for a subclass of the app's own", async () => {
    const [one, other] = await twoCopies();
    class Renamed extends one.TaskNotFoundError {}
    class Further extends Renamed {}
    const error = new Further("m");
    for (const type of [Further, Renamed, one.TaskNotFoundError, one.TaskError]) {
      expect(error).toBeInstanceOf(type);
    }
    expect(error).toBeInstanceOf(other.TaskNotFoundError);
    expect(error).toBeInstanceOf(other.TaskError);
    expect(error).not.toBeInstanceOf(other.TaskCancelledError);
    class Same extends other.TaskNotFoundError {}
    for (const not of [
      error,
      new one.TaskNotFoundError("m"),
      new other.TaskNotFoundError("m"),
      undefined,
      {},
    ]) {
      expect(not instanceof Same).toBe(false);
    }
    expect(new one.TaskNotFoundError("m")).not.toBeInstanceOf(Renamed);
    expect(new Same("m")).toBeInstanceOf(Same);
  });

  it("is false for whatever only looks like an error, and never throws", async () => {
    const [one, other] = await twoCopies();
    const error = new one.TaskCancelledError("m", "user");
    const marked = (prototype: object) =>
      Object.fromEntries(
        Object.getOwnPropertySymbols(prototype).map((key) => [key, Reflect.get(prototype, key)]),
      );
    const revoked = Proxy.revocable(error, {});
    revoked.revoke();
    const throws = new Proxy(error, {
      getPrototypeOf() {
        throw new Error("no");
      },
    });
    const yes = new Proxy({}, { get: () => "TaskError", has: () => true });
    for (const value of [
      undefined,
      null,
      true,
      0,
      0n,
      "TaskError",
      Symbol("TaskError"),
      {},
      [],
      () => {},
      one.TaskError,
      new Error("m"),
      Object.create(null),
      { ...error },
      { name: error.name, kind: error.kind, message: "m", data: null, stack: error.stack },
      JSON.parse(JSON.stringify(error)),
      structuredClone(error),
      { ...marked(one.TaskError.prototype), ...marked(one.TaskCancelledError.prototype) },
      revoked.proxy,
      throws,
      yes,
    ]) {
      for (const type of [one.TaskError, other.TaskError, other.TaskCancelledError]) {
        expect(value instanceof type).toBe(false);
      }
    }
    // As with any class, a proxy has the prototype of its target.
    expect(new Proxy(error, {})).toBeInstanceOf(other.TaskCancelledError);
  });

  it("shows none of it in an error's own properties", () => {
    const error = new TaskError("internal", "m");
    expect(Object.keys(error).sort()).toEqual(["data", "kind", "name"]);
    expect(Object.getOwnPropertySymbols(error)).toEqual([]);
    expect(Object.keys(TaskError)).toEqual([]);
  });
});
