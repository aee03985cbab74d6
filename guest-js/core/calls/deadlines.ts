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
  /** Whether it was put off once, because the page did not run just before it. */
  putOff: boolean;
}

/**
 * Creates deadlines. Timers count the time: each counts what has passed since it was set, or only its own length if it is so late that
 * the page can't have run. There is one timer for all deadlines, and none when there are none.
 */
export function createDeadlines(): Deadlines {
  const pending = new Set<Deadline>();
  /** How long the page has run before the timer was set, as long as there were deadlines. */
  let past = 0;
  let setAt = 0;
  let length = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function elapsed(): number {
    return timer === undefined ? 0 : performance.now() - setAt;
  }

  /** Whether the timer is so late that the page did not run. */
  function isLate(): boolean {
    return elapsed() > 2 * length;
  }

  function now(): number {
    return past + (isLate() ? length : elapsed());
  }

  function untilNext(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { at } of pending) next = Math.min(next, at);
    return Math.min(TICK_MS, Math.max(1, next - past));
  }

  function setTimer(ms: number): void {
    length = ms;
    setAt = performance.now();
    timer = setTimeout(tick, length);
  }

  function clear(): void {
    past = now();
    clearTimeout(timer);
    timer = undefined;
  }

  function tick(): void {
    const wasLate = isLate();
    past = now();
    timer = undefined;
    const due = [...pending].filter(({ at }) => at <= past);
    // What has come while the page did not run is handled first.
    const over = due.filter(({ putOff }) => putOff || !wasLate);
    for (const deadline of due) deadline.putOff = true;
    for (const deadline of over) pending.delete(deadline);
    if (pending.size > 0) setTimer(wasLate ? TICK_MS : untilNext());
    for (const { reached } of over) reached();
  }

  return {
    add(ms, reached) {
      const deadline = { at: now() + ms, reached, putOff: false };
      pending.add(deadline);
      if (timer === undefined) setTimer(untilNext());
      return () => {
        if (pending.delete(deadline) && pending.size === 0) clear();
      };
    },
  };
}
