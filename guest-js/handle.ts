import { onAbort } from "./abort.js";
import { commands, type TaskSnapshot } from "./bindings.js";
import { rethrow, TaskError } from "./errors.js";
import type { TrackedTask } from "./task.js";
import type { TaskHandle, TaskOutcome } from "./types.js";

/** Asks a task to stop because of an aborted signal. What can't be cancelled has ended, or will tell by itself. */
export function cancelBySignal(id: string): void {
  commands.cancel(id, "signal").catch(() => {});
}

/** One user's view of a task. `signal`, not yet aborted, is listened to until the task is over. */
export function createHandle(task: TrackedTask, signal?: AbortSignal): TaskHandle {
  let aborted: { readonly reason: unknown } | undefined;
  let rejectResult: ((reason: unknown) => void) | undefined;
  let result: Promise<unknown> | undefined;

  if (signal && task.phase === "live") {
    const off = onAbort(signal, (reason) => {
      aborted = { reason };
      rejectResult?.(reason);
      cancelBySignal(task.id);
    });
    task.onOver(off);
  }

  function makeResult(): Promise<unknown> {
    if (aborted) return Promise.reject(aborted.reason);
    return new Promise((resolve, reject) => {
      rejectResult = reject;
      task.outcome().then((outcome) => {
        if (outcome.status === "completed") resolve(outcome.output);
        else reject(outcome.error);
      }, reject);
    });
  }

  return {
    id: task.id,
    get status() {
      return newest(task).status;
    },
    onProgress: (callback) => task.onProgress(callback),
    onStatus: (callback) => task.onStatus(callback),
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
    async remove() {
      await commands.remove(task.id).catch(rethrow);
    },
  };
}

/** A handle is made after the first snapshot. */
function newest(task: TrackedTask): TaskSnapshot {
  if (!task.snapshot) throw new Error(`Task ${task.id} has no state yet.`);
  return task.snapshot;
}
