import { onMount } from "svelte";
import { createSubscriber } from "svelte/reactivity";
import { toStore } from "svelte/store";
import type { Readable } from "../store/index.js";
import type { Current } from "./task-states.js";

/** A store that is shown, and what makes an effect that has called `track` run again when it changes. */
interface Shown<S> {
  readonly key: unknown;
  readonly store: Readable<S>;
  readonly track: () => void;
}

/**
 * Returns what `pick` makes of the value of a store. The store is another one when `key` returns something else; until then, it is the
 * one that `find` has returned for that key. A component that has called this follows it until it is unmounted; others, while an effect
 * reads it.
 */
export function currentOf<S, R>(
  key: () => unknown,
  find: () => Readable<S>,
  pick: (state: S) => R,
  isEqual: (a: R, b: R) => boolean = Object.is,
): Current<R> {
  let shown: Shown<S> | undefined;
  let last: { readonly value: R } | undefined;

  function read({ getSnapshot, getServerSnapshot }: Readable<S>): { readonly value: R } {
    const value = pick(typeof window === "undefined" ? getServerSnapshot() : getSnapshot());
    if (!last || !isEqual(last.value, value)) last = { value };
    return last;
  }

  function show(key: unknown): Shown<S> {
    const store = find();
    const track = createSubscriber((update) => {
      // Not compared with `last`: a subscriber that is called before may have read the new value already.
      let told = read(store);
      return store.subscribe(() => {
        const now = read(store);
        if (now === told) return;
        told = now;
        update();
      });
    });
    return { key, store, track };
  }

  const state = {
    get current() {
      const now = key();
      if (!shown || shown.key !== now) shown = show(now);
      shown.track();
      return read(shown.store).value;
    },
  };
  followUntilUnmounted(state);
  return state;
}

/** So that what only an event handler reads is known, too, and that a start lasts as long as its component. */
function followUntilUnmounted(state: Current<unknown>): void {
  try {
    onMount(() => toStore(() => state.current).subscribe(() => {}));
  } catch {
    // This isn't called by a component.
  }
}
