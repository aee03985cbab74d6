import { useMemo } from "react";
import type { TaskMap } from "../core/types/kind.js";
import type { PaceOptions } from "../core/types/options.js";
import type { TaskQuery } from "../core/types/query.js";
import type { TaskHandle } from "../core/types/task-handle.js";
import type { TasksClient } from "../core/types/tasks-client.js";
import {
  type BatchDefaults,
  batchStore,
  type ItemsOptions,
  itemsStore,
  type ListState,
  listStore,
  type StartDefaults,
  startStore,
  type TaskState,
  taskStore,
} from "../store/index.js";
import { keyOf } from "../store/list-store.js";
import type { TaskHooks, TasksOptions } from "./task-hooks.js";
import { useLaunch } from "./use-launch.js";
import { useReadable, useSelected } from "./use-readable.js";

type Handle = TaskHandle | null | undefined;

/**
 * Returns hooks for the tasks of a client, which need no provider.
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
  function useTaskStore(name: string, id: string | null | undefined) {
    return useMemo(() => taskStore(client, name, id), [name, id]);
  }

  function useTasks(
    query: TaskQuery = {},
    { everyMs, select = same, isEqual }: Partial<TasksOptions<never, unknown>> & PaceOptions = {},
  ): unknown {
    const key = keyOf(query);
    // Equal queries have the same key.
    const store = useMemo(() => listStore(client, query, { everyMs }), [key, everyMs]);
    return useSelected(store, select as (list: ListState<unknown>) => unknown, isEqual);
  }

  const hooks = {
    useTask: (name: string, id: string | null | undefined) => useReadable(useTaskStore(name, id)),
    useTasks,
    useStartTask: (name: string, defaults: StartDefaults = {}) =>
      useLaunch((kind, newest) => startStore(client, kind, newest), name, defaults),
    useBatch: (name: string, defaults: BatchDefaults = {}) =>
      useLaunch((kind, newest) => batchStore(client, kind, newest), name, defaults),
    useTaskProgress: (task: Handle) =>
      useSelected(
        useTaskStore(task?.snapshot.task ?? "", task?.id),
        // What the handle knows is there at once, and stays when the plugin has forgotten the task.
        ({ snapshot = task?.snapshot }: TaskState) => snapshot?.progress,
      ),
    useTaskItems(task: Handle, { limit }: ItemsOptions = {}) {
      const [name, id] = [task?.snapshot.task ?? "", task?.id];
      return useReadable(useMemo(() => itemsStore(client, name, id, { limit }), [name, id, limit]));
    },
  };
  return hooks as unknown as TaskHooks<M>;
}

function same<T>(value: T): T {
  return value;
}
