/** For how long, in milliseconds, what has no subscriber any more stays open. */
export const GRACE_MS = 100;

/** A value with subscribers. */
export interface Cell<S> {
  readonly isOpen: boolean;
  get(): S;
  /** Sets the value, and calls the subscribers unless it is the same. */
  set(next: S): void;
  subscribe(onChange: () => void): () => void;
}

/** Creates a cell. `open` is called for the first subscriber, and `close` some time after the last one has gone. */
export function createCell<S>(initial: S, open: () => void, close: () => void): Cell<S> {
  let state = initial;
  let isOpen = false;
  let closing: ReturnType<typeof setTimeout> | undefined;
  const listeners = new Set<() => void>();

  return {
    get isOpen() {
      return isOpen;
    },
    get: () => state,
    set(next) {
      if (next === state) return;
      state = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(onChange) {
      // Each subscription is one of its own, whatever the function.
      const listener = () => onChange();
      listeners.add(listener);
      clearTimeout(closing);
      if (!isOpen) {
        isOpen = true;
        open();
      }
      // The value may have changed since the subscriber has read it. React 19.2 doesn't always look again by itself.
      queueMicrotask(() => {
        if (listeners.has(listener)) listener();
      });
      return () => {
        if (!listeners.delete(listener) || listeners.size > 0) return;
        closing = setTimeout(() => {
          isOpen = false;
          close();
        }, GRACE_MS);
      };
    },
  };
}
