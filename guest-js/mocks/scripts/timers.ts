/** What is to happen later. All of it comes from `setTimeout`, so a test's fake timers hold for it. */
export interface Timers {
  /** Calls back after `ms` milliseconds, unless the returned function is called before. */
  after(ms: number, callback: () => void): () => void;
  /** Calls back in the next turn. */
  soon(callback: () => void): void;
  /** Calls now what waits only for the next turn. Returns whether there was anything. */
  flush(): boolean;
  /** Forgets everything. */
  clear(): void;
}

export function createTimers(): Timers {
  const pending = new Set<() => void>();
  /** Those of the next turn, each with the function that forgets it. */
  const next = new Map<() => void, () => void>();

  function after(ms: number, callback: () => void): () => void {
    const cancel = () => {
      clearTimeout(timer);
      pending.delete(cancel);
    };
    const timer = setTimeout(() => {
      pending.delete(cancel);
      callback();
    }, ms);
    pending.add(cancel);
    return cancel;
  }

  return {
    after,
    soon(callback) {
      if (next.has(callback)) return;
      const run = () => {
        next.delete(callback);
        callback();
      };
      next.set(callback, after(0, run));
    },
    flush() {
      const due = [...next];
      for (const [callback, cancel] of due) {
        cancel();
        next.delete(callback);
        callback();
      }
      return due.length > 0;
    },
    clear() {
      for (const cancel of [...pending]) cancel();
      next.clear();
    },
  };
}
