/** The longest time between two looks at the clock, in milliseconds. */
const TICK_MS = 5_000;

/** Deadlines in the time in which this page runs: time in which it is frozen, asleep or throttled doesn't bring them closer. */
export interface Deadlines {
  /** Calls back when the page has run for `ms` milliseconds, unless the returned function is called before. */
  add(ms: number, reached: () => void): () => void;
}

interface Deadline {
  /** The time at which it is reached. */
  readonly at: number;
  readonly reached: () => void;
}

/**
 * Creates deadlines. Timers count the time: each counts what has passed since it was set, but no more than twice its length. There is
 * one timer for all deadlines, and none when there are none.
 */
export function createDeadlines(): Deadlines {
  const pending = new Set<Deadline>();
  /** How long the page has run before the timer was set, as long as there were deadlines. */
  let past = 0;
  let setAt = 0;
  let length = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether the last timer was so late that the page did not run, and deadlines that were reached then still stand. */
  let reprieved = false;

  function elapsed(): number {
    return timer === undefined ? 0 : performance.now() - setAt;
  }

  function now(): number {
    return past + Math.min(elapsed(), 2 * length);
  }

  function setTimer(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of pending) next = Math.min(next, at);
    length = Math.min(TICK_MS, Math.max(1, next - past));
    setAt = performance.now();
    timer = setTimeout(tick, length);
  }

  function clear(): void {
    past = now();
    clearTimeout(timer);
    timer = undefined;
    reprieved = false;
  }

  function tick(): void {
    const wasLate = elapsed() > 2 * length;
    past = now();
    timer = undefined;
    // What has come while the page did not run is handled first.
    reprieved = wasLate && !reprieved;
    const over = reprieved ? [] : [...pending].filter(({ at }) => at <= past);
    for (const deadline of over) pending.delete(deadline);
    if (pending.size > 0) setTimer();
    for (const { reached } of over) reached();
  }

  return {
    add(ms, reached) {
      const deadline = { at: now() + ms, reached };
      pending.add(deadline);
      if (timer === undefined) setTimer();
      return () => {
        if (pending.delete(deadline) && pending.size === 0) clear();
      };
    },
  };
}
