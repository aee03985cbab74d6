/**
 * Random histories: commands are answered late or refused, sessions dropped, messages repeated and tasks evicted, in any
 * order. A handle must keep its promises in each of them. The name of each test contains its seed.
 */
import { describe, expect, it, vi } from "vitest";
import type { TaskHandle } from "../index.js";
import type { QueuePlace, TaskStatus } from "../ipc/bindings.js";
import { loadPage, settle } from "./load-page.js";
import { randomFrom } from "./random.js";

interface Witness {
  readonly id: string;
  readonly handle: TaskHandle;
  readonly statuses: [TaskStatus, number][];
  readonly progress: number[];
  /** The last place in the queue; `undefined` before the first call. */
  place: QueuePlace | null | undefined;
  wrongPlaces: number;
  progressAfterEnd: boolean;
  closed: boolean;
  readonly paced: Paced[];
}

/** A callback for progress with a pace. */
interface Paced {
  readonly everyMs: number;
  readonly off: () => void;
  readonly calls: { readonly at: number; readonly completed: number; readonly ended: boolean }[];
  removed: boolean;
  calledAfterRemoval: boolean;
}

const join = { key: "k", onConflict: "join" } as const;
const ENDS: readonly TaskStatus[] = ["completed", "failed", "cancelled", "timedOut"];

async function simulate(seed: number): Promise<void> {
  const random = randomFrom(seed);
  const { plugin, tasks, kept, unload } = await loadPage();
  const witnesses: Witness[] = [];
  const held: (() => void)[] = [];
  /** What each list shows. */
  const lists: { tasks: string[]; stopped: boolean }[] = [];
  const stops: (() => void)[] = [];
  const aborts: (() => void)[] = [];
  let counter = 0;
  let calledAfterStop = 0;
  const isLive = (id: string) => {
    const status = plugin.tasks.get(id)?.snapshot.status;
    return status !== undefined && !ENDS.includes(status);
  };

  function witness(handle: TaskHandle): void {
    const seen: Witness = {
      id: handle.id,
      handle,
      statuses: [],
      progress: [],
      place: undefined,
      wrongPlaces: 0,
      progressAfterEnd: false,
      closed: false,
      paced: [],
    };
    witnesses.push(seen);
    handle.onProgress((progress) => {
      seen.progress.push(progress.completed);
      const last = seen.statuses.at(-1);
      if (last && ENDS.includes(last[0])) seen.progressAfterEnd = true;
    });
    handle.onStatus((status, snapshot) => seen.statuses.push([status, snapshot.sequence]));
    handle.onQueue((place) => {
      // Only a waiting task has a place, and the end of waiting is reported once.
      if ((place !== null) !== (handle.status === "queued")) seen.wrongPlaces += 1;
      if (place === null && !seen.place) seen.wrongPlaces += 1;
      seen.place = place;
    });
    handle.closed.then(() => {
      seen.closed = true;
    });
  }

  /** Adds a callback with a pace to any handle, perhaps while events are on their way. */
  function addPaced(): void {
    const witness = witnesses[random(Math.max(1, witnesses.length))];
    if (!witness) return;
    const { handle } = witness;
    const everyMs = [0, 50, 500, 20_000][random(4)] ?? 0;
    const paced: Paced = {
      everyMs,
      calls: [],
      removed: false,
      calledAfterRemoval: false,
      off: handle.onProgress(
        ({ completed }) => {
          if (paced.removed) paced.calledAfterRemoval = true;
          const ended = ENDS.includes(handle.status);
          paced.calls.push({ at: performance.now(), completed, ended });
        },
        { everyMs },
      ),
    };
    witness.paced.push(paced);
  }

  function removePaced(): void {
    const all = witnesses.flatMap(({ paced }) => paced).filter(({ removed }) => !removed);
    const paced = all[random(Math.max(1, all.length))];
    if (!paced) return;
    paced.removed = true;
    paced.off();
  }

  const anyId = () => [...plugin.tasks.keys()][random(Math.max(1, plugin.tasks.size))];
  const steps: (() => unknown)[] = [
    () => tasks.start("tick").then(witness, () => {}),
    () => tasks.start("tick", null, join).then(witness, () => {}),
    () => tasks.start("tick", null, join).then(witness, () => {}),
    () => {
      const controller = new AbortController();
      aborts.push(() => controller.abort());
      return tasks.start("tick", null, { ...join, signal: controller.signal }).catch(() => {});
    },
    () => aborts.shift()?.(),
    () => plugin.begin("tick", null, { key: "k", onConflict: "append" }),
    () => tasks.attach("tick", anyId() ?? "none").then(witness, () => {}),
    () => tasks.attach("download", anyId() ?? "none").then(witness, () => {}),
    () => {
      const shown: { tasks: string[]; stopped: boolean } = { tasks: [], stopped: false };
      const show = (all: { id: string; status: TaskStatus }[]) => {
        if (shown.stopped) calledAfterStop += 1;
        shown.tasks = all.map((task) => `${task.id} ${task.status}`);
      };
      const keep = (stop: () => void) => {
        lists.push(shown);
        stops.push(() => {
          shown.stopped = true;
          stop();
        });
      };
      return tasks.watch({}, show).then(keep, () => {});
    },
    () => stops.pop()?.(),
    () => plugin.begin("tick"),
    () => {
      const id = anyId();
      if (id && isLive(id)) {
        const status = plugin.tasks.get(id)?.snapshot.status;
        const next = { queued: "running", running: "retrying", retrying: "queued" } as const;
        if (status === "queued" || status === "running" || status === "retrying") {
          plugin.status(id, next[status]);
        }
      }
    },
    () => {
      const id = anyId();
      counter += 1;
      if (id && isLive(id)) plugin.progress(id, { completed: counter });
    },
    () => {
      const id = anyId();
      counter += 1;
      if (!id || !isLive(id)) return;
      plugin.progress(id, { completed: counter });
      if (random(2)) plugin.complete(id, random(2) ? 1 : "x".repeat(5_000));
    },
    () => {
      const id = anyId();
      if (id && !isLive(id)) plugin.evict(id);
    },
    addPaced,
    addPaced,
    removePaced,
    () => plugin.frame(),
    () => plugin.frame(),
    () => plugin.dropSessions(),
    () => held.push(plugin.hold(["start", "watch", "ack", "open", "unwatch"][random(5)] ?? "ack")),
    () => held.splice(random(held.length + 1), 1)[0]?.(),
    () => plugin.refuse(["watch", "ack", "open"][random(3)] ?? "ack", "the call was lost"),
    () => vi.advanceTimersByTimeAsync(random(12_000)),
    async () => {
      for (const session of plugin.sessions.values()) {
        if (session.open) await plugin.push(session.open, session);
      }
    },
    settle,
  ];

  for (let step = 0; step < 80; step += 1) {
    const running = steps[random(steps.length)]?.();
    // Only this lets time pass; pending commands such as `start` resolve meanwhile.
    if (random(2)) await settle();
    void running;
  }

  // Then all calls are answered and all tasks end.
  for (let round = 0; round < 5; round += 1) {
    for (const release of held.splice(0)) release();
    plugin.calm();
    await settle();
  }
  const idle = [...plugin.tasks.keys()].filter(isLive);
  for (const id of idle) plugin.complete(id, 1);
  for (let round = 0; round < 10; round += 1) {
    await plugin.frame();
    await vi.advanceTimersByTimeAsync(10_000);
  }
  const there = [...plugin.tasks.values()].map(
    ({ snapshot }) => `${snapshot.id} ${snapshot.status}`,
  );
  for (const { tasks: shown, stopped } of lists) {
    if (!stopped) expect(shown.sort()).toEqual(there.sort());
  }
  for (const stop of stops.splice(0)) stop();
  await settle();

  for (const witness of witnesses) {
    const { statuses, progress, progressAfterEnd, closed, handle, place, wrongPlaces } = witness;
    expect(closed).toBe(true);
    expect(wrongPlaces).toBe(0);
    if (statuses.some(([status]) => ENDS.includes(status))) expect(place ?? null).toBeNull();
    expect(progressAfterEnd).toBe(false);
    const sequences = statuses.map(([, sequence]) => sequence);
    expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    for (const { everyMs, calls, removed, calledAfterRemoval } of witness.paced) {
      expect(calledAfterRemoval).toBe(false);
      calls.forEach(({ at, completed, ended }, index) => {
        const before = calls[index - 1];
        if (!before) return;
        expect(completed).toBeGreaterThan(before.completed);
        // Only the end doesn't wait, nor does the last value of a task that is gone.
        const isGone = index === calls.length - 1 && !ENDS.includes(handle.status);
        if (!ended && !isGone) expect(at - before.at).toBeGreaterThanOrEqual(everyMs);
      });
      const last = handle.snapshot.progress.completed;
      if (!removed && last > 0) expect(calls.at(-1)?.completed).toBe(last);
    }
    const ends = statuses.filter(([status]) => ENDS.includes(status));
    if (ends.length === 0)
      await expect(handle.result).rejects.toMatchObject({ kind: "outcomeExpired" });
    else expect(ends).toEqual([statuses.at(-1)]);
    const task = plugin.tasks.get(handle.id);
    if (task) expect(handle.status).toBe(task.snapshot.status);
  }
  expect(calledAfterStop).toBe(0);
  expect(kept()).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
  unload();
}

describe("random histories", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    it(`keep the promises of a handle (seed ${seed})`, () => simulate(seed));
  }
});
