import { onAbort } from "../callbacks/abort.js";
import { TaskError } from "../errors/task-error.js";
import { cancelBySignal, type Launched } from "./launch.js";

/** What `result` of a handle stands for. */
export interface Result<R> {
  /** The promise, made at the first call. */
  promise(): Promise<R>;
  /** Resolves when the task has completed, and rejects with what the promise rejects with. */
  ended(): Promise<void>;
}

/**
 * The result of a task for one user. Rejects at once when the user's signal, if there is one, is aborted, and cancels the task
 * then. `toResult` makes the result from the output in the outcome.
 */
export function createResult<R>(launched: Launched, toResult: (output: unknown) => R): Result<R> {
  const { task, signal } = launched;
  let aborted: { readonly reason: unknown } | undefined;
  let reject: ((reason: unknown) => void) | undefined;
  let promise: Promise<R> | undefined;

  function abort(reason: unknown): void {
    aborted = { reason };
    reject?.(reason);
    cancelBySignal(launched);
  }

  function make(): Promise<R> {
    if (aborted) return Promise.reject(aborted.reason);
    return new Promise((resolve, rejectResult) => {
      reject = rejectResult;
      task
        .outcome()
        .then((outcome) => {
          if (outcome.status === "completed") resolve(toResult(outcome.output));
          else rejectResult(outcome.error);
        })
        .catch(rejectResult);
    });
  }

  if (signal && task.phase === "live") {
    // It may have been aborted between the answer and this handle.
    if (signal.aborted) abort(signal.reason);
    else task.onOver(onAbort(signal, abort));
  }

  return {
    promise() {
      promise ??= make().catch((error: unknown) => {
        // What could not be fetched now may be fetched later.
        if (error instanceof TaskError && error.kind === "ipc") promise = undefined;
        throw error;
      });
      return promise;
    },
    async ended() {
      await task.closed;
      if (aborted) throw aborted.reason;
      // The output is not fetched: it may be large, or no longer kept.
      if (task.snapshot?.status === "completed") return;
      const outcome = await task.outcome();
      if (outcome.status !== "completed") throw outcome.error;
    },
  };
}
