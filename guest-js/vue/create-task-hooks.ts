import { type ComputedRef, computed, type MaybeRefOrGetter, shallowRef, toValue, watch } from "vue";
import type { TaskMap } from "../core/types/kind.js";
import type { TaskQuery } from "../core/types/query.js";
import type { TaskHandle } from "../core/types/task-handle.js";
import type { TasksClient } from "../core/types/tasks-client.js";
import {
  type BatchDefaults,
  batchStore,
  itemsStore,
  type ListState,
  listStore,
  type StartDefaults,
  startStore,
  taskStore,
} from "../store/index.js";
import type { ItemsArguments, SelectArguments, TaskHooks } from "./task-hooks.js";
import { useLaunch } from "./use-launch.js";
import { useReadable } from "./use-readable.js";

type Handle = MaybeRefOrGetter<TaskHandle | null | undefined>;

/**
 * Returns composables for the tasks of a client, which need no plugin of the app.
 *
 * @param client What `createTasks` has returned.
 *
 * @example
 * ```ts
 * // tasks.ts
 * export const tasks = createTasks<Tasks>();
 * export const { useTask, useTasks, useStartTask, useTaskItems } = createTaskHooks(tasks);
 * ```
 */
export function createTaskHooks<M extends TaskMap>(client: TasksClient<M>): TaskHooks<M> {
  function useTask(
    name: MaybeRefOrGetter<string>,
    id: MaybeRefOrGetter<string | null | undefined>,
  ) {
    return useReadable(() => taskStore(client, toValue(name), toValue(id)));
  }

  function useTasks(
    query: MaybeRefOrGetter<TaskQuery | undefined>,
    { everyMs, select, isEqual }: Partial<SelectArguments<unknown, unknown>> = {},
  ): ComputedRef<unknown> {
    const list = useReadable<ListState<unknown>>(() =>
      listStore(client, toValue(query), { everyMs: toValue(everyMs) }),
    );
    return select ? selected(() => select(list.value), isEqual) : list;
  }

  const hooks = {
    useTask,
    useTasks,
    useStartTask: (name: MaybeRefOrGetter<string>, defaults?: MaybeRefOrGetter<StartDefaults>) =>
      useLaunch(() => startStore(client, toValue(name), () => toValue(defaults) ?? {})),
    useBatch: (name: MaybeRefOrGetter<string>, defaults?: MaybeRefOrGetter<BatchDefaults>) =>
      useLaunch(() => batchStore(client, toValue(name), () => toValue(defaults) ?? {})),
    useTaskProgress(task: Handle) {
      const state = useTask(
        () => toValue(task)?.snapshot.task ?? "",
        () => toValue(task)?.id,
      );
      // What the handle knows is there at once, and stays when the plugin has forgotten the task.
      return computed(() => (state.value.snapshot ?? toValue(task)?.snapshot)?.progress);
    },
    useTaskItems: (task: Handle, { limit }: ItemsArguments = {}) =>
      useReadable(() => {
        const handle = toValue(task);
        return itemsStore(client, handle?.snapshot.task ?? "", handle?.id, {
          limit: toValue(limit),
        });
      }),
  };
  return hooks as unknown as TaskHooks<M>;
}

/** Returns what `select` returns, and keeps the last value while that is equal. */
function selected<R>(
  select: () => R,
  isEqual: (a: R, b: R) => boolean = Object.is,
): ComputedRef<R> {
  let last: { readonly value: R } | undefined;
  function read(): R {
    const value = select();
    if (!last || !isEqual(last.value, value)) last = { value };
    return last.value;
  }
  if (typeof window === "undefined") return computed(read);
  // A computed of Vue 3.3 tells of each change of what it reads, whether or not its own value is another one.
  const shown = shallowRef(read());
  watch(
    read,
    (value) => {
      shown.value = value;
    },
    { flush: "sync" },
  );
  return computed(() => shown.value);
}
