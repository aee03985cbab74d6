import { onAbort } from "../callbacks/abort.js";
import { TaskError } from "../errors/task-error.js";
import { cancelBySignal, type Launched } from "./launch.js";

/** The result behind a handle's `result` property. */
export interface Result<R> {
  /** Returns the promise for the result, which the first call creates. */
  promise(): Promise<R>;
  /** Resolves when the task has completed, without fetching its output. Rejects with the same errors as the promise. */
  ended(): Promise<void>;
}

/**
 * Creates the result of a task for one caller. If the caller's signal is aborted, the result rejects at once and the task is
 * cancelled. `toResult` turns the output in the outcome into the result.
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
    // The signal may have been aborted between the answer to the start and the creation of this handle.
    if (signal.aborted) abort(signal.reason);
    else task.onOver(onAbort(signal, abort));
  }

  return {
    promise() {
      promise ??= make().catch((error: unknown) => {
        // The outcome could not be fetched now, but perhaps it can be later.
        if (error instanceof TaskError && error.kind === "ipc") promise = undefined;
        throw error;
      });
      return promise;
    },
    async ended() {
      await task.closed;
      if (aborted) throw aborted.reason;
      // Don't fetch the output: it may be large, or no longer kept.
      if (task.snapshot?.status === "completed") return;
      const outcome = await task.outcome();
      if (outcome.status !== "completed") throw outcome.error;
    },
  };
}
