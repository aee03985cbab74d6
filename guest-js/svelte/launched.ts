import type { Readable } from "../store/index.js";
import { currentOf } from "./current-of.js";

/** A store of starts. */
interface Launcher<S> extends Readable<S> {
  readonly start: unknown;
  readonly cancel: unknown;
  readonly reset: unknown;
}

/** Returns the state and the functions of a store. */
export function launched<S, L extends Launcher<S>>(store: L & Readable<S>) {
  const { start, cancel, reset } = store;
  const state = currentOf(
    () => 0,
    () => store,
    (launch) => launch,
  );
  return Object.assign(state, { start, cancel, reset });
}
