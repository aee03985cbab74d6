import { useInsertionEffect, useRef, useState } from "react";
import type { Readable } from "../store/index.js";
import { useReadable } from "./use-readable.js";

/** A store of starts. */
interface Launcher<S> extends Readable<S> {
  readonly start: unknown;
  readonly cancel: unknown;
  readonly reset: unknown;
}

/** Returns the state and the functions of a store of the component's own, which is another one for another name. */
export function useLaunch<D, S extends object, L extends Launcher<S>>(
  create: (name: string, defaults: () => D) => L & Readable<S>,
  name: string,
  defaults: D,
): S & Pick<L, "start" | "cancel" | "reset"> {
  const newest = useRef(defaults);
  useInsertionEffect(() => {
    newest.current = defaults;
  });
  const open = () => ({ name, store: create(name, () => newest.current) });
  let [held, hold] = useState(open);
  if (held.name !== name) {
    held = open();
    hold(held);
  }
  const { start, cancel, reset } = held.store;
  return { ...useReadable<S>(held.store), start, cancel, reset };
}
