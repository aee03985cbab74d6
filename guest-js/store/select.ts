import type { Readable } from "./readable.js";

/**
 * Returns a store of what `selector` makes of another store's value. Its subscribers are called only if that changes.
 *
 * @param store The other store.
 * @param selector Called once for each value of the store. It should depend on nothing else.
 * @param isEqual Whether two of its results count as the same, in which case the first one is kept; by default `Object.is`.
 *
 * @example
 * ```ts
 * const running = select(listStore(tasks), ({ tasks }) => tasks.filter(({ status }) => status === "running").length);
 * ```
 */
export function select<S, R>(
  store: Readable<S>,
  selector: (state: S) => R,
  isEqual: (a: R, b: R) => boolean = Object.is,
): Readable<R> {
  const getSnapshot = memoized(store.getSnapshot, selector, isEqual);
  return {
    subscribe(onChange) {
      // The first call back is passed on: the subscriber may have read an older value than there is now.
      let last: { readonly value: R } | undefined;
      return store.subscribe(() => {
        const value = getSnapshot();
        if (last && value === last.value) return;
        last = { value };
        onChange();
      });
    },
    getSnapshot,
    getServerSnapshot: memoized(store.getServerSnapshot, selector, isEqual),
  };
}

function memoized<S, R>(
  read: () => S,
  selector: (state: S) => R,
  isEqual: (a: R, b: R) => boolean,
): () => R {
  let known: { readonly state: S; readonly value: R } | undefined;
  return () => {
    const state = read();
    if (!known || known.state !== state) {
      const value = selector(state);
      known = { state, value: known && isEqual(known.value, value) ? known.value : value };
    }
    return known.value;
  };
}
