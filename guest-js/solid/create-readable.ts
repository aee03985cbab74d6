import { type Accessor, createMemo, createSignal, onCleanup, untrack } from "solid-js";
import type { Readable } from "../store/index.js";

/**
 * Returns the value of a store, which is another store when `key` returns something else. The value is always one of the store of now.
 * The subscription ends with the owner; on a server there is none.
 */
export function createReadable<S>(key: () => unknown, find: () => Readable<S>): Accessor<S> {
  const changedKey = createMemo(key);
  const store = createMemo<Accessor<S>>(() => {
    changedKey();
    const { subscribe, getSnapshot, getServerSnapshot } = untrack(find);
    if (typeof window === "undefined") return getServerSnapshot;
    const [changed, change] = createSignal(undefined, { equals: false });
    onCleanup(subscribe(() => change()));
    return () => {
      changed();
      return getSnapshot();
    };
  });
  // Nothing runs again for the same value.
  return createMemo(() => store()());
}
