import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { emptyProgress } from "../../mocks/plugin/progress.js";
import type { SessionMessage } from "../ipc/bindings.js";
import { type LoadedPage, loadPage, settle, VISIBLE } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

/** A message with one progress event. */
function progressMessage(message: number, id: string, completed: number): SessionMessage {
  const data = { ...emptyProgress(), completed };
  return {
    message,
    events: [{ id, sequence: 1, change: { type: "progress", data } }],
    lists: [],
    more: false,
  };
}

describe("opening a session", () => {
  it("happens at the first call that needs the session, once for all clients", async () => {
    const { plugin, tasks, api } = page;
    await tasks.list();
    expect(plugin.commands()).toEqual(["list"]);
    await Promise.all([tasks.start("tick"), api.createTasks().start("tick"), tasks.start("tick")]);
    expect(plugin.calls("open")).toHaveLength(1);
    expect(plugin.calls("open")[0]).toMatchObject({ protocol: 5 });
  });

  it("is tried again by the next call after a failure", async () => {
    const { plugin, tasks } = page;
    const mismatch = { kind: "protocolMismatch", message: "page: 2, plugin: 4", data: null };
    plugin.refuse("open", mismatch);
    await expect(tasks.start("tick")).rejects.toMatchObject({
      name: "TaskError",
      kind: "protocolMismatch",
      message: "page: 2, plugin: 4",
    });
    expect(page.kept()).toBe(0);
    await tasks.start("tick");
    expect(plugin.calls("open")).toHaveLength(2);
  });

  it("fails with a hint outside of Tauri", async () => {
    const { tasks, plugin } = page;
    plugin.uninstall();
    Reflect.deleteProperty(window, "__TAURI_INTERNALS__");
    await expect(tasks.start("tick")).rejects.toMatchObject({
      kind: "ipc",
      message: expect.stringContaining("doesn't run in a Tauri window"),
    });
    await expect(tasks.list()).rejects.toMatchObject({ kind: "ipc" });
    // The next call tries again: the failed attempt is not remembered.
    plugin.install();
    await expect(tasks.start("tick")).resolves.toBeDefined();
  });
});

describe("messages", () => {
  it("are acknowledged by their number after they have been handled", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const order: unknown[] = [];
    task.onProgress(() => order.push(plugin.calls("ack").length));
    plugin.progress(task.id, { completed: 1 });
    await plugin.frame();
    expect(order).toEqual([0]);
    expect(plugin.calls("ack")).toEqual([
      { session: plugin.session().nonce, message: 1, visibility: VISIBLE },
    ]);
  });

  it("are handled and acknowledged even if they come with the answer to an acknowledgement", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", { url: "" });
    const seen: unknown[] = [];
    task.onStatus((status, { error }) => seen.push(error ? error.message.length : status));
    for (const size of [5_000, 5_001, 5_002]) {
      plugin.status(task.id, "retrying", { error: { kind: "error", message: "x".repeat(size) } });
    }
    await plugin.frame();
    expect(seen).toEqual(["queued", 5_000, 5_001, 5_002]);
    expect(plugin.calls("ack").map((args) => args["message"])).toEqual([1, 2, 3]);
    expect(plugin.session().open).toBeUndefined();
  });

  it("are delivered once and in order even if such an answer comes late", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("download", { url: "" });
    const seen: unknown[] = [];
    task.onStatus((_, { error }) => seen.push(error?.message.length));
    const answers = [plugin.hold("ack"), plugin.hold("ack")];
    for (const size of [5_000, 5_001, 5_002]) {
      plugin.status(task.id, "retrying", { error: { kind: "error", message: "x".repeat(size) } });
    }
    await plugin.frame();
    for (const answer of answers) {
      await vi.advanceTimersByTimeAsync(17);
      answer();
      await settle();
    }
    expect(seen).toEqual([undefined, 5_000, 5_001, 5_002]);
    expect(plugin.calls("ack").map((args) => args["message"])).toEqual([1, 2, 3]);
    expect(plugin.calls("open")).toHaveLength(1);
  });

  it("are acknowledged even when a callback throws, and the other callbacks are called", async () => {
    const { plugin, tasks } = page;
    const reported = vi.fn();
    vi.stubGlobal("reportError", reported);
    const task = await tasks.start("tick");
    const seen: number[] = [];
    task.onProgress(() => {
      throw new Error("my callback");
    });
    task.onProgress((progress) => seen.push(progress.completed));
    plugin.progress(task.id, { completed: 1 });
    await plugin.frame();
    plugin.progress(task.id, { completed: 2 });
    await plugin.frame();
    expect(seen).toEqual([1, 2]);
    expect(plugin.calls("ack")).toHaveLength(2);
    expect(reported).toHaveBeenCalledTimes(2);
    vi.unstubAllGlobals();
  });

  it("are handled once and acknowledged again when they arrive twice", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const seen: number[] = [];
    task.onProgress((progress) => seen.push(progress.completed));
    await plugin.push(progressMessage(1, task.id, 1));
    await plugin.push(progressMessage(1, task.id, 1));
    await plugin.push(progressMessage(2, task.id, 2));
    await plugin.push(progressMessage(1, task.id, 1));
    expect(seen).toEqual([1, 2]);
    expect(plugin.calls("ack").map((args) => args["message"])).toEqual([1, 1, 2]);
  });

  it("are not acknowledged twice when they are repeated before the acknowledgement is answered", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const answer = plugin.hold("ack");
    await plugin.push(progressMessage(1, task.id, 1));
    await plugin.push(progressMessage(1, task.id, 1));
    answer();
    await settle();
    expect(plugin.calls("ack")).toHaveLength(1);
  });

  it("make the page start over in a new session when one of them is lost", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    plugin.status(task.id, "running");
    await plugin.push(progressMessage(2, task.id, 1));
    expect(plugin.calls("open")).toHaveLength(2);
    expect(plugin.calls("watch")).toHaveLength(1);
    expect(task.status).toBe("running");
  });

  it("of a session that was replaced are ignored", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const seen: number[] = [];
    task.onProgress((progress) => seen.push(progress.completed));
    const old = plugin.session();
    plugin.dropSessions();
    await vi.advanceTimersByTimeAsync(10_000);
    const acks = plugin.calls("ack").length;
    await plugin.push(progressMessage(1, task.id, 99), old);
    expect(seen).toEqual([]);
    expect(plugin.calls("ack")).toHaveLength(acks);
  });

  it("of a session that was replaced are ignored even as answers to an acknowledgement", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    for (const size of [5_000, 5_001]) {
      plugin.status(task.id, "retrying", { error: { kind: "error", message: "x".repeat(size) } });
    }
    const answer = plugin.hold("ack");
    await plugin.frame();
    plugin.dropSessions();
    await tasks.start("tick");
    const acks = plugin.calls("ack").length;
    answer();
    await settle();
    expect(plugin.calls("ack")).toHaveLength(acks);
    expect(plugin.calls("open")).toHaveLength(2);
  });
});

describe("data in a message", () => {
  /** JSON whose fields mean something else in an object literal of JavaScript. */
  const odd = '{"__proto__":{"a":1},"constructor":2,"nested":[{"__proto__":null}]}';

  for (const [size, filler] of [
    ["small", ""],
    ["large", "x".repeat(20_000)],
    ["large once it is escaped", '"'.repeat(5_000)],
  ] as const) {
    it(`comes out as it was sent if the message is ${size}`, async () => {
      const { plugin, tasks } = page;
      const task = await tasks.start("download", { url: "u" });
      const shown: unknown[] = [];
      const stop = await tasks.watch({}, ([one]) => shown.push(one?.progress.detail));
      const detail = JSON.parse(odd);
      plugin.progress(task.id, { detail, message: `${filler}\u2028\u0000</script>\\` });
      await plugin.frame();
      for (const seen of [task.snapshot.progress.detail, shown.at(-1)]) {
        expect(JSON.stringify(seen)).toBe(odd);
        expect(Object.getPrototypeOf(seen)).toBe(Object.prototype);
      }
      expect(task.snapshot.progress.message).toBe(`${filler}\u2028\u0000</script>\\`);
      stop();
    });
  }

  it("comes out as it was sent as the answer to an acknowledgement, too", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    for (const size of [8_000, 1]) {
      plugin.status(task.id, "retrying", { error: { kind: "error", message: "x".repeat(size) } });
    }
    plugin.complete(task.id, JSON.parse(odd));
    await plugin.frame();
    expect(plugin.calls("ack").length).toBeGreaterThan(1);
    expect(plugin.calls("outcome")).toEqual([]);
    expect(JSON.stringify(await task.result)).toBe(odd);
  });
});

describe("staying alive", () => {
  it("sends a ping after ten quiet seconds, only while something is live", async () => {
    const { plugin, tasks } = page;
    await tasks.list();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(plugin.calls("ack")).toEqual([]);
    const task = await tasks.start("tick");
    await vi.advanceTimersByTimeAsync(9_999);
    expect(plugin.calls("ack")).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(plugin.calls("ack")).toEqual([
      { session: plugin.session().nonce, message: 0, visibility: VISIBLE },
    ]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(plugin.calls("ack")).toHaveLength(3);
    plugin.complete(task.id, 1);
    await plugin.frame();
    const acks = plugin.calls("ack").length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(plugin.calls("ack")).toHaveLength(acks);
  });

  it("keeps no timer in a page that waits for nothing", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    const stop = await tasks.watch({}, () => {});
    expect(vi.getTimerCount()).toBeGreaterThan(0);
    stop();
    plugin.complete(task.id, 1);
    await plugin.frame();
    await task.result;
    await settle();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("sends no ping while messages come", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    for (let completed = 1; completed <= 10; completed += 1) {
      await vi.advanceTimersByTimeAsync(6_000);
      plugin.progress(task.id, { completed });
      await plugin.frame();
    }
    expect(plugin.calls("ack").map((args) => args["message"])).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
  });

  it("repeats an acknowledgement that failed, within the lease", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    plugin.refuse("ack", "the call was lost");
    plugin.progress(task.id, { completed: 1 });
    await plugin.frame();
    expect(plugin.session().open).toBeDefined();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(plugin.session().open).toBeUndefined();
    expect(plugin.calls("open")).toHaveLength(1);
  });

  it("sends pings more often if the lease is short", async () => {
    const { plugin, tasks } = page;
    plugin.lease(6_000);
    await tasks.start("tick");
    await vi.advanceTimersByTimeAsync(1_999);
    expect(plugin.calls("ack")).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(plugin.calls("ack")).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(plugin.calls("ack")).toHaveLength(3);
  });

  it("notices when the page was asleep for longer than the lease", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    plugin.refuse("ack", "asleep");
    plugin.status(task.id, "running");
    await plugin.frame();
    plugin.dropSessions();
    plugin.complete(task.id, 42);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await task.result).toBe(42);
  });
});

describe("reopening", () => {
  it("happens once however many calls notice the loss", async () => {
    const { plugin, tasks } = page;
    await tasks.start("tick");
    plugin.dropSessions();
    await Promise.all([tasks.start("tick"), tasks.start("tick"), tasks.watch({}, () => {})]);
    await settle();
    expect(plugin.calls("open")).toHaveLength(2);
  });

  it("requests everything that is live, once", async () => {
    const { plugin, tasks } = page;
    const one = await tasks.start("tick");
    const two = await tasks.start("tick");
    await tasks.watch({ task: "tick" }, () => {});
    const before = plugin.calls("watch").length;
    plugin.dropSessions();
    await vi.advanceTimersByTimeAsync(10_000);
    const targets = plugin.calls("watch").slice(before);
    expect(targets).toHaveLength(3);
    expect(targets.map((args) => args["target"])).toEqual([
      { type: "task", data: { id: one.id } },
      { type: "task", data: { id: two.id } },
      { type: "list", data: { watch: 1, filter: { task: ["tick"] } } },
    ]);
    expect(new Set(targets.map((args) => args["session"]))).toEqual(
      new Set([plugin.session().nonce]),
    );
  });

  it("is tried again at each ping while it fails", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tick");
    plugin.dropSessions();
    plugin.status(task.id, "running");
    plugin.refuse("open", { kind: "internal", message: "not now", data: null }, 2);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(task.status).toBe("queued");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(task.status).toBe("running");
  });

  it("waits for the next ping when each new session is lost at once", async () => {
    const { plugin, tasks } = page;
    await tasks.start("tick");
    await tasks.start("tick");
    plugin.dropSessions();
    plugin.refuse("watch", { kind: "sessionGone", message: "gone", data: null }, 1_000);
    await vi.advanceTimersByTimeAsync(10_000);
    const first = plugin.commands().length;
    expect(first).toBeLessThan(30);
    await vi.advanceTimersByTimeAsync(9_000);
    expect(plugin.commands()).toHaveLength(first);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(plugin.commands().length).toBeGreaterThan(first);
    expect(plugin.commands().length).toBeLessThan(60);
  });
});
