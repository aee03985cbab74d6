/**
 * Random readings of items and bytes, in every form. They are stopped at random points and continued by the same handle or
 * another one, while calls are answered late, answers get lost and sessions are dropped. Each item must come exactly once and in
 * order, and no more reads may be pending than allowed. The name of each test contains its seed.
 */
import { describe, expect, it, vi } from "vitest";
import type { TaskHandle, TaskItems } from "../index.js";
import { type LoadedPage, loadPage, settle } from "./load-page.js";
import { randomFrom } from "./random.js";

type Random = (below: number) => number;

/** What the simulated page knows of one task, across all readings of it. */
interface Consumer {
  readonly id: string;
  readonly kind: "tail" | "cat";
  handle: TaskHandle;
  /** The number of the next item or byte. */
  next: number;
  wrong: string[];
  missed: number;
  reading: boolean;
  ended: boolean;
}

/** Reads up to `count` items, or chunks of them. */
async function read(consumer: Consumer, count: number, random: Random): Promise<void> {
  const { handle, kind } = consumer;
  const accept = (value: unknown) => {
    // A byte holds only the low eight bits of its number.
    const expected = kind === "tail" ? consumer.next : consumer.next & 0xff;
    if (value !== expected) consumer.wrong.push(`${value} in place of ${expected}`);
    consumer.next += 1;
  };
  if (random(3) === 0) {
    const reader = (handle.stream() as ReadableStream<number | Uint8Array>).getReader();
    for (let left = count; left > 0; left -= 1) {
      const { done, value } = await reader.read();
      if (done) {
        consumer.ended = true;
        return;
      }
      for (const one of value instanceof Uint8Array ? value : [value]) accept(one);
    }
    await reader.cancel();
    return;
  }
  const inChunks = kind === "cat" || random(2) === 0;
  const items: TaskItems<unknown> =
    kind === "cat" ? handle.bytes() : inChunks ? handle.chunks() : handle.items();
  const width = 1 + random(3);
  for (let left = count; left > 0; left -= width) {
    const results = await Promise.allSettled(Array.from({ length: width }, () => items.next()));
    let failure: { readonly reason: unknown } | undefined;
    for (const result of results) {
      if (result.status === "rejected") failure = result;
      else if (!result.value.done) {
        // A failure ends a reading: no item may follow it.
        if (failure) consumer.wrong.push("an item after an error");
        const { value } = result.value;
        for (const one of inChunks ? (value as Iterable<unknown>) : [value]) accept(one);
      } else if (!failure) consumer.ended = true;
    }
    if (items.position !== consumer.next) {
      consumer.wrong.push(`position ${items.position}, and not ${consumer.next}`);
    }
    consumer.missed += items.missed;
    if (failure) throw failure.reason;
    if (consumer.ended) return;
  }
  await items.return();
}

async function consume(
  { tasks }: LoadedPage,
  consumer: Consumer,
  count: number,
  random: Random,
): Promise<void> {
  if (consumer.reading || consumer.ended) return;
  consumer.reading = true;
  try {
    if (random(2)) {
      consumer.handle = (await tasks.attach(consumer.kind, consumer.id, {
        from: consumer.next,
      })) as TaskHandle;
    }
    await read(consumer, count, random);
  } catch (error) {
    // These errors come from lost calls, from several sessions lost in a row, or from a reading that could not be stopped. The
    // next reading continues after any of them.
    const { kind } = error as { kind?: string };
    if (!["ipc", "locked", "sessionGone", "readerGone"].includes(String(kind))) throw error;
  } finally {
    consumer.reading = false;
  }
}

async function simulate(seed: number): Promise<void> {
  const random = randomFrom(seed);
  const page = await loadPage();
  const { plugin, tasks } = page;
  const consumers: Consumer[] = [];
  const emitted = new Map<string, number>();
  const held: (() => void)[] = [];
  let cancelsToRefuse = 3;
  const failures: unknown[] = [];
  const count = 1 + random(7);
  for (let index = 0; index < count; index += 1) {
    const kind = random(3) ? "tail" : "cat";
    const handle = (await tasks.start(kind)) as TaskHandle;
    const { id } = handle;
    consumers.push({
      id,
      kind,
      handle,
      next: 0,
      wrong: [],
      missed: 0,
      reading: false,
      ended: false,
    });
    emitted.set(id, 0);
  }
  const any = () => consumers[random(consumers.length)] as Consumer;
  const isLive = (id: string) => plugin.tasks.get(id)?.snapshot.status !== "completed";

  function emit({ id, kind }: Consumer): void {
    if (!isLive(id)) return;
    const from = emitted.get(id) ?? 0;
    const numbers = Array.from({ length: 1 + random(12) }, (_, index) => from + index);
    emitted.set(id, from + numbers.length);
    if (kind === "tail") plugin.emit(id, ...numbers);
    else plugin.emitBytes(id, ...numbers.map((number) => number & 0xff));
  }

  const start = (consumer: Consumer, most: number) => {
    consume(page, consumer, most, random).catch((error: unknown) => failures.push(error));
  };
  const steps: (() => unknown)[] = [
    () => emit(any()),
    () => emit(any()),
    () => emit(any()),
    () => consumers.forEach(emit),
    () => start(any(), 1 + random(20)),
    () => start(any(), 1 + random(20)),
    () => start(any(), 100),
    () => plugin.limitChunks(1 + random(6)),
    () => held.push(plugin.hold("read")),
    () => held.push(plugin.hold(["read", "cancel_read", "open", "watch"][random(4)] ?? "read")),
    () => held.splice(random(held.length + 1), 1)[0]?.(),
    () => held.splice(random(held.length + 1), 1)[0]?.(),
    () => plugin.loseAnswer(random(3) ? "read" : "cancel_read"),
    () => plugin.refuse("read", "not reached"),
    () => {
      // Enough refusals to make the page give up repeating the call.
      if (random(3) === 0 && cancelsToRefuse > 0) {
        cancelsToRefuse -= 1;
        plugin.refuse("cancel_read", "not reached");
      }
    },
    () => plugin.dropSessions(),
    // A gap in the messages makes the page give up a session that the plugin still has.
    async () => {
      const session = [...plugin.sessions.values()].at(-1);
      if (session) {
        await plugin.push({ message: 1_000, events: [], lists: [], more: false }, session);
      }
    },
    () => vi.advanceTimersByTimeAsync(random(1_000)),
    () => vi.advanceTimersByTimeAsync(random(30_000)),
    () => plugin.frame(),
    () => {
      const { id } = any();
      if (random(4) === 0 && isLive(id)) plugin.complete(id, 1);
    },
    settle,
  ];

  for (let step = 0; step < 120; step += 1) {
    void steps[random(steps.length)]?.();
    if (random(2)) await settle();
  }

  // Then all calls are answered and all tasks end.
  for (let round = 0; round < 5; round += 1) {
    for (const release of held.splice(0)) release();
    plugin.calm();
    await settle();
  }
  for (const { id } of consumers) if (isLive(id)) plugin.complete(id, 1);
  for (let round = 0; round < 30; round += 1) {
    for (const consumer of consumers) start(consumer, 10_000);
    await plugin.frame();
    await vi.advanceTimersByTimeAsync(10_000);
  }

  expect(failures).toEqual([]);
  for (const { id, next, wrong, missed, ended } of consumers) {
    expect(wrong).toEqual([]);
    expect(next).toBe(emitted.get(id));
    expect(missed).toBe(0);
    expect(ended).toBe(true);
    // No reading is left that would lock out others.
    expect(plugin.tasks.get(id)?.items.reader).toBeUndefined();
  }
  expect(plugin.reads().waiting).toBe(0);
  expect(plugin.reads().mostPolls).toBeLessThanOrEqual(4);
  expect(plugin.reads().mostOfOneReader).toBeLessThanOrEqual(4);
  expect(page.kept()).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
  page.unload();
}

/** Simulates a page that saves the position together with the items it has got, and that is reloaded at random moments. */
async function simulateReloads(seed: number): Promise<void> {
  const random = randomFrom(seed);
  const { plugin, tasks, reload, unload } = await loadPage();
  const { id } = await tasks.start("tail");
  const kept: unknown[] = [];
  let from = 0;
  let emitted = 0;
  let client = tasks;

  const emit = () => {
    const numbers = Array.from({ length: random(8) }, (_, index) => emitted + index);
    emitted += numbers.length;
    plugin.emit(id, ...numbers);
  };
  async function run(readBy: typeof client): Promise<void> {
    const alive = () => readBy === client;
    while (alive() && !(await readOn(readBy, alive).catch(() => false)));
  }
  /** Returns whether there is nothing more to read for this page. */
  async function readOn(readBy: typeof client, alive: () => boolean): Promise<boolean> {
    const task = await readBy.attach("tail", id, { from });
    const items = random(2) ? task.items() : task.chunks();
    for (;;) {
      const { done, value } = await items.next();
      // A page that has been reloaded can't save the items it got.
      if (done || !alive()) return true;
      await new Promise((resolve) => setTimeout(resolve, random(3) * 10));
      if (!alive()) return true;
      kept.push(...[value].flat());
      from = items.position;
    }
  }

  let running: Promise<void> = Promise.resolve();
  for (let page = 0; page < 6; page += 1) {
    running = run(client);
    plugin.limitChunks(1 + random(5));
    for (let step = random(25); step > 0; step -= 1) {
      const steps = [
        emit,
        emit,
        () => plugin.dropSessions(),
        () => plugin.loseAnswer("read"),
        () => vi.advanceTimersByTimeAsync(random(40)),
        () => vi.advanceTimersByTimeAsync(random(40)),
        () => vi.advanceTimersByTimeAsync(random(11_000)),
      ];
      await steps[random(steps.length)]?.();
      if (random(2)) await settle();
    }
    client = await reload();
    plugin.calm();
  }
  running = run(client);
  emit();
  plugin.complete(id, 1);
  for (let round = 0; round < 60; round += 1) {
    await plugin.frame();
    await vi.advanceTimersByTimeAsync(1_000);
  }
  await running;
  expect(kept).toEqual(Array.from({ length: emitted }, (_, index) => index));
  vi.clearAllTimers();
  unload();
}

describe("random reloads", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    it(`lose nothing and repeat nothing (seed ${seed})`, () => simulateReloads(seed));
  }
});

describe("random readings", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    it(`hand out each item once and in order (seed ${seed})`, () => simulate(seed));
  }
});
