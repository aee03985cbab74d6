import type { TaskError } from "../core/errors/task-error.js";
import type { JsonItem } from "../core/types/items.js";
import type { TaskMap, TaskName } from "../core/types/kind.js";
import type { TasksClient } from "../core/types/tasks-client.js";
import { constant, type Readable } from "./readable.js";
import { select } from "./select.js";
import { sharedStore } from "./shared.js";

/** What was read of the items that a task emits. */
export interface ItemsState<I> {
  /** The newest items, oldest first. */
  readonly items: readonly I[];
  /** How many items were dropped before they could be read: 0 unless nobody read for some time. */
  readonly missed: number;
  /** Whether all items were read. */
  readonly done: boolean;
  /** Why the reading has ended otherwise: it is locked, or the task has failed. */
  readonly error?: TaskError | undefined;
}

/** How a task's items are kept. */
export interface ItemsOptions {
  /** How many of the newest items are kept: 1,000 by default. */
  readonly limit?: number | undefined;
}

/** How often the state changes at most, in milliseconds: 60 times a second. Reading goes on at its own pace. */
const FRAME_MS = 17;
const NOTHING: ItemsState<never> = { items: [], missed: 0, done: false };

/** How many items are kept of each task that is read: as many as the one of its stores that keeps most. */
const limits = new Map<string, number>();

/**
 * Returns a store of the items that a task emits as JSON. A task has one reading at a time: all stores of the same task share it. It
 * ends when the store has no subscriber any more; what nobody has read by then stays in the task.
 *
 * @param client What `createTasks` has returned.
 * @param name The kind of the task.
 * @param id The id of the task. Without one, the store has no items.
 * @param options How many items are kept.
 *
 * @example
 * ```ts
 * const log = itemsStore(tasks, "build", id, { limit: 200 });
 * log.subscribe(() => show(log.getSnapshot().items));
 * ```
 */
export function itemsStore<M extends TaskMap, K extends TaskName<M>>(
  client: TasksClient<M>,
  name: K,
  id: string | null | undefined,
  { limit = 1_000 }: ItemsOptions = {},
): Readable<ItemsState<JsonItem<M[K]["item"]>>> {
  if (id === null || id === undefined) return constant(NOTHING);
  const key = `items ${id} ${name}`;
  const all = sharedStore<ItemsState<JsonItem<M[K]["item"]>>>(key, {
    initial: NOTHING,
    async open(set, signal, last) {
      signal.addEventListener("abort", () => limits.delete(key));
      const task = await client.attach(name, id, { signal });
      const reading = task.chunks();
      let { items } = last;
      let frame: ReturnType<typeof setTimeout> | undefined;
      const tell = (done: boolean) => {
        clearTimeout(frame);
        frame = undefined;
        set({ items, missed: reading.missed, done });
      };
      try {
        for await (const chunk of reading) {
          items = newest([...items, ...chunk], limits.get(key) ?? limit);
          frame ??= setTimeout(tell, FRAME_MS, false);
        }
        tell(true);
      } catch (error) {
        tell(false);
        throw error;
      }
    },
    failed: (error, last) => ({ ...last, error }),
  });
  const { subscribe, ...shown } = select(all, (state) =>
    state.items.length > limit ? { ...state, items: newest(state.items, limit) } : state,
  );
  return {
    ...shown,
    subscribe(onChange) {
      limits.set(key, Math.max(limit, limits.get(key) ?? 0));
      return subscribe(onChange);
    },
  };
}

function newest<I>(items: readonly I[], limit: number): readonly I[] {
  return items.slice(Math.max(0, items.length - limit));
}
