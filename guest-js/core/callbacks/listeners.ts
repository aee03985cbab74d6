/** Reports an error from a user's callback to the page as uncaught, without interrupting the code that called the callback. */
export function report(error: unknown): void {
  if (typeof reportError === "function") {
    reportError(error);
    return;
  }
  queueMicrotask(() => {
    throw error;
  });
}

/** Calls a user's callback. An error that it throws is reported, never propagated. */
export function callGuarded<A extends unknown[]>(callback: (...args: A) => void, ...args: A): void {
  try {
    callback(...args);
  } catch (error) {
    report(error);
  }
}

/** A set of callbacks. */
export interface Listeners<A extends unknown[]> {
  /** Adds a callback; one that is added twice is called twice. Returns a function that removes only this addition. */
  add(callback: (...args: A) => void): () => void;
  /** Calls every callback, except those that are added or removed meanwhile. */
  emit(...args: A): void;
  clear(): void;
  readonly size: number;
}

export function createListeners<A extends unknown[]>(): Listeners<A> {
  // Created when needed: each task has several sets of listeners, and most of them remain empty.
  let entries: Set<{ readonly callback: (...args: A) => void }> | undefined;
  return {
    add(callback) {
      const entry = { callback };
      entries ??= new Set();
      entries.add(entry);
      return () => {
        entries?.delete(entry);
      };
    },
    emit(...args) {
      if (!entries) return;
      for (const entry of [...entries]) {
        if (entries.has(entry)) callGuarded(entry.callback, ...args);
      }
    },
    clear() {
      entries?.clear();
    },
    get size() {
      return entries?.size ?? 0;
    },
  };
}
