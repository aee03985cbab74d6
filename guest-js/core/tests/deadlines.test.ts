import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createDeadlines, type Deadlines } from "../calls/deadlines.js";

let deadlines: Deadlines;
let reached: string[];

beforeEach(() => {
  vi.useFakeTimers();
  deadlines = createDeadlines();
  reached = [];
});
afterEach(() => {
  vi.useRealTimers();
});

function add(name: string, ms: number): () => void {
  return deadlines.add(ms, () => reached.push(name));
}

/** Lets time pass in which no timer of the page runs. */
function freeze(ms: number): void {
  const now = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => now() + ms);
}

describe("a deadline", () => {
  it("is reached when the page has run for that long, whenever it was added", () => {
    add("first", 30_000);
    vi.advanceTimersByTime(12_345);
    add("second", 30_000);
    vi.advanceTimersByTime(17_654);
    expect(reached).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(reached).toEqual(["first"]);
    vi.advanceTimersByTime(12_344);
    expect(reached).toEqual(["first"]);
    vi.advanceTimersByTime(1);
    expect(reached).toEqual(["first", "second"]);
  });

  it("can be removed, and the last one takes the timer with it", () => {
    const offs = [add("a", 30_000), add("b", 55_000)];
    expect(vi.getTimerCount()).toBe(1);
    for (const off of [...offs, ...offs]) off();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(100_000);
    expect(reached).toEqual([]);
    add("c", 30_000);
    vi.advanceTimersByTime(30_000);
    expect(reached).toEqual(["c"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not come closer while there is none", () => {
    add("a", 30_000)();
    vi.advanceTimersByTime(1_000_000);
    add("b", 30_000);
    vi.advanceTimersByTime(29_999);
    expect(reached).toEqual([]);
  });

  it("is hardly closer after an hour in which the page was frozen", () => {
    add("a", 30_000);
    vi.advanceTimersByTime(15_000);
    freeze(3_600_000);
    vi.advanceTimersByTime(14_999);
    expect(reached).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(reached).toEqual(["a"]);
  });

  it("comes no closer than one tick in a freeze, whenever that is", () => {
    for (let before = 0; before < 30_000; before += 500) {
      add(`after ${before}`, 30_000);
      vi.advanceTimersByTime(before);
      freeze(3_600_000);
      // What is left of the time, less one tick.
      vi.advanceTimersByTime(Math.max(0, 30_000 - before - 5_000));
      expect(reached).toEqual([]);
      vi.advanceTimersByTime(10_000);
      expect(reached.splice(0)).toEqual([`after ${before}`]);
      vi.restoreAllMocks();
    }
  });

  it("leaves a whole tick for what comes after a freeze", () => {
    for (let before = 0; before < 30_000; before += 500) {
      add("a", 30_000);
      vi.advanceTimersByTime(before);
      freeze(3_600_000);
      vi.advanceTimersToNextTimer();
      vi.advanceTimersByTime(4_999);
      expect(reached).toEqual([]);
      vi.advanceTimersByTime(30_000);
      expect(reached.splice(0)).toEqual(["a"]);
      vi.restoreAllMocks();
    }
  });

  it("waits for one more tick if the page was frozen just before it, for what has come meanwhile", () => {
    add("a", 30_000);
    vi.advanceTimersByTime(28_000);
    freeze(3_600_000);
    vi.advanceTimersByTime(2_000 + 4_999);
    expect(reached).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(reached).toEqual(["a"]);
  });

  it("is reached in a page whose timers run once a minute, too", () => {
    add("a", 30_000);
    let ms = 0;
    const now = performance.now.bind(performance);
    vi.spyOn(performance, "now").mockImplementation(() => now() + ms);
    for (let minute = 1; reached.length === 0; minute += 1) {
      expect(minute).toBeLessThan(10);
      ms += 60_000;
      vi.advanceTimersToNextTimer();
    }
  });

  it("may add another one when it is reached", () => {
    deadlines.add(5_000, () => add("next", 5_000));
    vi.advanceTimersByTime(9_999);
    expect(reached).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(reached).toEqual(["next"]);
  });
});
