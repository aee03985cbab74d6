import type { Accessor } from "solid-js";
import type { JsonItem } from "../core/types/items.js";
import type { TaskMap, TaskName, TaskTypes } from "../core/types/kind.js";
import type { PaceOptions } from "../core/types/options.js";
import type { TaskQuery } from "../core/types/query.js";
import type { SnapshotFor, TaskProgress } from "../core/types/snapshot.js";
import type { TaskHandle } from "../core/types/task-handle.js";
import type {
  BatchDefaults,
  BatchState,
  BatchStore,
  ItemsOptions,
  ItemsState,
  ListState,
  StartDefaults,
  StartState,
  StartStore,
  TaskState,
} from "../store/index.js";

/** The state `S` of the last start, and the functions of the store `L` that it is of. */
export type Started<S, L extends { start: unknown; cancel: unknown; reset: unknown }> = readonly [
  state: Accessor<S>,
  actions: Pick<L, "start" | "cancel" | "reset">,
];

/** A value, or a function that returns it and may read signals and props. */
export type MaybeAccessor<T> = T | (() => T);

/**
 * The primitives that `createTaskPrimitives` returns, typed by the app's kinds `M`. None of them starts anything by itself.
 *
 * What changes is given as a function that reads it, such as `() => props.id`. When that returns something else, the accessor has at
 * once what is known of the new task or query, never the old one.
 *
 * All ends with the component or the root that has called a primitive; what nothing shows any more is let go of after 100 ms, so that
 * hot reloads and fast remounts go on with the same. On a server, a task is `loading` or `idle`, and a list is empty. Derive from an
 * accessor as from any other, with `createMemo`.
 */
export interface TaskPrimitives<M extends TaskMap> {
  /**
   * Returns what a task is. It changes for progress at most once a frame.
   *
   * @param name The kind of the task.
   * @param id Returns the id of the task. Without one, the state is `idle`.
   * @returns `idle`, `loading`, `ready` with a handle and the snapshot, or `error` with the reason, such as a `TaskNotFoundError`. A
   *   task that has ended is `ready`: its snapshot has the status.
   *
   * @example
   * ```tsx
   * function Download(props: { id: string }) {
   *   const download = createTask("download", () => props.id);
   *   return (
   *     <Show when={!download().error} fallback={<p>{download().error?.message}</p>}>
   *       <progress value={download().snapshot?.progress.fraction ?? 0} />
   *       <button onClick={() => download().task?.cancel()}>Cancel</button>
   *     </Show>
   *   );
   * }
   * ```
   */
  createTask<K extends TaskName<M>>(
    name: K,
    id: () => string | null | undefined,
  ): Accessor<TaskState<M[K]>>;

  /**
   * Returns the list of all tasks that match and that this page may see, oldest first. Components with equal queries share one watch.
   *
   * A task that hasn't changed keeps its object, so `<For>` keeps its row. For rows with a button or a state of their own, which must
   * outlast each report of progress, give `<For>` the ids.
   *
   * @param query Returns the query, as for `watch`. By default, all tasks.
   * @param options How often the list changes at most, as for `watch`.
   * @returns `loading`, `ready`, or `error` with the reason; `tasks` is what was known last.
   *
   * @example
   * ```tsx
   * const downloads = createTaskList(() => ({ task: "download" }));
   * const running = createMemo(() => downloads().tasks.filter(({ status }) => status === "running").length);
   * return <For each={downloads().tasks.map(({ id }) => id)}>{(id) => <Download id={id} />}</For>;
   * ```
   */
  createTaskList<K extends TaskName<M> = never>(
    query?: () => TaskQuery<K>,
    options?: PaceOptions,
  ): Accessor<ListState<SnapshotFor<M, K>>>;

  /**
   * Returns the state of the last start, and the functions that start, cancel and forget.
   *
   * @param name The kind to start.
   * @param defaults The options of each start, unless that says otherwise, and whether the task is given up when the component is
   *   unmounted (`cancelOnUnmount`). A function is called at each start.
   *
   * @example
   * ```tsx
   * const [download, { start, cancel }] = createStartTask("download");
   * return (
   *   <Show
   *     when={download().snapshot?.endedAt === null}
   *     fallback={<button onClick={() => start({ url: props.url })}>{download().error?.message ?? "Download"}</button>}
   *   >
   *     <button onClick={() => cancel()}>Cancel {download().snapshot?.progress.completed}</button>
   *   </Show>
   * );
   * ```
   */
  createStartTask<K extends TaskName<M>>(
    name: K,
    defaults?: MaybeAccessor<StartDefaults>,
  ): Started<StartState<M[K]>, StartStore<M[K]>>;

  /**
   * Returns the state of the last batch, and the functions that start, cancel and forget: see {@link TaskPrimitives.createStartTask}.
   * The members are those of `createTaskList(() => ({ parent: batch().task?.id ?? [] }))`.
   *
   * @param name The kind to start.
   * @param defaults The options of each batch, unless that says otherwise, and `cancelOnUnmount`.
   *
   * @example
   * ```tsx
   * const [batch, { start }] = createBatch("download", { concurrency: 4 });
   * return <button onClick={() => start(urls.map((url) => ({ url })))}>{batch().snapshot?.progress.completed}</button>;
   * ```
   */
  createBatch<K extends TaskName<M>>(
    name: K,
    defaults?: MaybeAccessor<BatchDefaults>,
  ): Started<BatchState<M[K]>, BatchStore<M[K]>>;

  /**
   * Returns the newest progress of a task, which changes at most once a frame. The batch of {@link TaskPrimitives.createBatch} has its
   * progress in `snapshot`.
   *
   * @param task Returns a handle. It may have been let go of. Without one, the progress is `undefined`.
   *
   * @example
   * ```tsx
   * const [download] = createStartTask("download");
   * const progress = createTaskProgress(() => download().task);
   * return <progress value={progress()?.fraction ?? 0} />;
   * ```
   */
  createTaskProgress<T extends TaskTypes>(
    task: () => TaskHandle<T>,
  ): Accessor<TaskProgress<T["detail"]>>;
  createTaskProgress<T extends TaskTypes>(
    task: () => TaskHandle<T> | null | undefined,
  ): Accessor<TaskProgress<T["detail"]> | undefined>;

  /**
   * Reads the items that a task emits: the newest ones, told at most once a frame. All components that show the same task share one
   * reading, which goes on when one of them is mounted again within 100 ms. While the task is read elsewhere, there is the `error` that
   * it is locked.
   *
   * @param task Returns a handle. It may have been let go of. Without one, there are no items.
   * @param options How many of the newest items are kept: 1,000 by default.
   *
   * @example
   * ```tsx
   * const log = createTaskItems(() => props.task, { limit: 200 });
   * return <pre>{log().items.join("\n")}</pre>;
   * ```
   */
  createTaskItems<T extends TaskTypes>(
    task: () => TaskHandle<T> | null | undefined,
    options?: MaybeAccessor<ItemsOptions>,
  ): Accessor<ItemsState<JsonItem<T["item"]>>>;
}
