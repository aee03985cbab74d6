import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bytesChunk } from "../../mocks/plugin/items.js";
import type { TaskItems } from "../index.js";
import { type LoadedPage, loadPage, settle, stateOf } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => {
  expect(page.plugin.reads().mostOfOneReader).toBeLessThanOrEqual(4);
  expect(page.plugin.reads().mostPolls).toBeLessThanOrEqual(4);
  page.unload();
});

/** Collects what a reading hands out, and how it ends. */
function watch<T>(items: AsyncIterable<T>) {
  const seen: { items: T[]; end: unknown } = { items: [], end: "reading" };
  (async () => {
    for await (const item of items) seen.items.push(item);
  })().then(
    () => {
      seen.end = "done";
    },
    (error: unknown) => {
      seen.end = error;
    },
  );
  return seen;
}

/** Returns a short form of the reads so far. */
function asked(): string[] {
  const names = new Map<unknown, string>();
  return page.plugin.calls("read").map(({ reader, chunk, from, waitMs }) => {
    const name = names.get(reader) ?? "abcdef"[names.size] ?? "?";
    names.set(reader, name);
    return `${name}${chunk} ${from} ${waitMs}`;
  });
}

async function take<T>(items: TaskItems<T>, count: number): Promise<T[]> {
  const taken: T[] = [];
  while (taken.length < count) {
    const { done, value } = await items.next();
    if (done) break;
    taken.push(value as T);
  }
  return taken;
}

describe("items", () => {
  it("come once, in order, and end when the task completes", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    const seen = watch(task.items());
    await settle();
    plugin.emit(task.id, "a", "b");
    await settle();
    expect(seen).toEqual({ items: ["a", "b"], end: "reading" });
    plugin.emit(task.id, "c");
    plugin.complete(task.id, 3);
    await settle();
    // The last item has come, but the event that the task has completed has not.
    expect(seen).toEqual({ items: ["a", "b", "c"], end: "reading" });
    await plugin.frame();
    expect(seen.end).toBe("done");
    expect(page.kept()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("come in arrays that the user may change", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.emit(task.id, 1, 2);
    const chunks = task.chunks();
    const { value } = await chunks.next();
    (value as number[]).push(99);
    expect(chunks.position).toBe(2);
    plugin.emit(task.id, 3);
    expect((await chunks.next()).value).toEqual([3]);
    ((await Promise.resolve(value)) as number[]).length = 0;
    expect(chunks.position).toBe(3);
    await chunks.return?.();
  });

  it("end without fetching an outcome that is large or no longer kept", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.emit(task.id, 1);
    const seen = watch(task.items());
    plugin.complete(task.id, "x".repeat(5_000));
    await settle();
    await plugin.frame();
    await settle();
    expect(seen).toEqual({ items: [1], end: "done" });
    expect(plugin.calls("outcome")).toEqual([]);
  });

  it("are not handed out when the reading is closed just as they arrive", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    const items = task.items();
    const next = items.next();
    await settle();
    plugin.emit(task.id, 1);
    const [, result] = await Promise.all([items.return?.(), next]);
    if (!result.done) expect(result.value).toBe(1);
  });

  it("are not requested before the first `next`", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.emit(task.id, 1);
    const items = task.items();
    const stream = task.stream();
    await settle();
    expect(asked()).toEqual([]);
    await items.return();
    await stream.cancel();
    expect(plugin.commands()).toEqual(["open", "start"]);
    expect(await items.next()).toEqual({ done: true, value: undefined });
  });

  it("of an ended task can still be read, with no other command than `read`", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tail");
    plugin.emit(id, 1, 2);
    plugin.complete(id, 1);
    const task = await tasks.attach("tail", id);
    const seen = watch(task.items());
    await settle();
    expect(seen).toEqual({ items: [1, 2], end: "done" });
  });

  it("end at once if the task emitted none", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tail");
    plugin.complete(id, 1);
    const task = await tasks.attach("tail", id);
    for (const items of [task.items(), task.chunks()]) {
      expect(await items.next()).toEqual({ done: true, value: undefined });
    }
    const bytes = plugin.begin("cat");
    plugin.complete(bytes, 1);
    const seen = watch((await tasks.attach("cat", bytes)).bytes());
    await settle();
    expect(seen).toEqual({ items: [], end: "done" });
  });

  it("come in order even if the next one is requested before the previous one has come", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    const items = task.items();
    plugin.limitChunks(2);
    const order: unknown[] = [];
    const ask = () => items.next().then(({ value }) => order.push(value));
    for (let i = 0; i < 5; i += 1) void ask();
    plugin.emit(task.id, 1, 2, 3, 4, 5, 6);
    await settle();
    // The next item has already come, but it belongs to the calls that were waiting before.
    void ask();
    void ask();
    await settle();
    expect(order).toEqual([1, 2, 3, 4, 5, 6]);
    plugin.emit(task.id, 7);
    await settle();
    expect(order.at(-1)).toBe(7);
  });

  it("come in order even if they are requested at random moments while they arrive", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    const items = task.items();
    const order: unknown[] = [];
    const ask = () => void items.next().then(({ value }) => order.push(value));
    ask();
    await settle();
    const numbers = Array.from({ length: 60 }, (_, index) => index);
    plugin.emit(task.id, ...numbers);
    for (let turn = 1; turn < 60; turn += 1) {
      await Promise.resolve();
      ask();
    }
    await settle();
    expect(order).toEqual(numbers);
  });

  it("that are already there are handed out without waiting for other promises", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.emit(task.id, 1, 2, 3);
    const items = task.items();
    await items.next();
    let turns = 0;
    const given = items.next().then(() => turns);
    for (; turns < 5; turns += 1) await Promise.resolve();
    expect(await given).toBeLessThanOrEqual(1);
  });

  it("have positions that count from the task's first item", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.limitChunks(3);
    plugin.emit(task.id, "a", "b", "c", "d");
    const items = task.items();
    const positions = [items.position];
    for (let i = 0; i < 4; i += 1) {
      await items.next();
      positions.push(items.position);
    }
    expect(positions).toEqual([0, 1, 2, 3, 4]);
    expect(items.missed).toBe(0);
  });

  it("are counted when they were dropped", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.emit(task.id, 0, 1, 2, 3, 4);
    plugin.tasks.get(task.id)?.items.drop(3);
    const items = task.items();
    expect(await items.next()).toEqual({ done: false, value: 3 });
    expect([items.missed, items.position]).toEqual([3, 4]);
    await items.return();
    plugin.emit(task.id, 5, 6);
    plugin.tasks.get(task.id)?.items.drop(2);
    const again = task.chunks();
    expect(await again.next()).toEqual({ done: false, value: [6] });
    expect([again.missed, again.position]).toEqual([2, 7]);
  });
});

describe("a slow reader", () => {
  it("holds at most four chunks: the current one and the next three", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.limitChunks(2);
    plugin.emit(task.id, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    const items = task.items();
    await items.next();
    await settle();
    const four = ["a1 null 20000", "a2 null 20000", "a3 null 20000", "a4 null 20000"];
    expect(asked()).toEqual(four);
    await items.next();
    await settle();
    // The last item of the first chunk was handed out, but it is not yet known whether it was consumed.
    expect(asked()).toHaveLength(4);
    expect(plugin.tasks.get(task.id)?.items.kept).toBe(12);
    await items.next();
    await settle();
    expect(asked()).toEqual([...four, "a5 null 20000"]);
    expect(plugin.tasks.get(task.id)?.items.kept).toBe(10);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked()).toHaveLength(5);
  });

  it("holds no more than that with `chunks`", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.limitChunks(2);
    plugin.emit(task.id, 1, 2, 3, 4, 5, 6, 7, 8);
    const chunks = task.chunks();
    expect(await take(chunks, 2)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    await settle();
    expect(asked()).toHaveLength(5);
  });

  it("gets chunks in order even if their answers don't come in order", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.limitChunks(1);
    const [first, second] = [plugin.hold("read"), plugin.hold("read")];
    const seen = watch(task.items());
    await settle();
    plugin.emit(task.id, 1, 2, 3);
    await settle();
    second();
    await settle();
    expect(seen.items).toEqual([]);
    first();
    await settle();
    expect(seen.items).toEqual([1, 2, 3]);
  });
});

describe("a reading that is stopped", () => {
  it("says where it stopped, and leaves the rest to the next one", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.emit(task.id, "a", "b", "c", "d");
    const items = task.items();
    for await (const item of items) if (item === "b") break;
    const [{ reader } = {}] = plugin.calls("read");
    const { nonce } = plugin.session();
    expect(plugin.calls("cancel_read")).toEqual([
      { session: nonce, id: task.id, reader, position: 2 },
    ]);
    expect(plugin.tasks.get(task.id)?.items.reader).toBeUndefined();
    expect(await items.next()).toEqual({ done: true, value: undefined });
    expect(items.position).toBe(2);
    expect(await take(task.items(), 2)).toEqual(["c", "d"]);
    const other = await tasks.attach("tail", task.id);
    await expect(other.items().next()).rejects.toMatchObject({ kind: "locked" });
  });

  it("is continued by the next one even if the plugin never learned where it stopped", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.emit(task.id, "a", "b", "c");
    const items = task.items();
    await take(items, 2);
    plugin.dropSessions();
    await items.return();
    expect(await take(task.items(), 1)).toEqual(["c"]);
  });

  it("ends a pending call without an item", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    const items = task.items();
    const [one, two] = [items.next(), items.next()];
    await settle();
    await items.return();
    expect(await Promise.all([one, two])).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
    plugin.emit(task.id, 1);
    expect(await items.next()).toEqual({ done: true, value: undefined });
    expect(plugin.calls("cancel_read")).toHaveLength(1);
    expect(plugin.calls("cancel_read")[0]).toMatchObject({ position: 0 });
    await items.return();
    expect(plugin.calls("cancel_read")).toHaveLength(1);
  });

  it("rejects with what `throw` was given", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.emit(task.id, 1, 2);
    const items = task.items();
    await items.next();
    await expect(items.throw("mine")).rejects.toBe("mine");
    expect(plugin.calls("cancel_read")[0]).toMatchObject({ position: 1 });
  });

  it("sends nothing if it was stopped before its first read", async () => {
    const { plugin, tasks } = page;
    const id = plugin.begin("tail");
    const task = await tasks.attach("tail", id);
    plugin.dropSessions();
    plugin.refuse("read", { kind: "sessionGone", message: "gone", data: null });
    const open = plugin.hold("open");
    const items = task.items();
    const next = items.next();
    await settle();
    expect(plugin.calls("open")).toHaveLength(2);
    await items.return();
    open();
    await settle();
    expect(await next).toEqual({ done: true, value: undefined });
    // The only read is the one that found out that the session is gone.
    expect(asked()).toHaveLength(1);
  });

  it("never rejects, and tries again if the plugin was not reached", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.emit(task.id, 1);
    const items = task.items();
    await items.next();
    plugin.refuse("cancel_read", "not reached", 2);
    const returned = stateOf(items.return());
    await vi.advanceTimersByTimeAsync(500);
    expect(await returned).toEqual({ pending: true });
    expect(plugin.calls("cancel_read")).toHaveLength(3);
    expect(plugin.tasks.get(task.id)?.items.reader).toBeUndefined();

    plugin.emit(task.id, 2);
    const more = task.items();
    await more.next();
    plugin.refuse("cancel_read", { kind: "notFound", message: "no", data: null });
    expect(await more.return()).toEqual({ done: true, value: undefined });
  });

  it("says where it stopped even if everything was read", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.emit(task.id, 1, 2, 3);
    plugin.complete(task.id, 1);
    await plugin.frame();
    const items = task.items();
    await take(items, 3);
    await settle();
    expect(plugin.calls("cancel_read")).toEqual([]);
    expect(await items.next()).toEqual({ done: true, value: undefined });
    expect(plugin.calls("cancel_read")).toMatchObject([{ position: 3 }]);
    expect(await take(task.items(), 1)).toEqual([]);
  });
});

describe("a reading of a task that doesn't complete", () => {
  it("rejects with what the result rejects with, after the last item", async () => {
    const { plugin, tasks, api } = page;
    const task = await tasks.start("tail");
    plugin.emit(task.id, 1, 2);
    const failure = { kind: "error", message: "no more", error: "broken" } as const;
    plugin.end(task.id, { status: "failed", data: failure });
    const items = task.items();
    const seen = watch(items);
    await plugin.frame();
    expect(seen.items).toEqual([1, 2]);
    expect(seen.end).toBeInstanceOf(api.TaskFailedError);
    expect(seen.end).toBe(await task.result.catch((error: unknown) => error));
    expect(await items.next()).toEqual({ done: true, value: undefined });
    expect(plugin.calls("cancel_read")).toMatchObject([{ position: 2 }]);
  });

  it("rejects with the reason of the caller's own signal", async () => {
    const { plugin, tasks, api } = page;
    const controller = new AbortController();
    const task = await tasks.start("tail", null, { signal: controller.signal });
    const other = await tasks.attach("tail", task.id);
    plugin.emit(task.id, 1);
    const seen = watch(task.items());
    await settle();
    controller.abort("enough");
    await settle();
    plugin.emit(task.id, 2);
    plugin.end(task.id, { status: "cancelled", data: { reason: "signal" } });
    await plugin.frame();
    expect(seen).toEqual({ items: [1, 2], end: "enough" });
    const others = watch(other.items());
    await settle();
    expect(others.end).toBeInstanceOf(api.TaskCancelledError);
  });

  it("says that nobody read in time, if the task was cancelled for that", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.end(task.id, { status: "cancelled", data: { reason: "unread" } });
    await plugin.frame();
    await expect(task.items().next()).rejects.toMatchObject({
      kind: "cancelled",
      reason: "unread",
    });
  });

  it("rejects when the plugin forgets the task and how it has ended during the reading", async () => {
    const { plugin, tasks, api } = page;
    const task = await tasks.start("tail");
    plugin.emit(task.id, 1);
    const seen = watch(task.items());
    await settle();
    // Too large to come with the event of the end.
    const error = "x".repeat(5_000);
    plugin.end(task.id, { status: "failed", data: { kind: "error", message: "no", error } });
    plugin.evict(task.id);
    await plugin.frame();
    expect(seen.items).toEqual([1]);
    expect(seen.end).toBeInstanceOf(api.OutcomeExpiredError);
  });
});

describe("two readings of one task", () => {
  it("are not possible at once: the second is refused, and the first continues", async () => {
    const { plugin, tasks, api } = page;
    const task = await tasks.start("tail");
    const seen = watch(task.items());
    await settle();
    const second = task.items();
    const error = await second.next().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(api.TaskError);
    expect(error).toMatchObject({ kind: "locked" });
    expect(await second.next()).toEqual({ done: true, value: undefined });
    plugin.emit(task.id, 1);
    await settle();
    expect(seen).toEqual({ items: [1], end: "reading" });
  });

  it("are possible one after the other", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.emit(task.id, 1, 2, 3);
    const [one, two] = [task.items(), task.items()];
    expect(two.position).toBe(0);
    expect(await take(one, 2)).toEqual([1, 2]);
    await one.return();
    expect(two.position).toBe(2);
    expect(await take(two, 1)).toEqual([3]);
  });
});

describe("chunks", () => {
  it("come as arrays, none of them empty", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    const chunks = task.chunks();
    const seen = watch(chunks);
    await settle();
    plugin.emit(task.id, 1, 2);
    await settle();
    plugin.emit(task.id, 3);
    await settle();
    expect(chunks.position).toBe(3);
    plugin.complete(task.id, 1);
    await plugin.frame();
    expect(seen).toEqual({ items: [[1, 2], [3]], end: "done" });
  });
});

describe("the attempt", () => {
  it("is that of what was handed out last, and a chunk holds what one attempt has emitted", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    const attempt = (attempt: number, ...items: number[]) => {
      plugin.status(task.id, "running", { attempt });
      plugin.emit(task.id, ...items);
      plugin.status(task.id, "retrying");
    };
    attempt(1, 10, 11);
    attempt(3, 30);
    attempt(4, 40, 41);
    plugin.complete(task.id, 1);
    const items = task.items();
    expect(items.attempt).toBe(0);
    const seen: unknown[] = [];
    for (let left = 3; left > 0; left -= 1) {
      const { value } = await items.next();
      // What was loaded, but not handed out, doesn't count.
      seen.push([value, items.attempt]);
    }
    await items.return();
    expect([...seen, items.attempt]).toEqual([[10, 1], [11, 1], [30, 3], 3]);
    const chunks = task.chunks();
    expect([(await chunks.next()).value, chunks.attempt]).toEqual([[40, 41], 4]);
  });

  it("is known for bytes, too", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("cat");
    plugin.status(task.id, "running", { attempt: 1 });
    plugin.emitBytes(task.id, 1, 2);
    plugin.status(task.id, "running", { attempt: 2 });
    plugin.emitBytes(task.id, 3);
    const bytes = task.bytes();
    const seen: unknown[] = [];
    for (let left = 2; left > 0; left -= 1) {
      const { value } = await bytes.next();
      seen.push([[...(value ?? [])], bytes.attempt]);
    }
    expect(seen).toEqual([
      [[1, 2], 1],
      [[3], 2],
    ]);
  });
});

describe("bytes", () => {
  it("come in chunks, and are counted in bytes", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("cat");
    const bytes = task.bytes();
    const next = bytes.next();
    await settle();
    plugin.emitBytes(task.id, 1, 2, 3);
    const { value } = await next;
    expect(value).toEqual(new Uint8Array([1, 2, 3]));
    expect(bytes.position).toBe(3);
    plugin.emitBytes(task.id, 4);
    plugin.complete(task.id, 1);
    expect((await bytes.next()).value).toEqual(new Uint8Array([4]));
    expect(bytes.position).toBe(4);
    const last = bytes.next();
    await plugin.frame();
    expect(await last).toEqual({ done: true, value: undefined });
    expect(plugin.calls("cancel_read")).toMatchObject([{ position: 4 }]);
  });

  it("come even without Tauri's custom protocol", async () => {
    const { plugin, tasks } = page;
    plugin.sendBytesAsNumbers();
    const task = await tasks.start("cat");
    plugin.emitBytes(task.id, 9, 255);
    const bytes = task.bytes();
    expect((await bytes.next()).value).toEqual(new Uint8Array([9, 255]));
    expect(bytes.position).toBe(2);
  });

  it("are numbered correctly beyond 4 GiB", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("cat");
    plugin.answer("read", bytesChunk(6_000_000_000, 5_000_000_000, false, 4_000_000_000, [1]));
    const bytes = task.bytes();
    await bytes.next();
    expect([bytes.position, bytes.missed]).toEqual([6_000_000_001, 5_000_000_000]);
    expect(bytes.attempt).toBe(4_000_000_000);
  });

  it("may come after a longer header than this client knows", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("cat");
    const known = new Uint8Array(bytesChunk(7, 0, false, 2, [8, 9]));
    const longer = Uint8Array.from([...known.slice(0, 24), 1, 2, 3, 4, ...known.slice(24)]);
    longer[0] = 28;
    plugin.answer("read", longer.buffer);
    const bytes = task.bytes();
    expect((await bytes.next()).value).toEqual(new Uint8Array([8, 9]));
    expect([bytes.position, bytes.attempt]).toEqual([9, 2]);
  });

  for (const raw of [true, false]) {
    it(`own their buffer, ${raw ? "raw" : "sent as numbers"}, also the rest of a chunk`, async () => {
      const { plugin, tasks } = page;
      if (!raw) plugin.sendBytesAsNumbers();
      const task = await tasks.start("cat");
      const owns = (value: unknown) => {
        const bytes = value as Uint8Array;
        expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, bytes.byteLength]);
        return [...bytes];
      };
      plugin.limitChunks(4);
      plugin.emitBytes(task.id, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
      const bytes = task.bytes();
      expect(owns((await bytes.next()).value)).toEqual([0, 1, 2, 3]);
      // In the new session, the plugin groups the bytes otherwise: a part of the next chunk was handed out before.
      plugin.limitChunks(7);
      plugin.dropSessions();
      const rest: number[] = [];
      while (rest.length < 6) rest.push(...owns((await bytes.next()).value));
      expect(rest).toEqual([4, 5, 6, 7, 8, 9]);
      await bytes.return();
      plugin.emitBytes(task.id, 10, 11);
      const reader = task.stream().getReader();
      expect(owns((await reader.read()).value)).toEqual([10, 11]);
    });
  }

  it("are counted when they were dropped", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("cat");
    plugin.emitBytes(task.id, 1, 2, 3);
    plugin.tasks.get(task.id)?.items.drop(2);
    const bytes = task.bytes();
    await bytes.next();
    expect([bytes.missed, bytes.position]).toEqual([2, 3]);
  });

  it("can't be read as items: the error says how to read them, and nothing is lost", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("cat");
    plugin.emitBytes(task.id, 1, 2);
    for (const form of ["items", "chunks"] as const) {
      await expect(task[form]().next()).rejects.toMatchObject({
        name: "TaskError",
        kind: "invalidItem",
        message: expect.stringMatching(/bytes\(\)/),
      });
      await settle();
    }
    expect((await task.bytes().next()).value).toEqual(new Uint8Array([1, 2]));
  });

  it("can't be read from a task that emits items, and nothing is lost", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.emit(task.id, 1, 2);
    const loose = await page.api.createTasks().attach("tail", task.id);
    await expect(loose.bytes().next()).rejects.toMatchObject({
      kind: "invalidItem",
      message: expect.stringMatching(/items\(\)/),
    });
    await settle();
    expect(await take(task.items(), 2)).toEqual([1, 2]);
  });
});

describe("a stream", () => {
  it("hands out items one by one, and closes when the task completes", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.emit(task.id, 1, 2);
    const reader = task.stream().getReader();
    expect(await reader.read()).toEqual({ done: false, value: 1 });
    expect(await reader.read()).toEqual({ done: false, value: 2 });
    plugin.complete(task.id, 1);
    await plugin.frame();
    expect(await reader.read()).toEqual({ done: true, value: undefined });
    expect(plugin.calls("cancel_read")).toMatchObject([{ position: 2 }]);
  });

  it("hands out bytes in chunks, and can be piped", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("cat");
    plugin.limitChunks(2);
    plugin.emitBytes(task.id, 1, 2, 3);
    plugin.complete(task.id, 1);
    await plugin.frame();
    const chunks: number[][] = [];
    await task
      .stream()
      .pipeTo(new WritableStream({ write: (chunk) => void chunks.push([...chunk]) }));
    expect(chunks).toEqual([[1, 2], [3]]);
  });

  it("is cancelled with the position after the last item that was read", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.emit(task.id, 1, 2, 3, 4);
    const stream = task.stream();
    const reader = stream.getReader();
    await reader.read();
    await reader.read();
    await reader.cancel("enough");
    expect(plugin.calls("cancel_read")).toMatchObject([{ position: 2 }]);
    expect(await take(task.items(), 2)).toEqual([3, 4]);
  });

  it("can be cancelled while it waits", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    const reader = task.stream().getReader();
    const read = reader.read();
    await settle();
    await reader.cancel();
    expect(await read).toEqual({ done: true, value: undefined });
    expect(plugin.calls("cancel_read")).toMatchObject([{ position: 0 }]);
  });

  it("fails with what the result rejects with", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.emit(task.id, 1);
    plugin.end(task.id, { status: "cancelled", data: { reason: "user" } });
    await plugin.frame();
    const reader = task.stream().getReader();
    expect(await reader.read()).toEqual({ done: false, value: 1 });
    await expect(reader.read()).rejects.toMatchObject({ kind: "cancelled", reason: "user" });
  });
});
