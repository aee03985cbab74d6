import { settled } from "../core/task/outcome.js";
import type { BatchHandle } from "../core/types/batch-handle.js";
import type { TaskMap, TaskName } from "../core/types/kind.js";
import type { BatchOptions, StartOptions } from "../core/types/options.js";
import type { TaskOutcome } from "../core/types/outcome.js";
import type { TaskHandle } from "../core/types/task-handle.js";
import type { StartArguments, TasksClient } from "../core/types/tasks-client.js";
import {
  type LaunchOptions,
  type LaunchState,
  type LaunchStore,
  launchStore,
} from "./launch-store.js";

/** What has come of the last start of a task of type `T`. */
export type StartState<T extends TaskMap[string] = TaskMap[string]> = LaunchState<
  TaskHandle<T>,
  T["output"]
>;

/** What has come of the last start of a batch of tasks of type `T`. */
export type BatchState<T extends TaskMap[string] = TaskMap[string]> = LaunchState<
  BatchHandle<T>,
  PromiseSettledResult<T["output"]>[]
>;

/** The options of each start, and what happens when the last subscriber has gone. */
export type StartDefaults = LaunchOptions & StartOptions;

/** The options of each batch, and what happens when the last subscriber has gone. */
export type BatchDefaults = LaunchOptions & BatchOptions;

/** A store that {@link startStore} has returned. */
export type StartStore<T extends TaskMap[string] = TaskMap[string]> = LaunchStore<
  StartArguments<T["input"]>,
  TaskHandle<T>,
  T["output"]
>;

/** A store that {@link batchStore} has returned. */
export type BatchStore<T extends TaskMap[string] = TaskMap[string]> = LaunchStore<
  [inputs: readonly T["input"][], options?: BatchOptions],
  BatchHandle<T>,
  PromiseSettledResult<T["output"]>[]
>;

/**
 * Returns a store that starts tasks of one kind, and shows the newest one.
 *
 * @param client What `createTasks` has returned.
 * @param name The kind to start.
 * @param defaults The options of each start, unless that says otherwise, or a function that returns them and is called for each start.
 *   A `signal` takes the place of `cancelOnUnmount`.
 *
 * @example
 * ```ts
 * const download = startStore(tasks, "download", { label: "Download" });
 * download.subscribe(() => render(download.getSnapshot()));
 * button.onclick = () => download.start({ url });
 * ```
 */
export function startStore<M extends TaskMap, K extends TaskName<M>>(
  client: TasksClient<M>,
  name: K,
  defaults: StartDefaults | (() => StartDefaults) = {},
): StartStore<M[K]> {
  return launchStore(
    defaults,
    (given, [input, options]) =>
      client.start(
        name,
        // `null` is the input of a kind without one.
        ...([input ?? null, { ...given, ...options }] as unknown as StartArguments<M[K]["input"]>),
      ),
    (id) => client.attach(name, id),
    (output) => output as M[K]["output"],
  );
}

/**
 * Returns a store that starts batches of one kind, and shows the newest one. Its members are those of
 * `listStore(tasks, { parent: batch.id })`.
 *
 * @param client What `createTasks` has returned.
 * @param name The kind to start.
 * @param defaults The options of each batch, unless that says otherwise, or a function that returns them and is called for each start.
 *   A `signal` takes the place of `cancelOnUnmount`.
 *
 * @example
 * ```ts
 * const downloads = batchStore(tasks, "download", { concurrency: 4 });
 * button.onclick = () => downloads.start(urls.map((url) => ({ url })));
 * ```
 */
export function batchStore<M extends TaskMap, K extends TaskName<M>>(
  client: TasksClient<M>,
  name: K,
  defaults: BatchDefaults | (() => BatchDefaults) = {},
): BatchStore<M[K]> {
  return launchStore(
    defaults,
    (given, [inputs, options]) => client.batch(name, inputs, { ...given, ...options }),
    (id) => client.attachBatch(name, id),
    (members) => (members as TaskOutcome[]).map(settled) as PromiseSettledResult<M[K]["output"]>[],
  );
}
