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

/** What {@link TaskHooks.useStartTask} returns: the state of the last start, and functions that stay the same. */
export type StartedTask<T extends TaskTypes = TaskTypes> = StartState<T> &
  Pick<StartStore<T>, "start" | "cancel" | "reset">;

/** What {@link TaskHooks.useBatch} returns: the state of the last start, and functions that stay the same. */
export type StartedBatch<T extends TaskTypes = TaskTypes> = BatchState<T> &
  Pick<BatchStore<T>, "start" | "cancel" | "reset">;

/** What {@link TaskHooks.useTasks} makes of a list. */
export interface TasksOptions<S, R> extends PaceOptions {
  /** Makes of the list what the component needs. It should change nothing, and may be another function with each render. */
  readonly select: (list: ListState<S>) => R;
  /** Whether two results of `select` count as the same, so that the component isn't rendered again; by default `Object.is`. */
  readonly isEqual?: ((a: R, b: R) => boolean) | undefined;
}

/**
 * The hooks that `createTaskHooks` returns, typed by the app's kinds `M`.
 *
 * What a component shows belongs to its arguments: when they change, the same render has what is known of the new ones, never the old
 * task. What no component shows any more is let go of after 100 ms, so that `StrictMode`, hot reloads and fast remounts go on with the
 * same. On a server, a task is `loading` or `idle`, and a list is empty.
 */
export interface TaskHooks<M extends TaskMap> {
  /**
   * Returns what a task is, and renders again when it changes: for its progress at most once a frame.
   *
   * @param name The kind of the task.
   * @param id The id of the task. Without one, the state is `idle`.
   * @returns `idle`, `loading`, `ready` with a handle and the snapshot, or `error` with the reason, such as a `TaskNotFoundError`. A
   *   task that has ended is `ready`: its snapshot has the status.
   *
   * @example
   * ```tsx
   * function Download({ id }: { id: string }) {
   *   const { snapshot, task, error } = useTask("download", id);
   *   if (error) return <p>{error.message}</p>;
   *   return <progress value={snapshot?.progress.fraction ?? 0} onClick={task?.cancel} />;
   * }
   * ```
   */
  useTask<K extends TaskName<M>>(name: K, id: string | null | undefined): TaskState<M[K]>;

  /**
   * Returns what `select` makes of the list of all tasks that match, and renders again when that changes.
   *
   * @param query As for `watch`. By default, all tasks. It may be a new object with each render.
   * @param options How to make it, and how often it changes at most.
   *
   * @example
   * ```tsx
   * const running = useTasks({ status: "running" }, { select: ({ tasks }) => tasks.length });
   * ```
   */
  useTasks<R, K extends TaskName<M> = never>(
    query: TaskQuery<K> | undefined,
    options: TasksOptions<SnapshotFor<M, K>, R>,
  ): R;

  /**
   * Returns the list of all tasks that match and that this page may see, oldest first. A task that hasn't changed keeps its object, so
   * a `memo` row isn't rendered again. Components with equal queries share one watch.
   *
   * @param query As for `watch`. By default, all tasks. It may be a new object with each render.
   * @param options How often the list changes at most, as for `watch`.
   * @returns `loading`, `ready`, or `error` with the reason; `tasks` is what was known last.
   *
   * @example
   * ```tsx
   * const { tasks } = useTasks({ task: "download" });
   * return <ul>{tasks.map((one) => <li key={one.id}>{one.label} {one.status}</li>)}</ul>;
   * ```
   */
  useTasks<K extends TaskName<M> = never>(
    query?: TaskQuery<K>,
    options?: PaceOptions,
  ): ListState<SnapshotFor<M, K>>;

  /**
   * Returns `start`, which starts a task, with the state of what it has started last. It starts nothing by itself. `start`, `cancel` and
   * `reset` stay the same functions.
   *
   * To start from an effect, which `StrictMode` runs twice, give a `key` and `onConflict: "join"`: both calls have the same task.
   *
   * @param name The kind to start. Another one begins as `idle`.
   * @param defaults The options of each start, unless that says otherwise, and whether the task is given up when the component is
   *   unmounted (`cancelOnUnmount`). It may be a new object with each render.
   *
   * @example
   * ```tsx
   * const { start, cancel, state, snapshot, output, error } = useStartTask("download");
   * return state === "running" || state === "queued" ? (
   *   <button onClick={cancel}>Cancel {snapshot?.progress.completed}</button>
   * ) : (
   *   <button onClick={() => start({ url })}>{error?.message ?? output ?? "Download"}</button>
   * );
   * ```
   *
   * @example
   * ```tsx
   * const { start } = useStartTask("index", { key: "index", onConflict: "join" });
   * useEffect(() => {
   *   const share = new AbortController();
   *   start(null, { signal: share.signal }).catch(() => {});
   *   return () => share.abort(); // takes nothing from others who have joined it
   * }, [start]);
   * ```
   */
  useStartTask<K extends TaskName<M>>(name: K, defaults?: StartDefaults): StartedTask<M[K]>;

  /**
   * Returns `start`, which starts a batch, with the state of what it has started last: see {@link TaskHooks.useStartTask}. The members
   * are those of `useTasks({ parent: snapshot?.id ?? [] })`.
   *
   * @param name The kind to start.
   * @param defaults The options of each batch, unless that says otherwise, and `cancelOnUnmount`.
   *
   * @example
   * ```tsx
   * const { start, snapshot, output } = useBatch("download", { concurrency: 4 });
   * return <button onClick={() => start(urls.map((url) => ({ url })))}>{snapshot?.progress.completed}</button>;
   * ```
   */
  useBatch<K extends TaskName<M>>(name: K, defaults?: BatchDefaults): StartedBatch<M[K]>;

  /**
   * Returns the newest progress of a task, and renders again when that changes, at most once a frame. Let a small component use it, so
   * that the one with the task isn't rendered for each step. The batch of {@link TaskHooks.useBatch} has its progress in `snapshot`.
   *
   * @param task A handle. It may have been let go of. Without one, the progress is `undefined`.
   *
   * @example
   * ```tsx
   * function Bar({ task }: { task: TaskHandle }) {
   *   return <progress value={useTaskProgress(task)?.fraction ?? undefined} />;
   * }
   * ```
   */
  useTaskProgress<T extends TaskTypes>(task: TaskHandle<T>): TaskProgress<T["detail"]>;
  useTaskProgress<T extends TaskTypes>(
    task: TaskHandle<T> | null | undefined,
  ): TaskProgress<T["detail"]> | undefined;

  /**
   * Reads the items that a task emits, and returns the newest ones, at most once a frame. All components that show the same task share
   * one reading, which goes on when one of them is mounted again within 100 ms. A reading elsewhere has the `error` of a task that is
   * locked.
   *
   * @param task A handle. It may have been let go of. Without one, there are no items.
   * @param options How many of the newest items are kept: 1,000 by default.
   *
   * @example
   * ```tsx
   * const { items, missed, done } = useTaskItems(task, { limit: 200 });
   * return <pre>{items.join("\n")}{done ? "" : "…"}</pre>;
   * ```
   */
  useTaskItems<T extends TaskTypes>(
    task: TaskHandle<T> | null | undefined,
    options?: ItemsOptions,
  ): ItemsState<JsonItem<T["item"]>>;
}
