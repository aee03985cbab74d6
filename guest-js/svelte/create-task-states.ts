import { untrack } from "svelte";
import type { TaskMap } from "../core/types/kind.js";
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
  taskStore,
} from "../store/index.js";
import { keyOf } from "../store/list-store.js";
import { currentOf } from "./current-of.js";
import { launched } from "./launched.js";
import type { MaybeGetter, TaskStates, TasksOptions } from "./task-states.js";

type GetHandle = () => TaskHandle | null | undefined;

/**
 * Returns functions that make state of the tasks of a client, for components and `.svelte.ts` files.
 *
 * @param client What `createTasks` has returned.
 *
 * @example
 * ```ts
 * // tasks.ts
 * export const tasks = createTasks<Tasks>();
 * export const { taskState, listState, startState, itemsState } = createTaskStates(tasks);
 * ```
 */
export function createTaskStates<M extends TaskMap>(client: TasksClient<M>): TaskStates<M> {
  const nameOf = (task: ReturnType<GetHandle>) => task?.snapshot.task ?? "";

  const states = {
    taskState: (name: string, id: () => string | null | undefined) =>
      currentOf(id, () => taskStore(client, name, id()), same),
    listState(
      query: () => TaskQuery = () => ({}),
      { everyMs, select = same, isEqual }: Partial<TasksOptions<never, unknown>> = {},
    ) {
      return currentOf(
        () => keyOf(query()),
        () => listStore(client, query(), { everyMs }),
        select as (list: ListState<unknown>) => unknown,
        isEqual,
      );
    },
    startState: (name: string, defaults: MaybeGetter<StartDefaults> = {}) =>
      launched(startStore(client, name, () => untrack(() => resolved(defaults)))),
    batchState: (name: string, defaults: MaybeGetter<BatchDefaults> = {}) =>
      launched(batchStore(client, name, () => untrack(() => resolved(defaults)))),
    progressState: (task: GetHandle) =>
      currentOf(
        () => task()?.id,
        () => taskStore(client, nameOf(task()), task()?.id),
        // What the handle knows is there at once, and stays when the plugin has forgotten the task.
        ({ snapshot = task()?.snapshot }) => snapshot?.progress,
      ),
    itemsState(task: GetHandle, options: MaybeGetter<ItemsOptions> = {}) {
      const limit = () => resolved(options).limit;
      return currentOf(
        () => `${task()?.id} ${limit()}`,
        () => itemsStore(client, nameOf(task()), task()?.id, { limit: limit() }),
        same,
      );
    },
  };
  return states as unknown as TaskStates<M>;
}

function resolved<T extends object>(value: MaybeGetter<T>): T {
  return typeof value === "function" ? (value as () => T)() : value;
}

function same<T>(value: T): T {
  return value;
}
