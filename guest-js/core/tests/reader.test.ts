import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type LoadedPage, loadPage, settle, stateOf } from "./load-page.js";

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => page.unload());

/** Returns a short form of the reads so far: session, reader, chunk and first item. */
function asked(): string[] {
  const [sessions, readers]: [unknown[], unknown[]] = [[], []];
  const number = (all: unknown[], one: unknown) => {
    if (!all.includes(one)) all.push(one);
    return all.indexOf(one) + 1;
  };
  return page.plugin
    .calls("read")
    .map(
      ({ session, reader, chunk, from }) =>
        `session ${number(sessions, session)} reader ${number(readers, reader)} chunk ${chunk} from ${from}`,
    );
}

describe("a reading whose session is lost", () => {
  it("continues in a new one, under a new name, with what was not consumed completely, and repeats nothing", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.limitChunks(3);
    plugin.emit(task.id, 0, 1, 2, 3, 4);
    const items = task.items();
    for (const value of [0, 1, 2, 3]) expect(await items.next()).toEqual({ done: false, value });
    await settle();
    plugin.dropSessions();
    await settle();
    // The chunk that is being handed out was not released.
    expect(asked().slice(-4)).toEqual(
      [1, 2, 3, 4].map((chunk) => `session 2 reader 3 chunk ${chunk} from 3`),
    );
    expect(plugin.tasks.get(task.id)?.items.kept).toBe(2);
    plugin.emit(task.id, 5, 6);
    for (const value of [4, 5, 6]) expect(await items.next()).toEqual({ done: false, value });
    plugin.emit(task.id, 7);
    expect(await items.next()).toEqual({ done: false, value: 7 });
    expect([items.position, items.missed]).toEqual([8, 0]);
    await items.return();
    expect(plugin.calls("cancel_read")).toMatchObject([
      { session: plugin.session().nonce, position: 8 },
    ]);
  });

  it("starts over if it had received nothing", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    const next = task.items().next();
    await settle();
    plugin.dropSessions();
    plugin.emit(task.id, "a");
    await settle();
    expect(await next).toEqual({ done: false, value: "a" });
    expect(asked().at(-1)).toBe("session 2 reader 3 chunk 4 from null");
  });

  it("counts what was dropped in the meantime", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.emit(task.id, 0, 1);
    const items = task.items();
    await items.next();
    const loseSome = async (...emitted: number[]) => {
      const open = plugin.hold("open");
      plugin.dropSessions();
      await settle();
      plugin.emit(task.id, ...emitted);
      plugin.tasks.get(task.id)?.items.drop(4);
      open();
      await settle();
    };
    await loseSome(2, 3, 4, 5);
    expect(await items.next()).toEqual({ done: false, value: 1 });
    expect(await items.next()).toEqual({ done: false, value: 4 });
    expect([items.missed, items.position]).toEqual([2, 5]);
    await loseSome(6, 7, 8);
    expect(await items.next()).toEqual({ done: false, value: 5 });
    expect(await items.next()).toEqual({ done: false, value: 8 });
    expect([items.missed, items.position]).toEqual([4, 9]);
  });

  it("stays with a session that only the page has given up, because a new reader would be locked out", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    const items = task.items();
    const next = items.next();
    await settle();
    await plugin.push({ message: 9, events: [], lists: [], more: false });
    expect(plugin.sessions.size).toBe(2);
    plugin.emit(task.id, 1);
    expect(await next).toEqual({ done: false, value: 1 });
    const waits = items.next();
    await settle();
    plugin.emit(task.id, 2);
    expect(await waits).toEqual({ done: false, value: 2 });
    expect(new Set(plugin.calls("read").map(({ session }) => session)).size).toBe(1);
    // Now the plugin drops the session, too.
    const last = items.next();
    await settle();
    plugin.dropSessions();
    plugin.emit(task.id, 3);
    await settle();
    expect(await last).toEqual({ done: false, value: 3 });
  });

  it("fails when each new session is gone at once", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.refuse("read", { kind: "sessionGone", message: "gone", data: null }, 10);
    await expect(task.items().next()).rejects.toMatchObject({ kind: "sessionGone" });
    await settle();
    expect(new Set(plugin.calls("read").map(({ reader }) => reader)).size).toBe(3);
  });

  it("doesn't fail as long as it receives something in between", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    const items = task.items();
    for (let i = 0; i < 6; i += 1) {
      const next = items.next();
      await settle();
      plugin.emit(task.id, i);
      expect(await next).toEqual({ done: false, value: i });
      plugin.dropSessions();
      await settle();
    }
    await items.return();
  });

  it("doesn't fail however often its session is lost, if each session lasted for some time", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    const next = task.items().next();
    for (let i = 0; i < 6; i += 1) {
      await vi.advanceTimersByTimeAsync(2_000);
      plugin.dropSessions();
    }
    await settle();
    plugin.emit(task.id, 1);
    expect(await next).toEqual({ done: false, value: 1 });
  });
});

describe("a reading that was taken for gone because it didn't ask", () => {
  /** A task with a reading of one item to a chunk, which has handed out the first item and got three more. */
  async function idled() {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.limitChunks(1);
    plugin.emit(task.id, 0, 1, 2, 3, 4, 5, 6);
    const atPlugin = plugin.tasks.get(task.id)?.items;
    if (!atPlugin) throw new Error("no such task");
    return { plugin, task, atPlugin };
  }

  it("hands out what it has, then fails with what it has missed, and the next reading goes on", async () => {
    const { plugin, task, atPlugin } = await idled();
    const items = task.items();
    expect((await items.next()).value).toBe(0);
    await settle();
    atPlugin.idle();
    atPlugin.drop(6);
    for (const value of [1, 2, 3]) expect((await items.next()).value).toBe(value);
    await expect(items.next()).rejects.toMatchObject({
      name: "TaskReaderGoneError",
      kind: "readerGone",
      missed: 2,
    });
    expect(await items.next()).toEqual({ done: true, value: undefined });
    expect(items.position).toBe(4);
    const names = () => new Set(plugin.calls("read").map(({ reader }) => reader)).size;
    expect(names()).toBe(1);

    const next = task.items();
    expect((await next.next()).value).toBe(6);
    expect([next.position, next.missed, names()]).toEqual([7, 2, 2]);
  });

  it("has missed nothing if nothing was dropped, and gets no item twice", async () => {
    const { task, atPlugin } = await idled();
    const seen: unknown[] = [];
    const read = async () => {
      for await (const item of task.items()) {
        seen.push(item);
        if (seen.length === 1) {
          await settle();
          atPlugin.idle();
        }
      }
    };
    await expect(read()).rejects.toMatchObject({ kind: "readerGone", missed: 0 });
    expect(seen).toEqual([0, 1, 2, 3]);
    page.plugin.complete(task.id, null);
    await page.plugin.frame();
    await read();
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it("fails in every form", async () => {
    for (const form of ["items", "chunks", "stream"] as const) {
      const { task, atPlugin } = await idled();
      const seen: unknown[] = [];
      const read = async () => {
        for await (const item of task[form]()) {
          seen.push(item);
          if (seen.length === 1) {
            await settle();
            atPlugin.idle();
            atPlugin.drop(5);
          }
        }
      };
      await expect(read()).rejects.toMatchObject({ name: "TaskReaderGoneError", missed: 1 });
      expect(seen).toHaveLength(4);
    }
  });
});

describe("a read that didn't reach the plugin", () => {
  it("is sent again, after increasing pauses", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.limitChunks(1);
    plugin.emit(task.id, 1, 2);
    const items = task.items();
    await items.next();
    await items.next();
    await settle();
    const before = asked().length;
    plugin.refuse("read", "lost", 3);
    const next = items.next();
    await settle();
    const times = [asked().length - before];
    for (const wait of [99, 1, 399, 1, 1_599, 1]) {
      await vi.advanceTimersByTimeAsync(wait);
      times.push(asked().length - before);
    }
    expect(times).toEqual([1, 1, 2, 2, 3, 3, 4]);
    plugin.emit(task.id, 3);
    await settle();
    expect(await next).toEqual({ done: false, value: 3 });
  });

  it("may have been answered: the same chunk comes again, but is handed out once", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.loseAnswer("read");
    plugin.emit(task.id, 1, 2);
    const items = task.items();
    const next = items.next();
    await settle();
    plugin.emit(task.id, 3);
    await vi.advanceTimersByTimeAsync(100);
    expect(await next).toEqual({ done: false, value: 1 });
    expect((await items.next()).value).toBe(2);
    expect((await items.next()).value).toBe(3);
  });

  it("fails in the end, after the items that have come, and leaves the rest to the next reading", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.limitChunks(2);
    plugin.emit(task.id, ...Array.from({ length: 10 }, (_, index) => index + 1));
    const items = task.items();
    await items.next();
    await items.next();
    await settle();
    // This refuses the request for the next chunk, after the four that have come.
    plugin.refuse("read", "lost", 4);
    for (const value of [3, 4, 5, 6, 7, 8]) {
      expect((await items.next()).value).toBe(value);
      await vi.advanceTimersByTimeAsync(5_000);
    }
    const failed = stateOf(items.next());
    expect(await failed).toMatchObject({ reason: { name: "TaskError", kind: "ipc" } });
    expect(await items.next()).toEqual({ done: true, value: undefined });
    expect(plugin.calls("cancel_read")).toMatchObject([{ position: 8 }]);
    expect((await task.items().next()).value).toBe(9);
    expect(vi.getTimerCount()).toBeLessThanOrEqual(5);
  });

  it("is not sent again once the reading has been stopped", async () => {
    const { plugin, tasks } = page;
    const task = await tasks.start("tail");
    plugin.refuse("read", "lost", 10);
    const items = task.items();
    const next = items.next();
    await settle();
    await items.return();
    const before = asked().length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await next).toEqual({ done: true, value: undefined });
    expect(asked()).toHaveLength(before);
  });
});

describe("many readings in one page", () => {
  it("share four waiting reads, and each gets what comes for it", async () => {
    const { plugin, tasks } = page;
    const handles = await Promise.all(Array.from({ length: 9 }, () => tasks.start("tail")));
    const nexts = handles.map((task) => task.items().next());
    await vi.advanceTimersByTimeAsync(5_000);
    for (const task of handles) plugin.emit(task.id, task.id);
    await vi.advanceTimersByTimeAsync(1_000);
    for (const [index, next] of nexts.entries()) {
      expect(await next).toEqual({ done: false, value: handles[index]?.id });
    }
    expect(plugin.reads().mostPolls).toBe(4);
    expect(plugin.reads().mostOfOneReader).toBeLessThanOrEqual(4);
  });

  it("take no slot while nobody asks them for more items", async () => {
    const { plugin, tasks } = page;
    const handles = await Promise.all(Array.from({ length: 6 }, () => tasks.start("tail")));
    plugin.limitChunks(1);
    for (const task of handles) plugin.emit(task.id, 1, 2, 3, 4);
    const readings = handles.map((task) => task.items());
    for (const items of readings) expect((await items.next()).value).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(plugin.reads().waiting).toBe(0);
    for (const items of readings) expect((await items.next()).value).toBe(2);
  });
});
