import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeIterable } from "../items/stream-iterator.js";
import { type LoadedPage, loadPage, settle, stateOf } from "./load-page.js";
import { randomFrom } from "./random.js";

const METHODS = ["values", Symbol.asyncIterator] as const;
const platform = METHODS.map((name) =>
  Object.getOwnPropertyDescriptor(ReadableStream.prototype, name),
);

/** Makes the platform's streams those of WebKit, which have no async iterator. */
function removeIterator(): void {
  for (const name of METHODS) Reflect.deleteProperty(ReadableStream.prototype, name);
}

function restoreIterator(): void {
  for (const [index, name] of METHODS.entries()) {
    Object.defineProperty(ReadableStream.prototype, name, platform[index] ?? {});
  }
}

let page: LoadedPage;
beforeEach(async () => {
  page = await loadPage();
});
afterEach(() => {
  restoreIterator();
  page.unload();
});

/** Starts a task that has emitted these items and goes on. */
async function tail(...items: unknown[]) {
  const task = await page.tasks.start("tail");
  page.plugin.emit(task.id, ...items);
  return task;
}

describe.each([
  ["the platform's iterator", () => {}],
  ["an iterator of its own", removeIterator],
])("a stream with %s", (_, prepare) => {
  beforeEach(prepare);

  it("is read to its end by for await, and is unlocked then", async () => {
    const task = await tail(1, 2, 3);
    page.plugin.complete(task.id, 5);
    await page.plugin.frame();
    const stream = task.stream();
    const seen: unknown[] = [];
    for await (const item of stream) {
      expect(stream.locked).toBe(true);
      seen.push(item);
    }
    expect(seen).toEqual([1, 2, 3]);
    expect(stream.locked).toBe(false);
    expect(page.plugin.calls("cancel_read")).toMatchObject([{ position: 3 }]);
  });

  it("hands out bytes in chunks", async () => {
    const task = await page.tasks.start("cat");
    page.plugin.limitChunks(2);
    page.plugin.emitBytes(task.id, 1, 2, 3);
    page.plugin.complete(task.id, 5);
    await page.plugin.frame();
    const seen: number[][] = [];
    for await (const chunk of task.stream()) seen.push([...chunk]);
    expect(seen).toEqual([[1, 2], [3]]);
  });

  it("throws what the result rejects with, and is unlocked then", async () => {
    const task = await tail(1);
    page.plugin.end(task.id, { status: "cancelled", data: { reason: "user" } });
    await page.plugin.frame();
    const stream = task.stream();
    const seen: unknown[] = [];
    const read = async () => {
      for await (const item of stream) seen.push(item);
    };
    await expect(read()).rejects.toMatchObject({ kind: "cancelled", reason: "user" });
    expect(seen).toEqual([1]);
    expect(stream.locked).toBe(false);
  });

  it("is cancelled by break, and the rest stays for the next reading", async () => {
    const task = await tail(1, 2, 3);
    const stream = task.stream();
    for await (const item of stream) if (item === 2) break;
    expect(stream.locked).toBe(false);
    expect(page.plugin.calls("cancel_read")).toMatchObject([{ position: 2 }]);
    expect(await stream.getReader().read()).toEqual({ done: true, value: undefined });
    expect(await task.items().next()).toEqual({ done: false, value: 3 });
  });

  it("is cancelled by an exception in the loop, which is passed on", async () => {
    const task = await tail(1, 2);
    const stream = task.stream();
    const read = async () => {
      for await (const item of stream) throw new Error(`no ${item}`);
    };
    await expect(read()).rejects.toThrow("no 1");
    expect(stream.locked).toBe(false);
    expect(page.plugin.calls("cancel_read")).toMatchObject([{ position: 1 }]);
  });

  it("goes on after break with preventCancel", async () => {
    const task = await tail(1, 2, 3, 4);
    const stream = task.stream();
    for await (const item of stream.values({ preventCancel: true })) if (item === 2) break;
    expect(stream.locked).toBe(false);
    expect(page.plugin.calls("cancel_read")).toEqual([]);
    for await (const item of stream[Symbol.asyncIterator]({ preventCancel: true })) {
      expect(item).toBe(3);
      break;
    }
    const reader = stream.getReader();
    expect(await reader.read()).toEqual({ done: false, value: 4 });
    await reader.cancel();
    expect(page.plugin.calls("cancel_read")).toMatchObject([{ position: 4 }]);
  });

  it("answers calls of next in order when several wait", async () => {
    const task = await tail();
    const iterator = task.stream().values();
    const order: unknown[] = [];
    const calls = [1, 2, 3, 4].map(() => iterator.next());
    for (const call of calls) void call.then(({ value, done }) => order.push(done ? "end" : value));
    await settle();
    expect(order).toEqual([]);
    page.plugin.emit(task.id, "a");
    await settle();
    page.plugin.emit(task.id, "b", "c");
    await settle();
    expect(order).toEqual(["a", "b", "c"]);
    page.plugin.complete(task.id, 5);
    await page.plugin.frame();
    expect(order).toEqual(["a", "b", "c", "end"]);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it("lets a pending next finish before return", async () => {
    const task = await tail();
    const stream = task.stream();
    const iterator = stream.values();
    const next = iterator.next();
    const left = iterator.return?.();
    expect(await stateOf(left ?? Promise.resolve())).toEqual({ pending: true });
    page.plugin.emit(task.id, "a", "b");
    expect(await next).toEqual({ done: false, value: "a" });
    expect(await left).toEqual({ done: true, value: undefined });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(stream.locked).toBe(false);
    expect(page.plugin.calls("cancel_read")).toMatchObject([{ position: 1 }]);
  });

  it("throws a TypeError at once if it is locked, and doesn't unlock it", async () => {
    const task = await tail(1);
    const stream = task.stream();
    const iterator = stream.values();
    expect(() => stream.values()).toThrow(TypeError);
    expect(() => stream[Symbol.asyncIterator]()).toThrow(TypeError);
    expect(stream.locked).toBe(true);
    await iterator.return?.();
    expect(stream.locked).toBe(false);
  });

  it("can be cancelled by the iterator alone while it is iterated", async () => {
    const task = await tail(1);
    const stream = task.stream();
    const iterator = stream.values();
    await iterator.next();
    await expect(stream.cancel()).rejects.toBeInstanceOf(TypeError);
    await iterator.return?.();
    expect(page.plugin.calls("cancel_read")).toMatchObject([{ position: 1 }]);
  });

  it("reads nothing before the first next", async () => {
    const task = await tail(1);
    task.stream().values();
    await settle();
    expect(page.plugin.calls("read")).toEqual([]);
  });

  it("can be piped and teed like other streams", async () => {
    const task = await tail(1, 2);
    page.plugin.complete(task.id, 5);
    await page.plugin.frame();
    const [one, other] = task.stream().tee();
    const seen: unknown[][] = [[], []];
    const doubled = one.pipeThrough(
      new TransformStream<unknown, number>({
        transform: (item, controller) => controller.enqueue(Number(item) * 2),
      }),
    );
    await Promise.all([
      doubled.pipeTo(new WritableStream({ write: (item) => void seen[0]?.push(item) })),
      other.pipeTo(new WritableStream({ write: (item) => void seen[1]?.push(item) })),
    ]);
    expect(seen).toEqual([
      [2, 4],
      [1, 2],
    ]);
  });
});

describe("the iterator of its own", () => {
  it("is used only where the platform has none, and is the same object's", async () => {
    const theirs = makeIterable(new ReadableStream());
    expect(Reflect.ownKeys(theirs)).not.toContain(Symbol.asyncIterator);
    expect(theirs.values).toBe(platform[0]?.value);
    removeIterator();
    const stream = new ReadableStream();
    const own = makeIterable(stream);
    expect(own).toBe(stream);
    expect(own).toBeInstanceOf(ReadableStream);
    expect(Object.keys(own)).toEqual([]);
    expect(own.values).toBe(own[Symbol.asyncIterator]);
    // The platform stays as it is.
    for (const name of METHODS) expect(name in ReadableStream.prototype).toBe(false);
    expect(Symbol.asyncIterator in new ReadableStream()).toBe(false);
  });

  /**
   * Plays random calls of the iterator, several at once, and random steps of the stream's source. Returns how each call has settled, in
   * this order, how the stream was cancelled and whether it is locked. The source waits for the calls before it: otherwise both would
   * race. Calls wait for the earlier ones: with the platform's iterator, they may overtake those.
   */
  async function play(seed: number) {
    const random = randomFrom(seed);
    const cancels: unknown[] = [];
    const refuses = random(3) === 0;
    let source: ReadableStreamDefaultController<number> | undefined;
    const stream = makeIterable(
      new ReadableStream<number>({
        start(controller) {
          source = controller;
        },
        cancel(reason) {
          source = undefined;
          cancels.push(reason);
          if (refuses) throw new Error("refused");
        },
      }),
    );
    const iterator = stream.values({ preventCancel: random(2) === 0 });
    const settled: string[] = [];
    let made = 0;

    function call(): void {
      made += 1;
      const number = made;
      const answer = random(6) === 0 ? iterator.return?.() : iterator.next();
      answer?.then(
        (result) => settled.push(`${number} ${JSON.stringify(result)}`),
        (error: unknown) => settled.push(`${number} ${error}`),
      );
    }

    function produce(step: number): void {
      const kind = random(8);
      if (kind > 1) source?.enqueue(step);
      else if (kind === 1) source?.close();
      else source?.error(new Error("failed"));
      if (kind < 2) source = undefined;
    }

    for (let step = 1; step <= 12; step += 1) {
      if (random(2) === 0) produce(step);
      else if (settled.length === made) for (let calls = random(4); calls > 0; calls -= 1) call();
      await settle();
    }
    return { settled, cancels, locked: stream.locked };
  }

  it("does what the platform's does, whatever is called", async () => {
    for (let seed = 1; seed <= 500; seed += 1) {
      const theirs = await play(seed);
      removeIterator();
      const own = await play(seed);
      restoreIterator();
      expect({ seed, ...own }).toEqual({ seed, ...theirs });
    }
  });

  it("answers calls in order, those too that are made while earlier ones wait", async () => {
    removeIterator();
    const task = await tail(1);
    const iterator = task.stream().values();
    const calls = [1, 2, 3].map(() => iterator.next());
    await settle();
    calls.push(iterator.next());
    page.plugin.emit(task.id, 2, 3, 4);
    expect((await Promise.all(calls)).map(({ value }) => value)).toEqual([1, 2, 3, 4]);
  });

  it("takes the same options, and none", async () => {
    for (const options of [undefined, {}, { preventCancel: undefined }, { preventCancel: true }]) {
      const outcomes = [];
      for (const prepare of [restoreIterator, removeIterator]) {
        prepare();
        const cancels: unknown[] = [];
        const stream = makeIterable(
          new ReadableStream({ cancel: (why) => void cancels.push(why) }),
        );
        const iterator = stream.values(options);
        const result = await Reflect.apply(iterator.return ?? (() => {}), iterator, ["why"]);
        outcomes.push({ cancels, result, hasThrow: iterator.throw !== undefined });
      }
      expect(outcomes[1]).toEqual(outcomes[0]);
    }
  });
});
