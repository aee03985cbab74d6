import { useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import { type Readable, select } from "../store/index.js";

/** Returns the value of a store, and renders again when it changes. */
export function useReadable<S>({ subscribe, getSnapshot, getServerSnapshot }: Readable<S>): S {
  return useSyncExternalStore(subscribe, getSnapshot, getServerSnapshot);
}

/**
 * Returns what a selector makes of a store's value, and renders again when that changes. Whether two results are equal is asked of the
 * one that was rendered last, so that a selector which is another function with each render keeps its result as well.
 */
export function useSelected<S, R>(
  store: Readable<S>,
  selector: (state: S) => R,
  isEqual: (a: R, b: R) => boolean = Object.is,
): R {
  const rendered = useRef<{ readonly value: R } | null>(null);
  const selected = useMemo(
    () =>
      select(store, (state) => {
        const value = selector(state);
        const last = rendered.current;
        return last && isEqual(last.value, value) ? last.value : value;
      }),
    [store, selector, isEqual],
  );
  // The subscription stays when only the selector is another one.
  const value = useReadable({ ...selected, subscribe: store.subscribe });
  useEffect(() => {
    rendered.current = { value };
  }, [value]);
  return value;
}
