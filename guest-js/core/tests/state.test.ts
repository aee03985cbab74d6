import { describe, expect, it } from "vitest";
import { emptyProgress } from "../../mocks/plugin/progress.js";
import type { StatusChange, TaskEvent, TaskSnapshot } from "../ipc/bindings.js";
import { hasEnded, isBatch, isReported, reduce, restore } from "../task/state.js";
import {
  liveOnce,
  progressEvent,
  queuedTask,
  queueEvent,
  statusEvent,
  waitsForEvent,
} from "./life.js";
import { randomFrom } from "./random.js";

const fold = (first: TaskSnapshot, events: readonly TaskEvent[]) => events.reduce(reduce, first);

describe("a status event", () => {
  it("replaces what it carries and keeps the rest", () => {
    const before = queuedTask({ label: "Fetch", progress: { ...emptyProgress(), completed: 3 } });
    const after = reduce(before, statusEvent(before, { status: "running", attempt: 1 }));
    expect(after).toEqual({
      ...before,
      status: "running",
      sequence: 2,
      attempt: 1,
      startedAt: 2_000,
    });
    expect(after.progress).toBe(before.progress);
  });

  it("sets the start time at the first attempt only", () => {
    const before = queuedTask({ startedAt: 1_500, attempt: 1 });
    const after = reduce(before, statusEvent(before, { status: "running", attempt: 2 }));
    expect(after.startedAt).toBe(1_500);
  });

  it.each(["completed", "failed", "cancelled", "timedOut"] as const)(
    "sets the end time when the task has %s",
    (status) => {
      const before = queuedTask({ status: "running" });
      expect(reduce(before, statusEvent(before, { status, endedAt: 2_000 })).endedAt).toBe(2_000);
    },
  );

  it("clears the place in the queue", () => {
    const before = queuedTask({ queue: { position: 1, priority: 0, held: false } });
    expect(reduce(before, statusEvent(before, { status: "running" })).queue).toBeNull();
  });

  it("is ignored if its sequence is already known", () => {
    const before = queuedTask({ sequence: 4 });
    const repeat = { ...statusEvent(before, { status: "running" }), sequence: 4 };
    expect(reduce(before, repeat)).toBe(before);
  });
});

describe("a progress event", () => {
  it("replaces the progress and nothing else", () => {
    const before = queuedTask({ status: "running" });
    const after = reduce(before, progressEvent(before, { completed: 7 }));
    expect(after).toEqual({ ...before, progress: { ...emptyProgress(), completed: 7 } });
  });

  it("is ignored when it is older than the status", () => {
    const before = queuedTask({ sequence: 4 });
    expect(reduce(before, { ...progressEvent(before, { completed: 7 }), sequence: 3 })).toBe(
      before,
    );
  });
});

describe("a queue event", () => {
  it("gives a waiting task its place", () => {
    const before = queuedTask();
    const after = reduce(before, queueEvent(before, { position: 2 }));
    expect(after).toEqual({ ...before, queue: { position: 2, priority: 0, held: false } });
  });

  it("clears `nextAttemptAt` once there is a position", () => {
    const before = queuedTask({ nextAttemptAt: 9_000 });
    expect(reduce(before, queueEvent(before, { position: null })).nextAttemptAt).toBe(9_000);
    expect(reduce(before, queueEvent(before, { position: 1 })).nextAttemptAt).toBeNull();
  });

  it("keeps the same object for an equal place, so that no callback is called", () => {
    const before = queuedTask({ queue: { position: 1, priority: 0, held: false } });
    expect(reduce(before, queueEvent(before)).queue).toBe(before.queue);
  });

  it("is ignored when the task doesn't wait", () => {
    const before = queuedTask({ status: "running" });
    expect(reduce(before, queueEvent(before))).toBe(before);
  });
});

describe("an event with the tasks that a handler waits for", () => {
  it("replaces those of before", () => {
    const before = queuedTask({ status: "running", waitsFor: ["b"] });
    expect(reduce(before, waitsForEvent(before, ["b", "c"]))).toEqual({
      ...before,
      waitsFor: ["b", "c"],
    });
    expect(reduce(before, waitsForEvent(before, [])).waitsFor).toEqual([]);
  });

  it("changes nothing if they are the same", () => {
    const before = queuedTask({ status: "running", waitsFor: ["b"] });
    expect(reduce(before, waitsForEvent(before, ["b"]))).toBe(before);
  });

  it("is outlived by a cancel, but not by the attempt", () => {
    const before = queuedTask({ status: "running", waitsFor: ["b"] });
    const left = (more: Partial<StatusChange>) =>
      reduce(before, statusEvent(before, more)).waitsFor;
    expect(left({ status: "cancelling" })).toEqual(["b"]);
    expect(left({ status: "retrying" })).toEqual([]);
    expect(left({ status: "failed", endedAt: 2_000 })).toEqual([]);
  });
});

describe("any other event", () => {
  it("that reports a gap changes nothing", () => {
    const before = queuedTask();
    const gap: TaskEvent = { id: "a", sequence: 5, change: { type: "gap", data: { missed: 3 } } };
    expect(reduce(before, gap)).toBe(before);
  });

  it("of a kind that this package doesn't know changes nothing", () => {
    const before = queuedTask();
    const unknown = { id: "a", sequence: 5, change: { type: "mood", data: {} } };
    expect(reduce(before, unknown as unknown as TaskEvent)).toBe(before);
  });

  it("about another task changes nothing", () => {
    const before = queuedTask();
    const event = statusEvent(before, { status: "running" });
    expect(reduce(before, { ...event, id: "b" })).toBe(before);
  });
});

describe("an answer with the whole state", () => {
  it("is used unchanged if nothing is known yet", () => {
    const answer = queuedTask();
    expect(restore(undefined, answer)).toBe(answer);
  });

  it("is ignored when it is older than what is known", () => {
    const known = queuedTask({ sequence: 3 });
    expect(restore(known, queuedTask({ sequence: 2 }))).toBe(known);
  });

  it("replaces what is known, but keeps the same objects for equal parts", () => {
    const known = queuedTask({ queue: { position: 1, priority: 0, held: false } });
    const answer = { ...structuredClone(known), sequence: 2, overdue: true };
    const restored = restore(known, answer);
    expect(restored).toEqual(answer);
    expect(restored.progress).toBe(known.progress);
    expect(restored.queue).toBe(known.queue);
  });
});

describe("the functions about a state", () => {
  it("tell a task that has ended from a live one by the time of its end, whatever its status", () => {
    const statuses = ["running", "completed", "skipped"] as TaskSnapshot["status"][];
    for (const status of statuses) {
      expect(hasEnded(queuedTask({ status }))).toBe(false);
      expect(hasEnded(queuedTask({ status, endedAt: 0 }))).toBe(true);
    }
  });

  it("recognise a batch by its number of members, even if that is 0", () => {
    expect([
      isBatch(queuedTask({ members: 0 })),
      isBatch(queuedTask()),
      isBatch(undefined),
    ]).toEqual([true, false, false]);
  });

  it("tell reported progress from empty progress", () => {
    expect(isReported(emptyProgress())).toBe(false);
    for (const more of [
      { completed: 1 },
      { total: 0 },
      { fraction: 0 },
      { message: "" },
      { detail: 0 },
    ]) {
      expect(isReported({ ...emptyProgress(), ...more })).toBe(true);
    }
  });
});

describe("the events of a random life", () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    it(`lead from each state to every later one (seed ${seed})`, () => {
      const random = randomFrom(seed);
      const first = queuedTask({ nextAttemptAt: random(2) ? 1_500 : null });
      const steps = liveOnce(first, random);
      const states = [first, ...steps.map(({ after }) => after)];
      const events = steps.map(({ event }) => event);
      for (let from = 0; from < states.length; from += 1 + random(4)) {
        let state = states[from] ?? first;
        for (let step = from; step < events.length; step += 1) {
          state = fold(state, events.slice(step, step + 1));
          expect(state).toEqual(states[step + 1]);
        }
      }
    });

    it(`change nothing when those of an earlier status come again (seed ${seed})`, () => {
      const steps = liveOnce(queuedTask(), randomFrom(seed));
      for (const { after } of steps) {
        const earlier = steps.map(({ event }) => event).filter((e) => e.sequence < after.sequence);
        expect(fold(after, earlier)).toBe(after);
      }
    });

    it(`lead to the same end if progress that was replaced is left out (seed ${seed})`, () => {
      const first = queuedTask();
      const steps = liveOnce(first, randomFrom(seed));
      const isReplaced = ({ event }: (typeof steps)[number], index: number) =>
        event.change.type === "progress" && steps[index + 1]?.event.change.type === "progress";
      const told = steps.filter((step, index) => !isReplaced(step, index));
      expect(
        fold(
          first,
          told.map(({ event }) => event),
        ),
      ).toEqual(steps.at(-1)?.after);
    });

    it(`never change a state that was handed out (seed ${seed})`, () => {
      const first = Object.freeze(queuedTask());
      liveOnce(first, randomFrom(seed)).reduce(
        (state, { event }) => Object.freeze(reduce(state, event)),
        first,
      );
    });
  }
});
