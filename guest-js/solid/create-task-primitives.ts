import { createMemo, untrack } from "solid-js";
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
  listStore,
  type Readable,
  type StartDefaults,
  startStore,
  taskStore,
} from "../store/index.js";
import { keyOf } from "../store/list-store.js";
import { createReadable } from "./create-readable.js";
import type { MaybeAccessor, TaskPrimitives } from "./task-primitives.js";

type GetHandle = () => TaskHandle | null | undefined;

/** A store of starts. */
interface Launcher extends Readable<unknown> {
  readonly start: unknown;
  readonly cancel: unknown;
  readonly reset: unknown;
}

/**
 * Returns primitives for the tasks of a client, which need no provider.
 *
 * @param client What `createTasks` has returned.
 *
 * @example
 * ```ts
 * // tasks.ts
 * export const tasks = createTasks<Tasks>();
 * export const { createTask, createTaskList, createStartTask, createTaskItems } = createTaskPrimitives(tasks);
 * ```
 */
export function createTaskPrimitives<M extends TaskMap>(client: TasksClient<M>): TaskPrimitives<M> {
  const nameOf = (task: ReturnType<GetHandle>) => task?.snapshot.task ?? "";

  function createTask(name: () => string, id: () => string | null | undefined) {
    return createReadable(id, () => taskStore(client, name(), id()));
  }

  const primitives = {
    createTask: (name: string, id: () => string | null | undefined) => createTask(() => name, id),
    createTaskList: (query: () => TaskQuery = () => ({}), { everyMs }: PaceOptions = {}) =>
      createReadable(
        () => keyOf(query()),
        () => listStore(client, query(), { everyMs }),
      ),
    createStartTask: (name: string, defaults: MaybeAccessor<StartDefaults> = {}) =>
      launched(startStore(client, name, () => untrack(() => resolved(defaults)))),
    createBatch: (name: string, defaults: MaybeAccessor<BatchDefaults> = {}) =>
      launched(batchStore(client, name, () => untrack(() => resolved(defaults)))),
    createTaskProgress(task: GetHandle) {
      const state = createTask(
        () => nameOf(task()),
        () => task()?.id,
      );
      // What the handle knows is there at once, and stays when the plugin has forgotten the task.
      return createMemo(() => (state().snapshot ?? task()?.snapshot)?.progress);
    },
    createTaskItems(task: GetHandle, options: MaybeAccessor<ItemsOptions> = {}) {
      const limit = () => resolved(options).limit;
      return createReadable(
        () => `${task()?.id} ${limit()}`,
        () => itemsStore(client, nameOf(task()), task()?.id, { limit: limit() }),
      );
    },
  };
  return primitives as unknown as TaskPrimitives<M>;
}

/** Returns the state and the functions of a store. */
function launched(store: Launcher) {
  const { start, cancel, reset } = store;
  return [
    createReadable(
      () => 0,
      () => store,
    ),
    { start, cancel, reset },
  ];
}

function resolved<T extends object>(value: MaybeAccessor<T>): T {
  return typeof value === "function" ? (value as () => T)() : value;
}
