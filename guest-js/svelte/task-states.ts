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

/** State, which is followed wherever `current` is read: in a template, `$derived` or `$effect`. */
export interface Current<S> {
  /** The newest value. It is a getter, so don't take it out of the object by destructuring. */
  readonly current: S;
}

/** The state `S` of the last start, and the functions of the store `L` that it is of, which may be taken out of the object. */
export type Started<S, L extends { start: unknown; cancel: unknown; reset: unknown }> = Current<S> &
  Pick<L, "start" | "cancel" | "reset">;

/** A value, or a function that returns it and may read `$state` and props. */
export type MaybeGetter<T> = T | (() => T);

/** What {@link TaskStates.listState} makes of a list. */
export interface TasksOptions<S, R> extends PaceOptions {
  /** Makes of the list what is shown. What it reads of `$state` is followed. It should change nothing. */
  readonly select: (list: ListState<S>) => R;
  /** Whether two results of `select` count as the same, so that nothing runs again; by default `Object.is`. */
  readonly isEqual?: ((a: R, b: R) => boolean) | undefined;
}

/**
 * The functions that `createTaskStates` returns, typed by the app's kinds `M`. Each returns an object with the getter `current`.
 *
 * What changes is given as a function that reads it, such as `() => id`. When that returns something else, `current` is at once what is
 * known of the new task or query, never the old one.
 *
 * Called by a component, a function follows what it shows until the component is unmounted. Called elsewhere, as by a `.svelte.ts` file
 * that several components share, it does so while `current` is read by at least one template or effect. What nothing follows any more
 * is let go of after 100 ms, so that hot reloads and fast remounts go on with the same. On a server, a task is `loading` or `idle`, and
 * a list is empty.
 *
 * Nothing in the values is deeply reactive. Keep handles and snapshots in `$state.raw` rather than in `$state`. A component without
 * runes doesn't follow getters: there, use the stores of `tauri-plugin-tasks-api/store` with `toStore`.
 */
export interface TaskStates<M extends TaskMap> {
  /**
   * Returns what a task is. It changes for progress at most once a frame.
   *
   * @param name The kind of the task.
   * @param id Returns the id of the task. Without one, the state is `idle`.
   * @returns `idle`, `loading`, `ready` with a handle and the snapshot, or `error` with the reason, such as a `TaskNotFoundError`. A
   *   task that has ended is `ready`: its snapshot has the status.
   *
   * @example
   * ```svelte
   * <script lang="ts">
   *   const { id }: { id: string } = $props();
   *   const download = taskState("download", () => id);
   * </script>
   *
   * {#if download.current.state === "ready"}
   *   <progress value={download.current.snapshot.progress.fraction}></progress>
   *   <button onclick={() => download.current.task?.cancel()}>Cancel</button>
   * {:else}
   *   {download.current.error?.message}
   * {/if}
   * ```
   */
  taskState<K extends TaskName<M>>(
    name: K,
    id: () => string | null | undefined,
  ): Current<TaskState<M[K]>>;

  /**
   * Returns what `select` makes of the list of all tasks that match.
   *
   * @param query Returns the query, as for `watch`. By default, all tasks.
   * @param options How to make it, and how often it changes at most.
   *
   * @example
   * ```ts
   * const running = listState(() => ({ status: "running" }), { select: ({ tasks }) => tasks.length });
   * ```
   */
  listState<R, K extends TaskName<M> = never>(
    query: (() => TaskQuery<K>) | undefined,
    options: TasksOptions<SnapshotFor<M, K>, R>,
  ): Current<R>;

  /**
   * Returns the list of all tasks that match and that this page may see, oldest first. A task that hasn't changed keeps its object.
   * Components with equal queries share one watch.
   *
   * @param query Returns the query, as for `watch`. By default, all tasks.
   * @param options How often the list changes at most, as for `watch`.
   *
   * @example
   * ```svelte
   * <script lang="ts">
   *   const downloads = listState(() => ({ task: "download" }));
   * </script>
   *
   * {#each downloads.current.tasks as one (one.id)}
   *   <p>{one.label} {one.status}</p>
   * {/each}
   * ```
   */
  listState<K extends TaskName<M> = never>(
    query?: () => TaskQuery<K>,
    options?: PaceOptions,
  ): Current<ListState<SnapshotFor<M, K>>>;

  /**
   * Returns `start`, which starts a task, with the state of what it has started last. It starts nothing by itself.
   *
   * @param name The kind to start.
   * @param defaults The options of each start, unless that says otherwise, and whether the task is given up when the component is
   *   unmounted (`cancelOnUnmount`). A function is called at each start.
   *
   * @example
   * ```svelte
   * <script lang="ts">
   *   const { url }: { url: string } = $props();
   *   const download = startState("download");
   *   const { snapshot, output, error } = $derived(download.current);
   * </script>
   *
   * {#if snapshot && snapshot.endedAt === null}
   *   <button onclick={() => download.cancel()}>Cancel {snapshot.progress.completed}</button>
   * {:else}
   *   <button onclick={() => download.start({ url })}>{error?.message ?? output ?? "Download"}</button>
   * {/if}
   * ```
   */
  startState<K extends TaskName<M>>(
    name: K,
    defaults?: MaybeGetter<StartDefaults>,
  ): Started<StartState<M[K]>, StartStore<M[K]>>;

  /**
   * Returns `start`, which starts a batch, with the state of what it has started last: see {@link TaskStates.startState}. The members
   * are those of `listState(() => ({ parent: batch.current.task?.id ?? [] }))`.
   *
   * @param name The kind to start.
   * @param defaults The options of each batch, unless that says otherwise, and `cancelOnUnmount`.
   *
   * @example
   * ```ts
   * const batch = batchState("download", { concurrency: 4 });
   * const startAll = () => batch.start(urls.map((url) => ({ url })));
   * ```
   */
  batchState<K extends TaskName<M>>(
    name: K,
    defaults?: MaybeGetter<BatchDefaults>,
  ): Started<BatchState<M[K]>, BatchStore<M[K]>>;

  /**
   * Returns the newest progress of a task, which changes at most once a frame. The batch of {@link TaskStates.batchState} has its
   * progress in `snapshot`.
   *
   * @param task Returns a handle. It may have been let go of. Without one, the progress is `undefined`.
   *
   * @example
   * ```ts
   * const download = startState("download");
   * const progress = progressState(() => download.current.task);
   * ```
   */
  progressState<T extends TaskTypes>(task: () => TaskHandle<T>): Current<TaskProgress<T["detail"]>>;
  progressState<T extends TaskTypes>(
    task: () => TaskHandle<T> | null | undefined,
  ): Current<TaskProgress<T["detail"]> | undefined>;

  /**
   * Reads the items that a task emits: the newest ones, told at most once a frame. All components that show the same task share one
   * reading, which goes on when one of them is mounted again within 100 ms. While the task is read elsewhere, there is the `error` that
   * it is locked.
   *
   * @param task Returns a handle. It may have been let go of. Without one, there are no items.
   * @param options How many of the newest items are kept: 1,000 by default.
   *
   * @example
   * ```svelte
   * <script lang="ts">
   *   const { task }: { task: TaskHandle<Tasks["build"]> } = $props();
   *   const log = itemsState(() => task, { limit: 200 });
   * </script>
   *
   * <pre>{log.current.items.join("\n")}</pre>
   * ```
   */
  itemsState<T extends TaskTypes>(
    task: () => TaskHandle<T> | null | undefined,
    options?: MaybeGetter<ItemsOptions>,
  ): Current<ItemsState<JsonItem<T["item"]>>>;
}
