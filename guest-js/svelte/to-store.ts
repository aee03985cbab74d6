import type { Readable as SvelteStore } from "svelte/store";
import type { Readable } from "../store/index.js";

/**
 * Returns a store of Svelte, as `$store` and `derived` take it, from one of this package: it calls back at once, and then with each
 * change. On a server, it calls back once, and opens nothing. Components without runes show tasks by it.
 *
 * @param store What `taskStore`, `listStore`, `select` and their like have returned.
 *
 * @example
 * ```ts
 * const downloads = toStore(listStore(tasks, { task: "download" }));
 * const labels = derived(downloads, ({ tasks }) => tasks.map(({ label }) => label));
 * ```
 *
 * @example
 * ```svelte
 * <script lang="ts">
 *   export let id: string;
 *   $: download = toStore(taskStore(tasks, "download", id));
 * </script>
 *
 * <progress value={$download.snapshot?.progress.fraction}></progress>
 * ```
 */
export function toStore<S>(store: Readable<S>): SvelteStore<S> {
  return {
    subscribe(run) {
      if (typeof window === "undefined") {
        run(store.getServerSnapshot());
        return () => {};
      }
      let last = store.getSnapshot();
      run(last);
      return store.subscribe(() => {
        const next = store.getSnapshot();
        if (next === last) return;
        last = next;
        run(next);
      });
    },
  };
}
