/** Hands an error from a user's callback to the page's error handling, without stopping whoever called it. */
export function report(error: unknown): void {
  if (typeof reportError === "function") {
    reportError(error);
    return;
  }
  queueMicrotask(() => {
    throw error;
  });
}

/** Calls a user's callback; what it throws is reported, never propagated. */
export function callGuarded<A extends unknown[]>(callback: (...args: A) => void, ...args: A): void {
  try {
    callback(...args);
  } catch (error) {
    report(error);
  }
}

/** A set of callbacks. */
export interface Listeners<A extends unknown[]> {
  /** The same function added twice is called twice. After the returned function ran, it is never called again. */
  add(callback: (...args: A) => void): () => void;
  /** Those added during the call are not called by it, those removed during the call neither. */
  emit(...args: A): void;
  clear(): void;
}

export function createListeners<A extends unknown[]>(): Listeners<A> {
  // Most tasks are listened to by few, and each has several of these.
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
  };
}
