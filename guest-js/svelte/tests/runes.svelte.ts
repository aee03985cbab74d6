/** Runes for tests, which load this after the adapter, so that both have the same Svelte. */

/** Returns an object whose `value` is deeply reactive. */
export function box<T>(first: T): { value: T } {
  let value = $state(first);
  return {
    get value() {
      return value;
    },
    set value(next) {
      value = next;
    },
  };
}

/** Runs an effect outside of components, again whenever what it reads changes. Returns a function that ends this. */
export function runEffect(effect: () => void): () => void {
  return $effect.root(() => {
    $effect(effect);
  });
}
