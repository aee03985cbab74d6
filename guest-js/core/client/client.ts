import { check } from "../arguments/check.js";
import { throwIfAborted, unlessAborted } from "../callbacks/abort.js";
import { commands } from "../calls/commands.js";
import { rethrow } from "../errors/from-rejection.js";
import { TaskError, TaskNotFoundError } from "../errors/task-error.js";
import type { TaskFilter, TaskSnapshot } from "../ipc/bindings.js";
import { isBatch } from "../task/state.js";
import type { TrackedTask } from "../task/tracked-task.js";
import type { TaskMap } from "../types/kind.js";
import type { TasksClient } from "../types/tasks-client.js";
import {
  ATTACH_OPTIONS,
  BATCH_OPTIONS,
  CALLBACK,
  FOLLOW_OPTIONS,
  ID,
  INPUT,
  INPUTS,
  KIND,
  LIMIT,
  LIMIT_OF,
  LIST_OPTIONS,
  QUERY,
  QUERY_IF_ANY,
  REASON,
  RERUN_OPTIONS,
  START_OPTIONS,
  WATCH_OPTIONS,
} from "./arguments.js";
import { BatchHandle } from "./batch-handle.js";
import { CANCEL_QUERY } from "./cancel-query.js";
import { launch } from "./launch.js";
import { listAll } from "./list.js";
import { schedulesClient } from "./schedules.js";
import { currentPage, page } from "./shared-page.js";
import { rerunTask, TaskHandle } from "./task-handle.js";
import { watchList } from "./watch-list.js";

/**
 * Creates a client for the tasks of this app. `M` is the task map generated from Rust; without it, names and values are
 * untyped.
 *
 * Creating a client is cheap: all clients of a page share one connection, which is opened by the first call that needs it.
 *
 * @example
 * ```ts
 * import { createTasks } from "tauri-plugin-tasks-api";
 * import type { Tasks } from "./tasks.gen";
 *
 * const tasks = createTasks<Tasks>();
 * const task = await tasks.start("download", { url, dest });
 * const path = await task.result;
 * ```
 */
export function createTasks<M extends TaskMap>(): TasksClient<M> {
  const client = {
    async start(...given: unknown[]) {
      const [name, input, { signal, ...options }] = check(
        "start",
        given,
        KIND,
        INPUT,
        START_OPTIONS,
      );
      const launched = await launch(page, {
        name,
        send: (nonce, id) => commands.start(nonce, id, name, input, options),
        signal,
        mayJoin: options.onConflict === "join",
      });
      return new TaskHandle(currentPage(), launched);
    },

    async rerun(...given: unknown[]) {
      const [name, id, { signal }] = check("rerun", given, KIND, ID, RERUN_OPTIONS);
      const snapshot = await unlessAborted(signal, () => commands.get(id).catch(rethrow));
      checkKind(snapshot, name);
      if (isBatch(snapshot)) {
        throw new TaskError(
          "notRerunnable",
          `Task ${id} is a batch: rerun the members that did not complete.`,
        );
      }
      return rerunTask(currentPage(), name, id, signal);
    },

    async attach(...given: unknown[]) {
      const [name, id, { from, signal }] = check("attach", given, KIND, ID, ATTACH_OPTIONS);
      const task = await attachTo(name, id, false, signal);
      return new TaskHandle(currentPage(), { task, signal }, from);
    },

    async attachAll(...given: unknown[]) {
      const [filter, { signal }] = check("attachAll", given, QUERY_IF_ANY, FOLLOW_OPTIONS);
      const found = await attachToAll(filter, signal);
      return found.map((task) => new TaskHandle(currentPage(), { task, signal }));
    },

    async batch(...given: unknown[]) {
      const [name, inputs, { signal, ...options }] = check(
        "batch",
        given,
        KIND,
        INPUTS,
        BATCH_OPTIONS,
      );
      const launched = await launch(page, {
        name,
        send: (nonce, id) => commands.batch(nonce, id, name, inputs, options),
        signal,
      });
      return new BatchHandle(currentPage(), launched);
    },

    async attachBatch(...given: unknown[]) {
      const [name, id, { signal }] = check("attachBatch", given, KIND, ID, FOLLOW_OPTIONS);
      const task = await attachTo(name, id, true, signal);
      return new BatchHandle(currentPage(), { task, signal });
    },

    async list(...given: unknown[]) {
      const [filter, { limit = null, after = null }] = check(
        "list",
        given,
        QUERY_IF_ANY,
        LIST_OPTIONS,
      );
      return commands.list(filter, limit, after).catch(rethrow);
    },

    watch: (...given: unknown[]) =>
      watchList(page.lists, undefined, () => {
        const [filter, callback, { signal, everyMs = 0 }] = check(
          "watch",
          given,
          QUERY,
          CALLBACK,
          WATCH_OPTIONS,
        );
        return { filter, callback, everyMs, signal };
      }),

    async get(...given: unknown[]) {
      const [id] = check("get", given, ID);
      return commands.get(id).catch(rethrow);
    },

    async cancelAll(...given: unknown[]) {
      const [filter, reason] = check("cancelAll", given, CANCEL_QUERY, REASON);
      return commands.cancelAll(filter, reason).catch(rethrow);
    },

    counts: () => commands.counts().catch(rethrow),

    async setLimit(...given: unknown[]) {
      const [of, limit] = check("setLimit", given, LIMIT_OF, LIMIT);
      await commands.setLimit(of, limit).catch(rethrow);
    },

    ...schedulesClient,
  } satisfies Record<keyof TasksClient<TaskMap>, unknown>;
  // Nothing on the wire is typed: the caller vouches for `M`.
  return client as unknown as TasksClient<M>;
}

/** How many tasks `attachAll` requests at once: an abort stops it from requesting the others. */
const ATTACHES_AT_ONCE = 64;

/** Follows an existing task, or an existing batch if `batch` is true. Rejects if the id belongs to anything else. */
function attachTo(
  name: string,
  id: string,
  batch: boolean,
  signal: AbortSignal | undefined,
): Promise<TrackedTask> {
  return unlessGivenUp(signal, page.tasks.release, async () => {
    const task = await page.tasks.attach(id, signal);
    try {
      checkKind(task.snapshot, name);
      if (isBatch(task.snapshot) !== batch) {
        throw new TaskNotFoundError(
          batch
            ? `Task ${id} is not a batch: use attach("${name}", …) for it.`
            : `Task ${id} is a batch: use attachBatch("${name}", …) for it.`,
        );
      }
    } catch (error) {
      page.tasks.release(task);
      throw error;
    }
    return task;
  });
}

/** Follows the matching tasks that still exist when their turn comes. */
function attachToAll(filter: TaskFilter, signal: AbortSignal | undefined): Promise<TrackedTask[]> {
  return unlessGivenUp(signal, releaseAll, async () => {
    const listed = await listAll(filter, signal);
    const ids = listed.filter((snapshot) => !isBatch(snapshot)).map(({ id }) => id);
    const found: TrackedTask[] = [];
    try {
      for (let next = 0; next < ids.length; next += ATTACHES_AT_ONCE) {
        throwIfAborted(signal);
        await attachToSome(ids.slice(next, next + ATTACHES_AT_ONCE), signal, found);
      }
    } catch (error) {
      releaseAll(found);
      throw error;
    }
    return found;
  });
}

/** Adds those of the tasks that still exist to `found`. */
async function attachToSome(
  ids: readonly string[],
  signal: AbortSignal | undefined,
  found: TrackedTask[],
): Promise<void> {
  const settled = await Promise.allSettled(ids.map((id) => page.tasks.attach(id, signal)));
  found.push(...settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])));
  for (const one of settled) {
    if (one.status === "rejected" && !(one.reason instanceof TaskNotFoundError)) throw one.reason;
  }
}

/** Does what `attach` does, unless the signal is aborted first: then rejects at once, and releases what is attached to by then. */
async function unlessGivenUp<T>(
  signal: AbortSignal | undefined,
  release: (attached: T) => void,
  attach: () => Promise<T>,
): Promise<T> {
  let attached: Promise<T> | undefined;
  try {
    return await unlessAborted(signal, () => {
      attached = attach();
      return attached;
    });
  } catch (error) {
    attached?.then(release, () => {});
    throw error;
  }
}

function releaseAll(tasks: readonly TrackedTask[]): void {
  for (const task of tasks) page.tasks.release(task);
}

function checkKind(snapshot: TaskSnapshot | undefined, name: string): void {
  if (snapshot?.task === name) return;
  throw new TaskNotFoundError(`Task ${snapshot?.id} is a "${snapshot?.task}", not a "${name}".`);
}
