import { computed } from "vue";
import type { Readable } from "../store/index.js";
import { useReadable } from "./use-readable.js";

/** A store of starts, of whatever is started. */
interface Launcher<A extends unknown[]>
  extends Readable<{
    readonly state: unknown;
    readonly task?: unknown;
    readonly snapshot?: unknown;
    readonly output?: unknown;
    readonly error?: unknown;
  }> {
  start(...args: A): Promise<unknown>;
  cancel(reason?: string | object): Promise<void>;
  reset(): void;
}

/** Returns the state and the functions of the store that `create` returns. */
export function useLaunch<A extends unknown[]>(create: () => Launcher<A>) {
  const store = computed(create);
  const launch = useReadable(() => store.value);
  return {
    state: computed(() => launch.value.state),
    task: computed(() => launch.value.task),
    snapshot: computed(() => launch.value.snapshot),
    output: computed(() => launch.value.output),
    error: computed(() => launch.value.error),
    start: (...args: A) => store.value.start(...args),
    cancel: (reason?: string | object) => store.value.cancel(reason),
    reset: () => store.value.reset(),
  };
}
