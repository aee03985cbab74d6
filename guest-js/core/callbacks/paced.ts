import { callGuarded } from "./listeners.js";

/** A callback that gets the newest value at most once in so many milliseconds. No newest value is lost. */
export interface Paced<T> {
  readonly everyMs: number;
  /** Calls back now, or as soon as the pace allows it, unless a newer value comes before that. */
  call(value: T): void;
  /** Calls back now if a value waits. */
  flush(): void;
  /** Drops a value that waits. */
  stop(): void;
}

export function createPaced<T>(callback: (value: T) => void, everyMs: number): Paced<T> {
  let last = Number.NEGATIVE_INFINITY;
  let waiting: { readonly value: T; readonly timer: ReturnType<typeof setTimeout> } | undefined;

  function pass(value: T): void {
    last = performance.now();
    callGuarded(callback, value);
  }

  function flush(): void {
    if (!waiting) return;
    const { value, timer } = waiting;
    clearTimeout(timer);
    waiting = undefined;
    pass(value);
  }

  return {
    everyMs,
    call(value) {
      const rest = last + everyMs - performance.now();
      if (waiting) waiting = { ...waiting, value };
      else if (rest > 0) waiting = { value, timer: setTimeout(flush, rest) };
      else pass(value);
    },
    flush,
    stop() {
      clearTimeout(waiting?.timer);
      waiting = undefined;
    },
  };
}
