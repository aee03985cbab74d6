import { onAbort } from "../callbacks/abort.js";
import { rethrow } from "../errors/from-rejection.js";
import { TaskError } from "../errors/task-error.js";
import { commands, type TaskSnapshot } from "../ipc/bindings.js";
import { createItems, type Items } from "../items/items.js";
import type { TrackedTask } from "../task/task.js";
import type { TaskOutcome } from "../types/outcome.js";
import type { TaskHandle } from "../types/task-handle.js";
import { cancelBySignal, type Launched, launch } from "./launch.js";
import type { Page } from "./page.js";

/** What the handles of a task and of a batch have in common. */
export type CommonHandle = Omit<TaskHandle, "retry" | keyof Items>;

/**
 * One user's view of a task. Its signal, if it has one, is listened to until the task is over. `from`: the number of the item
 * that it begins to read with.
 */
export function createHandle(
  page: Page,
  launched: Launched,
  from: number | null = null,
): TaskHandle {
  const { task } = launched;
  const common = createCommonHandle(launched, (output) => output);
  const items = createItems(page, task.id, from, common.ended);
  return Object.assign(common.handle, items, {
    retry: () => retryTask(page, newest(task).task, task.id),
  });
}

/** Starts a task that ended badly once more, as a new one. `name`: its kind, for hints in errors. */
export async function retryTask(page: Page, name: string, id: string): Promise<TaskHandle> {
  const launched = await launch(page, {
    name,
    send: (nonce, newId) => commands.retry(nonce, id, newId),
    // The options are those of the first start.
    mayJoin: true,
  });
  return createHandle(page, launched);
}

/**
 * `toResult` makes the result of the output that the outcome holds. `ended` resolves when the task has completed, and rejects
 * with what the result rejects with.
 */
export function createCommonHandle(
  launched: Launched,
  toResult: (output: unknown) => unknown,
): { readonly handle: CommonHandle; readonly ended: () => Promise<void> } {
  const { task, signal } = launched;
  let aborted: { readonly reason: unknown } | undefined;
  let rejectResult: ((reason: unknown) => void) | undefined;
  let result: Promise<unknown> | undefined;

  if (signal?.aborted && task.phase === "live") {
    // Between the answer and this handle.
    aborted = { reason: signal.reason };
    cancelBySignal(launched);
  } else if (signal && task.phase === "live") {
    const off = onAbort(signal, (reason) => {
      aborted = { reason };
      rejectResult?.(reason);
      cancelBySignal(launched);
    });
    task.onOver(off);
  }

  function makeResult(): Promise<unknown> {
    if (aborted) return Promise.reject(aborted.reason);
    return new Promise((resolve, reject) => {
      rejectResult = reject;
      task
        .outcome()
        .then((outcome) => {
          if (outcome.status === "completed") resolve(toResult(outcome.output));
          else reject(outcome.error);
        })
        .catch(reject);
    });
  }

  async function ended(): Promise<void> {
    await task.closed;
    if (aborted) throw aborted.reason;
    // Nothing to fetch: that may be large, or not be kept any more.
    if (task.snapshot?.status === "completed") return;
    const outcome = await task.outcome();
    if (outcome.status !== "completed") throw outcome.error;
  }

  const handle: CommonHandle = {
    get id() {
      return task.id;
    },
    get status() {
      return newest(task).status;
    },
    get snapshot() {
      return newest(task);
    },
    onProgress: (callback) => task.onProgress(callback),
    onStatus: (callback) => task.onStatus(callback),
    onQueue: (callback) => task.onQueue(callback),
    get result() {
      result ??= makeResult().catch((error: unknown) => {
        // What could not be fetched now may be fetched later.
        if (error instanceof TaskError && error.kind === "ipc") result = undefined;
        throw error;
      });
      return result;
    },
    get outcome(): Promise<TaskOutcome> {
      return task.outcome();
    },
    get closed() {
      return task.closed;
    },
    async cancel() {
      if (task.phase === "ended") {
        throw new TaskError("alreadyEnded", `Task ${task.id} has ended: ${newest(task).status}.`);
      }
      await commands.cancel(task.id, "user").catch(rethrow);
    },
    async hold() {
      await commands.hold(task.id).catch(rethrow);
    },
    async release() {
      await commands.release(task.id).catch(rethrow);
    },
    async setPriority(priority) {
      await commands.setPriority(task.id, priority).catch(rethrow);
    },
    async remove() {
      await commands.remove(task.id).catch(rethrow);
    },
  };
  return { handle, ended };
}

/** A handle is made after the first snapshot. */
function newest(task: TrackedTask): TaskSnapshot {
  if (!task.snapshot) throw new Error(`Task ${task.id} has no state yet.`);
  return task.snapshot;
}
