import {
  type ComputedRef,
  computed,
  getCurrentScope,
  onScopeDispose,
  shallowRef,
  warn,
  watch,
} from "vue";
import type { Readable } from "../store/index.js";

/**
 * Returns the value of the store that `find` returns, which is another store when something reactive has changed. The value is always
 * one of the store of now. The subscription ends with the scope; on a server there is none.
 */
export function useReadable<S>(find: () => Readable<S>): ComputedRef<S> {
  const store = computed(find);
  if (typeof window === "undefined") return computed(() => store.value.getServerSnapshot());

  const changed = shallowRef({});
  const stop = watch(
    store,
    // Written without being read, which `triggerRef` of Vue 3.3 does: an effect that starts a task must not depend on what comes of it.
    ({ subscribe }, _, onCleanup) =>
      onCleanup(
        subscribe(() => {
          changed.value = {};
        }),
      ),
    { immediate: true },
  );
  if (getCurrentScope()) onScopeDispose(stop);
  else
    warn(
      "Tasks are used outside of a component, so they are followed for ever. Call this in `setup`, or in an `effectScope` that you stop.",
    );
  return computed(() => {
    void changed.value;
    return store.value.getSnapshot();
  });
}
