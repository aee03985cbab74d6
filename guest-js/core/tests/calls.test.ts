// Calls that the app doesn't answer, or answers too late.
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { clearMocks, mockIPC } from "@tauri-apps/api/mocks";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { commands } from "../calls/commands.js";
import { TaskError } from "../errors/task-error.js";
import { commands as bindings } from "../ipc/bindings.js";
import { type LoadedPage, loadPage, settle, stateOf } from "./load-page.js";

const LIMIT_MS = 30_000;
const pending = { pending: true };

describe("every command", () => {
  const WAITING = ["ack", "read", "outcome"];

  beforeEach(() => {
    vi.useFakeTimers();
    mockIPC(() => new Promise(() => {}));
  });
  afterEach(() => {
    clearMocks();
    vi.useRealTimers();
  });

  for (const name of Object.keys(bindings)) {
    const call = () => (Reflect.get(commands, name) as () => Promise<unknown>)();
    if (WAITING.includes(name)) {
      it(`that may wait, as ${name}, does not reject`, async () => {
        const rejected = vi.fn();
        call().catch(rejected);
        await vi.advanceTimersByTimeAsync(600_000);
        expect(rejected).not.toHaveBeenCalled();
      });
    } else {
      it(`that is to be answered at once, as ${name}, rejects after 30 s without an answer`, async () => {
        const called = call();
        const rejected = vi.fn();
        called.catch(rejected);
        await vi.advanceTimersByTimeAsync(LIMIT_MS - 1);
        expect(rejected).not.toHaveBeenCalled();
        await vi.advanceTimersByTimeAsync(1);
        const error = rejected.mock.calls[0]?.[0] as TaskError;
        expect(error).toBeInstanceOf(TaskError);
        expect(error.kind).toBe("ipc");
        expect(error.message).toContain(`"${name}"`);
        expect(error.message).toContain("30 s");
        expect(vi.getTimerCount()).toBe(0);
      });
    }
  }

  it("that the page repeats, as ack and outcome, is given up without an error", async () => {
    const found = vi.fn();
    void commands.ack("s", 1, null).then(found);
    void commands.outcome("id").then(found);
    await vi.advanceTimersByTimeAsync(LIMIT_MS);
    expect(found.mock.calls).toEqual([[null]]);
    await vi.advanceTimersByTimeAsync(25_000);
    expect(found.mock.calls).toEqual([[null], [null]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is called through the limits", () => {
    const core = resolve(import.meta.dirname, "..");
    const files = readdirSync(core, { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".ts"),
    );
    const importers = files.filter((file) => {
      if (/^(tests|ipc)\b/.test(file)) return false;
      const text = readFileSync(join(core, file), "utf8");
      return /import \{[^}]*\bcommands\b[^}]*\} from "[^"]*bindings/.test(text);
    });
    expect(importers).toEqual([join("calls", "commands.ts")]);
  });
});

describe("a call of a page", () => {
  let page: LoadedPage;
  beforeEach(async () => {
    page = await loadPage();
  });
  afterEach(() => page.unload());

  /** Loads another page with a plugin of its own. */
  async function reloaded(): Promise<LoadedPage> {
    page.unload();
    page = await loadPage();
    return page;
  }
  /** Lets the limit pass. */
  const wait = () => vi.advanceTimersByTimeAsync(LIMIT_MS);
  /** Marks the rejection as handled, and returns what it rejects with after the limit. */
  async function rejection(call: Promise<unknown>): Promise<unknown> {
    const state = call.then(
      () => "resolved",
      (error: unknown) => error,
    );
    await wait();
    return Promise.race([state, "pending"]);
  }
  const unanswered = (name: string) => ({
    name: "TaskError",
    kind: "ipc",
    message: expect.stringContaining(`"${name}"`),
  });

  it("leaves no timer behind when it is answered", async () => {
    const { tasks } = page;
    await tasks.list();
    await tasks.counts();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("rejects if the session can't be opened in time", async () => {
    const { plugin, tasks } = page;
    plugin.hold("open");
    expect(await rejection(tasks.start("tick"))).toMatchObject(unanswered("open"));
    expect(page.kept()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    // Nothing depends on the lost call.
    const task = await tasks.start("tick");
    expect(plugin.calls("start")).toHaveLength(1);
    expect(task.status).toBe("queued");
  });

  it("uses a session that was opened late", async () => {
    const { plugin, tasks } = page;
    const answer = plugin.hold("open");
    expect(await rejection(tasks.start("tick"))).toMatchObject(unanswered("open"));
    answer();
    await settle();
    const task = await tasks.start("tick");
    expect(plugin.calls("open")).toHaveLength(1);
    plugin.status(task.id, "running");
    await plugin.frame();
    expect(task.status).toBe("running");
  });

  it("uses a session in which the plugin has sent something before it was opened", async () => {
    for (const isLate of [false, true]) {
      const { plugin, tasks } = await reloaded();
      const answer = plugin.hold("open");
      const first = tasks.start("tick").catch((error: unknown) => error);
      await vi.advanceTimersByTimeAsync(12_000);
      await plugin.probe();
      if (isLate) await vi.advanceTimersByTimeAsync(18_000);
      answer();
      await settle();
      expect(plugin.session().open, "acknowledged").toBeUndefined();
      if (isLate) expect(await first).toMatchObject(unanswered("open"));
      const task = await tasks.start("tick");
      plugin.status(task.id, "running");
      await plugin.frame();
      expect(task.status).toBe("running");
      expect(plugin.calls("open")).toHaveLength(1);
    }
  });

  it("ignores what came in a session that could not be opened", async () => {
    const { plugin, tasks } = page;
    const answer = plugin.hold("open");
    plugin.loseAnswer("open");
    const started = tasks.start("tick");
    const refused = expect(started).rejects.toMatchObject({ kind: "ipc" });
    await settle();
    const lost = plugin.session();
    await plugin.probe(lost);
    answer();
    await refused;
    await plugin.probe(lost);
    expect(plugin.calls("ack")).toEqual([]);
  });

  it("does not use a session that was opened late when there is another one", async () => {
    const { plugin, tasks } = page;
    const answer = plugin.hold("open");
    expect(await rejection(tasks.start("tick"))).toMatchObject(unanswered("open"));
    const task = await tasks.start("tick");
    answer();
    await settle();
    plugin.status(task.id, "running");
    await plugin.frame();
    expect(task.status).toBe("running");
    await tasks.start("tick");
    const [first, second] = plugin.calls("start");
    expect(first?.["session"]).toBe(second?.["session"]);
  });

  const starts = {
    start: () => page.tasks.start("download", { url: "u" }),
    "start that may join": () =>
      page.tasks.start("download", { url: "u" }, { key: "k", onConflict: "join" }),
    batch: () => page.tasks.batch("download", [{ url: "u" }]),
    rerun: async () => {
      const id = page.plugin.begin("download");
      page.plugin.end(id, { status: "cancelled", data: { reason: "user" } });
      return page.tasks.rerun("download", id);
    },
  };

  for (const [name, start] of Object.entries(starts)) {
    const command = name.replace(/ .*/, "");

    it(`that is a ${name} rejects, and gives its share back when the answer comes after all`, async () => {
      const { plugin } = page;
      const answer = plugin.hold(command);
      expect(await rejection(start())).toMatchObject(unanswered(command));
      expect(plugin.calls("leave")).toEqual([]);
      expect(page.kept()).toBe(0);
      answer();
      await settle();
      const call = plugin.calls(command)[0];
      const id = call?.["newId"] ?? call?.["id"];
      expect(plugin.calls("leave")).toEqual([{ id }]);
      expect(plugin.session().tasks.has(String(id)), "no events of it come").toBe(false);
      expect(page.kept()).toBe(0);
      expect(vi.getTimerCount()).toBe(0);
    });

    it(`that is a ${name} gives nothing back if it is refused late`, async () => {
      const { plugin } = page;
      plugin.loseAnswer(command);
      const answer = plugin.hold(command);
      expect(await rejection(start())).toMatchObject(unanswered(command));
      answer();
      await settle();
      expect(plugin.calls("leave")).toEqual([]);
    });
  }

  it("that was to start a task with a signal that is aborted gives its share back however late the answer is", async () => {
    const { plugin, tasks } = page;
    const answer = plugin.hold("start");
    const controller = new AbortController();
    const started = tasks.start("tick", null, { signal: controller.signal });
    await settle();
    controller.abort("enough");
    expect(await stateOf(started)).toEqual({ reason: "enough" });
    await vi.advanceTimersByTimeAsync(10 * LIMIT_MS);
    expect(page.kept()).toBe(0);
    answer();
    await settle();
    const id = plugin.calls("start")[0]?.["id"];
    // Given up first, and then answered.
    expect(plugin.calls("leave")).toEqual([{ id }, { id }]);
  });

  it("that joined another task doesn't cancel that task, and follows it only if somebody does", async () => {
    for (const follows of [false, true]) {
      const { plugin, tasks } = page;
      const key = `key ${follows}`;
      const id = plugin.begin("tick", "main", { key });
      const attached = follows ? await tasks.attach("tick", id) : undefined;
      const answer = plugin.hold("start");
      const options = { key, onConflict: "join" } as const;
      expect(await rejection(tasks.start("tick", null, options))).toMatchObject({ kind: "ipc" });
      answer();
      await settle();
      expect(plugin.calls("leave").at(-1)).toEqual({ id: plugin.calls("start").at(-1)?.["id"] });
      expect(plugin.tasks.get(id)?.snapshot.status).toBe("queued");
      expect(plugin.session().tasks.has(id)).toBe(follows);
      plugin.status(id, "running");
      await plugin.frame();
      expect(attached?.status).toBe(follows ? "running" : undefined);
    }
  });

  it("that attaches can be repeated at once, and the late answer takes nothing away", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    const answer = plugin.hold("watch");
    expect(await rejection(tasks.attach("tick", id))).toMatchObject(unanswered("watch"));
    const task = await tasks.attach("tick", id);
    answer();
    await settle();
    plugin.status(id, "running");
    await plugin.frame();
    expect(task.status).toBe("running");
    expect(plugin.session().tasks.has(id)).toBe(true);
  });

  it("that attaches too late is undone if nobody has repeated it", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    const answer = plugin.hold("watch");
    expect(await rejection(tasks.attach("tick", id))).toMatchObject(unanswered("watch"));
    expect(plugin.session().tasks.has(id)).toBe(true);
    answer();
    await settle();
    expect(plugin.session().tasks.has(id)).toBe(false);
    expect(page.kept()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that is always answered too late keeps nothing going for a task that nobody holds", async () => {
    for (const late of [["unwatch"], ["watch"], ["watch", "unwatch"]]) {
      const { plugin, tasks } = await reloaded();
      for (const command of late) plugin.delay(command, 31_000);
      const id = plugin.begin("tick");
      const attached = tasks.attach("tick", id).then(
        (task) => task.detach(),
        () => {},
      );
      await vi.advanceTimersByTimeAsync(600_000);
      await attached;
      const calls = plugin.calls("watch").length + plugin.calls("unwatch").length;
      expect(calls, late.join()).toBe(2);
      expect(plugin.session().tasks.has(id)).toBe(false);
      expect(page.kept()).toBe(0);
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  it("that undoes a late attach takes nothing from whoever attaches meanwhile", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    const watch = plugin.hold("watch");
    expect(await rejection(tasks.attach("tick", id))).toMatchObject(unanswered("watch"));
    const unwatch = plugin.hold("unwatch");
    watch();
    await settle();
    expect(plugin.calls("unwatch")).toHaveLength(1);
    const task = await tasks.attach("tick", id);
    // As if the plugin carried out the call only now.
    plugin.session().tasks.delete(id);
    unwatch();
    await settle();
    plugin.status(id, "running");
    await plugin.frame();
    expect(task.status).toBe("running");
  });

  it("that watches a list too late is undone", async () => {
    const { plugin, tasks } = page;
    const answer = plugin.hold("watch");
    expect(await rejection(tasks.watch({}, () => {}))).toMatchObject(unanswered("watch"));
    expect(plugin.session().lists.size).toBe(1);
    answer();
    await settle();
    expect(plugin.session().lists.size).toBe(0);
    expect(page.kept()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that renews a list in a new session too late loses no change", async () => {
    const { plugin, tasks } = page;
    let shown = 0;
    const stop = await tasks.watch({}, (all) => {
      shown = all.length;
    });
    plugin.dropSessions();
    const answer = plugin.hold("watch");
    // The ping finds out, the request is given up, and the next ping makes another one.
    await vi.advanceTimersByTimeAsync(10_000 + LIMIT_MS + 10_000);
    expect(plugin.calls("watch").length).toBeGreaterThan(2);
    // As if the plugin carried out the late request only now: the change is in its answer alone.
    plugin.begin("tick");
    for (const list of plugin.session().lists.values()) list.changed.clear();
    answer();
    await settle();
    expect(shown).toBe(1);
    stop();
  });

  it("that renews what is followed is used however late its answer is", async () => {
    for (const ms of [31_000, 35_000, 58_000]) {
      const { plugin, tasks } = await reloaded();
      const task = await tasks.attach("tick", plugin.begin("tick"));
      let shown = 0;
      const stop = await tasks.watch({}, (all) => {
        shown = all.length;
      });
      plugin.dropSessions();
      plugin.delay("watch", ms);
      plugin.begin("tick");
      plugin.status(task.id, "running");
      // Until the ping that finds out, and until the answer.
      await vi.advanceTimersByTimeAsync(10_000 + ms);
      expect([shown, task.status], `${ms}`).toEqual([2, "running"]);
      stop();
      task.detach();
    }
  });

  it("that renews what is followed late gets the events since then, and is not repeated", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.attach("tick", plugin.begin("tick"));
    let shown = 0;
    const stop = await tasks.watch({}, (all) => {
      shown = all.length;
    });
    plugin.dropSessions();
    plugin.delay("watch", 31_000);
    await vi.advanceTimersByTimeAsync(30_000);
    plugin.begin("tick");
    plugin.status(task.id, "running");
    await plugin.frame();
    expect([shown, task.status]).toEqual([1, "queued"]);
    await vi.advanceTimersByTimeAsync(11_000);
    expect([shown, task.status]).toEqual([2, "running"]);
    await vi.advanceTimersByTimeAsync(600_000);
    const repeated = plugin.calls("watch").length;
    expect(repeated, "two to begin with, and two in the new session").toBeLessThanOrEqual(6);
    plugin.begin("tick");
    plugin.complete(task.id, 1);
    await plugin.frame();
    expect([shown, task.status]).toEqual([3, "completed"]);
    stop();
  });

  it("that acknowledges too late loses nothing that comes with the answer", async () => {
    const { plugin, tasks } = page;
    plugin.lease(3_600_000);
    const task = await tasks.start("download", { url: "" });
    const sizes: unknown[] = [];
    task.onStatus((_, { error }) => sizes.push(error?.message.length));
    for (const size of [5_000, 5_001]) {
      plugin.status(task.id, "retrying", { error: { kind: "error", message: "x".repeat(size) } });
    }
    const answer = plugin.hold("ack");
    await plugin.frame();
    await vi.advanceTimersByTimeAsync(LIMIT_MS + 5_000);
    expect(sizes).toEqual([undefined, 5_000]);
    answer();
    await settle();
    expect(sizes).toEqual([undefined, 5_000, 5_001]);
    expect(plugin.session().open, "acknowledged").toBeUndefined();
    expect(plugin.calls("open")).toHaveLength(1);
  });

  it("that ends a watch does not keep anybody from attaching again", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tick");
    const first = await tasks.attach("tick", id);
    const answer = plugin.hold("unwatch");
    first.detach();
    const attached = tasks.attach("tick", id);
    expect(await stateOf(attached)).toEqual(pending);
    await wait();
    const second = await attached;
    // As if the plugin carried out the late call only now.
    plugin.session().tasks.delete(id);
    answer();
    await settle();
    plugin.status(id, "running");
    await plugin.frame();
    expect(second.status).toBe("running");
  });

  it("that reads goes on waiting, and a reading that is given up ends with its call", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.attach("tail", plugin.begin("tail"));
    const reading = task.items()[Symbol.asyncIterator]();
    const read = plugin.hold("read");
    const first = reading.next();
    await vi.advanceTimersByTimeAsync(10 * LIMIT_MS);
    plugin.emit(task.id, 1);
    read();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await first).toEqual({ value: 1, done: false });
    plugin.hold("cancel_read");
    const over = reading.return?.();
    expect(await stateOf(Promise.resolve(over))).toEqual(pending);
    await wait();
    expect(await over).toEqual({ value: undefined, done: true });
    expect(plugin.calls("cancel_read"), "not repeated").toHaveLength(1);
    task.detach();
  });

  it("that fetches an outcome is repeated when its answer doesn't come", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("download");
    const task = await tasks.attach("download", id);
    const output = "x".repeat(5_000);
    plugin.complete(id, output);
    plugin.hold("outcome");
    await plugin.frame();
    const result = task.result;
    expect(await stateOf(result)).toEqual(pending);
    await vi.advanceTimersByTimeAsync(54_000);
    expect(plugin.calls("outcome")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await result).toBe(output);
  });

  it("ignores the late answer to everything else", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const calls = {
      cancel: () => task.cancel(),
      pause: () => task.pause(),
      resume: () => task.resume(),
      set_priority: () => task.setPriority(1),
      remove: () => task.remove(),
      get: () => tasks.get(task.id),
      list: () => tasks.list(),
      counts: () => tasks.counts(),
      cancel_all: () => tasks.cancelAll({ all: true }),
      set_limit: () => tasks.setLimit({ type: "app" }, 1),
      schedules: () => tasks.schedules(),
      trigger: () => tasks.trigger("nightly"),
      pause_schedule: () => tasks.pauseSchedule("nightly"),
      resume_schedule: () => tasks.resumeSchedule("nightly"),
    };
    for (const [command, call] of Object.entries(calls)) {
      const answer = plugin.hold(command);
      expect(await rejection(call()), command).toMatchObject({ kind: "ipc" });
      const before = plugin.commands().length;
      answer();
      await settle();
      expect(plugin.commands().length, command).toBe(before);
    }
  });
});
