import type { ComputedRef, MaybeRefOrGetter } from "vue";
import type { JsonItem } from "../core/types/items.js";
import type { TaskMap, TaskName, TaskTypes } from "../core/types/kind.js";
import type { TaskQuery } from "../core/types/query.js";
import type { SnapshotFor, TaskProgress } from "../core/types/snapshot.js";
import type { TaskHandle } from "../core/types/task-handle.js";
import type {
  BatchDefaults,
  BatchState,
  BatchStore,
  ItemsState,
  ListState,
  StartDefaults,
  StartState,
  StartStore,
  TaskState,
} from "../store/index.js";

/** The fields of a state `S` as refs, and the functions of the store `L` that it is of. */
export type Started<S, L extends { start: unknown; cancel: unknown; reset: unknown }> = {
  readonly [F in keyof S]-?: ComputedRef<S[F]>;
} & Pick<L, "start" | "cancel" | "reset">;

/** How often a list changes. */
export interface TasksArguments {
  /** How often it changes at most, in milliseconds, as for `watch`. */
  readonly everyMs?: MaybeRefOrGetter<number | undefined>;
}

/** What {@link TaskHooks.useTasks} makes of a list. Before Vue 3.4, a component is rendered for each change of the list all the same. */
export interface SelectArguments<S, R> extends TasksArguments {
  /** Makes of the list what the component needs. What it reads of refs is followed. It should change nothing. */
  readonly select: (list: ListState<S>) => R;
  /** Whether two results of `select` count as the same, so that the component isn't rendered again; by default `Object.is`. */
  readonly isEqual?: ((a: R, b: R) => boolean) | undefined;
}

/** How a task's items are kept. */
export interface ItemsArguments {
  /** How many of the newest items are kept: 1,000 by default. */
  readonly limit?: MaybeRefOrGetter<number | undefined>;
}

/**
 * The composables that `createTaskHooks` returns, typed by the app's kinds `M`. Arguments are values, refs or getters.
 *
 * What has one value is a ref of it, in which nothing is deeply reactive, so that TypeScript knows by `state` which fields there are.
 * A start, which has functions besides, is an object of refs to take apart, as in other libraries.
 *
 * What is shown belongs to the arguments of now: when they change, the value is at once that of the new ones, never of the old task. It
 * ends with the component or the `effectScope`; what nothing shows any more is let go of after 100 ms, so that hot reloads and fast
 * remounts go on with the same. On a server, a task is `loading` or `idle`, and a list is empty.
 */
export interface TaskHooks<M extends TaskMap> {
  /**
   * Returns what a task is. It changes for progress at most once a frame.
   *
   * @param name The kind of the task.
   * @param id The id of the task. Without one, the state is `idle`.
   * @returns `idle`, `loading`, `ready` with a handle and the snapshot, or `error` with the reason, such as a `TaskNotFoundError`. A
   *   task that has ended is `ready`: its snapshot has the status.
   *
   * @example
   * ```ts
   * const props = defineProps<{ id: string }>();
   * const download = useTask("download", () => props.id);
   * const percent = computed(() => 100 * (download.value.snapshot?.progress.fraction ?? 0));
   * ```
   */
  useTask<K extends TaskName<M>>(
    name: MaybeRefOrGetter<K>,
    id: MaybeRefOrGetter<string | null | undefined>,
  ): ComputedRef<TaskState<M[K]>>;

  /**
   * Returns what `select` makes of the list of all tasks that match.
   *
   * @param query As for `watch`. By default, all tasks.
   * @param options How to make it, and how often it changes at most.
   *
   * @example
   * ```ts
   * const running = useTasks({ status: "running" }, { select: ({ tasks }) => tasks.length });
   * ```
   */
  useTasks<R, K extends TaskName<M> = never>(
    query: MaybeRefOrGetter<TaskQuery<K> | undefined>,
    options: SelectArguments<SnapshotFor<M, K>, R>,
  ): ComputedRef<R>;

  /**
   * Returns the list of all tasks that match and that this page may see, oldest first. A task that hasn't changed keeps its object.
   * Components with equal queries share one watch.
   *
   * @param query As for `watch`. By default, all tasks.
   * @param options How often the list changes at most.
   * @returns `loading`, `ready`, or `error` with the reason; `tasks` is what was known last.
   *
   * @example
   * ```ts
   * const downloads = useTasks({ task: "download" });
   * const labels = computed(() => downloads.value.tasks.map(({ label }) => label));
   * ```
   */
  useTasks<K extends TaskName<M> = never>(
    query?: MaybeRefOrGetter<TaskQuery<K> | undefined>,
    options?: TasksArguments,
  ): ComputedRef<ListState<SnapshotFor<M, K>>>;

  /**
   * Returns `start`, which starts a task, with refs of what has come of the last start. It starts nothing by itself.
   *
   * @param name The kind to start. Another one begins as `idle`.
   * @param defaults The options of each start, unless that says otherwise, and whether the task is given up when the component is
   *   unmounted (`cancelOnUnmount`). They are read at each start.
   *
   * @example
   * ```ts
   * const { start, cancel, state, snapshot, output, error } = useStartTask("download");
   * const isBusy = computed(() => state.value === "queued" || state.value === "running");
   * onMounted(() => start({ url: props.url }));
   * ```
   */
  useStartTask<K extends TaskName<M>>(
    name: MaybeRefOrGetter<K>,
    defaults?: MaybeRefOrGetter<StartDefaults>,
  ): Started<StartState<M[K]>, StartStore<M[K]>>;

  /**
   * Returns `start`, which starts a batch, with refs of what has come of the last start: see {@link TaskHooks.useStartTask}. The members
   * are those of `useTasks(() => ({ parent: task.value?.id ?? [] }))`.
   *
   * @param name The kind to start.
   * @param defaults The options of each batch, unless that says otherwise, and `cancelOnUnmount`.
   *
   * @example
   * ```ts
   * const { start, snapshot, output } = useBatch("download", { concurrency: 4 });
   * const startAll = () => start(urls.map((url) => ({ url })));
   * ```
   */
  useBatch<K extends TaskName<M>>(
    name: MaybeRefOrGetter<K>,
    defaults?: MaybeRefOrGetter<BatchDefaults>,
  ): Started<BatchState<M[K]>, BatchStore<M[K]>>;

  /**
   * Returns the newest progress of a task, which changes at most once a frame. The batch of {@link TaskHooks.useBatch} has its progress
   * in `snapshot`.
   *
   * @param task A handle. It may have been let go of. Without one, the progress is `undefined`.
   *
   * @example
   * ```ts
   * const { start, task } = useStartTask("download");
   * const progress = useTaskProgress(task);
   * ```
   */
  useTaskProgress<T extends TaskTypes>(
    task: MaybeRefOrGetter<TaskHandle<T> | null | undefined>,
  ): ComputedRef<TaskProgress<T["detail"]> | undefined>;

  /**
   * Reads the items that a task emits: the newest ones, told at most once a frame. All components that show the same task share one
   * reading, which goes on when one of them is mounted again within 100 ms. While the task is read elsewhere, there is the `error` that
   * it is locked.
   *
   * @param task A handle. It may have been let go of. Without one, there are no items.
   * @param options How many of the newest items are kept: 1,000 by default.
   *
   * @example
   * ```ts
   * const log = useTaskItems(task, { limit: 200 });
   * const text = computed(() => log.value.items.join("\n"));
   * ```
   */
  useTaskItems<T extends TaskTypes>(
    task: MaybeRefOrGetter<TaskHandle<T> | null | undefined>,
    options?: ItemsArguments,
  ): ComputedRef<ItemsState<JsonItem<T["item"]>>>;
}
