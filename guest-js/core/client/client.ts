import { rethrow } from "../errors/from-rejection.js";
import { TaskError, TaskNotFoundError } from "../errors/task-error.js";
import { commands, type LimitOf, type TaskSnapshot } from "../ipc/bindings.js";
import { isBatch } from "../task/state.js";
import type { TrackedTask } from "../task/tracked-task.js";
import type { TaskMap } from "../types/kind.js";
import type { AttachOptions, BatchOptions, StartOptions, WatchOptions } from "../types/options.js";
import type { CancelQuery, TaskQuery } from "../types/query.js";
import type { TasksClient } from "../types/tasks-client.js";
import { BatchHandle } from "./batch-handle.js";
import { toCancelFilter } from "./cancel-query.js";
import { launch } from "./launch.js";
import { listAll, listPage } from "./list.js";
import { toPace } from "./pace.js";
import { page } from "./page.js";
import { schedulesClient } from "./schedules.js";
import { rerunTask, TaskHandle } from "./task-handle.js";
import { toBatchOptions, toFilter, toStartOptions } from "./to-wire.js";

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
    async start(name: string, input?: unknown, options?: StartOptions) {
      const wireOptions = toStartOptions(options);
      const launched = await launch(page, {
        name,
        send: (nonce, id) => commands.start(nonce, id, name, input ?? null, wireOptions),
        signal: options?.signal,
        mayJoin: options?.onConflict === "join",
      });
      return new TaskHandle(page, launched);
    },

    async rerun(name: string, id: string) {
      const snapshot = await commands.get(id).catch(rethrow);
      checkKind(snapshot, name);
      if (isBatch(snapshot)) {
        throw new TaskError(
          "notRerunnable",
          `Task ${id} is a batch: rerun the members that did not complete.`,
        );
      }
      return rerunTask(page, name, id);
    },

    async attach(name: string, id: string, { from }: AttachOptions = {}) {
      checkFrom(from);
      return new TaskHandle(page, { task: await attachTo(name, id, false), joined: true }, from);
    },

    async attachAll(query?: TaskQuery) {
      const listed = await listAll(query);
      const ids = listed.filter((snapshot) => !isBatch(snapshot)).map(({ id }) => id);
      const found = await attachToAll(ids);
      return found.map((task) => new TaskHandle(page, { task, joined: true }));
    },

    async batch(name: string, inputs: readonly unknown[], options?: BatchOptions) {
      const sent = [...inputs];
      const wireOptions = toBatchOptions(options);
      const launched = await launch(page, {
        name,
        send: (nonce, id) => commands.batch(nonce, id, name, sent, wireOptions),
        signal: options?.signal,
      });
      return new BatchHandle(page, launched);
    },

    attachBatch: async (name: string, id: string) =>
      new BatchHandle(page, { task: await attachTo(name, id, true), joined: true }),

    list: listPage,

    watch: async (
      query: TaskQuery,
      callback: (snapshots: TaskSnapshot[]) => void,
      options?: WatchOptions,
    ) => page.lists.watch(toFilter(query), callback, toPace(options), options?.signal),

    get: (id: string) => commands.get(id).catch(rethrow),

    async cancelAll(query: CancelQuery) {
      const filter = toCancelFilter(query);
      return commands.cancelAll(filter, "user").catch(rethrow);
    },

    counts: () => commands.counts().catch(rethrow),

    async setLimit(of: LimitOf, limit: number | null) {
      await commands.setLimit(of, limit).catch(rethrow);
    },

    ...schedulesClient,
  } satisfies Record<keyof TasksClient<TaskMap>, unknown>;
  // Nothing on the wire is typed: the caller vouches for `M`.
  return client as unknown as TasksClient<M>;
}

/** Follows an existing task, or an existing batch if `batch` is true. Rejects if the id belongs to anything else. */
async function attachTo(name: string, id: string, batch: boolean): Promise<TrackedTask> {
  const task = await page.tasks.attach(id);
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
}

/** Follows the tasks that still exist. */
async function attachToAll(ids: readonly string[]): Promise<TrackedTask[]> {
  const settled = await Promise.allSettled(ids.map((id) => page.tasks.attach(id)));
  const found = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  for (const one of settled) {
    if (one.status === "fulfilled" || one.reason instanceof TaskNotFoundError) continue;
    for (const task of found) page.tasks.release(task);
    throw one.reason;
  }
  return found;
}

/**
 * Throws unless `from` can be the number of an item. Without this check, JSON would turn `NaN` into `null`, and the
 * reading would start with the oldest item.
 */
function checkFrom(from: number | undefined): void {
  if (from === undefined || (Number.isSafeInteger(from) && from >= 0)) return;
  throw new TaskError(
    "invalidOptions",
    `from is ${from}: pass the position of an earlier reading, or omit it to start with the oldest item.`,
  );
}

function checkKind(snapshot: TaskSnapshot | undefined, name: string): void {
  if (snapshot?.task === name) return;
  throw new TaskNotFoundError(`Task ${snapshot?.id} is a "${snapshot?.task}", not a "${name}".`);
}
